"""What Bedrock means by an error: the name of an exception, in a header or in a frame, and a message.

https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy_proxy.dialects.failures.kinds import failure_of, parsed
from understudy_proxy.dialects.failures.shapes import Said, said_by
from understudy_proxy.failure import FailureKind, UpstreamFailure

_STATUSES = {
    "accessdeniedexception": 403,
    "conflictexception": 400,
    "internalserverexception": 500,
    "modelerrorexception": 424,
    "modelnotreadyexception": 429,
    "modelstreamerrorexception": 424,
    "modeltimeoutexception": 408,
    "resourcenotfoundexception": 404,
    "servicequotaexceededexception": 400,
    "serviceunavailableexception": 503,
    "throttlingexception": 429,
    "validationexception": 400,
}
_QUOTA = "servicequotaexceededexception"
_DAILY = "too many tokens per day"
"""How it says, with the status of a rate limit, that waiting a moment does not help."""
_NO_SUCH_MODEL = ("model identifier is invalid", "on-demand throughput isn", "model version has reached the end")
"""How it says, with the status of a wrong request, that the model is not there for this account."""


def refused(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """What a response with an error status says. Header names are lower case."""
    name = headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    return _failure(_said(name, parsed(body), body), status=status, headers=headers)


def excepted(name: str, payload: bytes) -> UpstreamFailure:
    """What an exception in a stream says, under a status that promised an answer."""
    status = _STATUSES.get(name.lower(), 500)
    return _failure(_said(name, parsed(payload), payload), status=status, headers={})


def _said(name: str, answer: Any, body: bytes) -> Said:
    if isinstance(answer, dict) and isinstance(message := answer.get("Message"), str):
        answer = {"message": message}
    said = said_by(answer, body)
    return replace(said, type=name[:64] or said.type)


def _failure(said: Said, *, status: int, headers: Mapping[str, str]) -> UpstreamFailure:
    failure = failure_of(said, status=status, headers=headers)
    if (said.type or "").lower() == _QUOTA or _DAILY in said.message.lower():
        return replace(failure, kind=FailureKind.QUOTA_EXCEEDED)
    if failure.kind is FailureKind.BAD_REQUEST and any(words in said.message.lower() for words in _NO_SUCH_MODEL):
        return replace(failure, kind=FailureKind.MODEL_NOT_FOUND)
    return failure
