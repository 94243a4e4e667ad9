"""Errors as Google's clients understand them: `google.rpc.Status` in JSON.

https://cloud.google.com/apis/design/errors
"""

from typing import Any

import orjson

from understudy_proxy.failure import FailureKind, UpstreamFailure

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_TYPES = "type.googleapis.com/google.rpc."
_DOMAIN = "understudy"
_INTERRUPTED = 503
_TIMED_OUT = 504
_TIMEOUTS = frozenset({FailureKind.STREAM_IDLE, FailureKind.REQUEST_TIMEOUT, FailureKind.UPSTREAM_TIMEOUT})


def render(
    status: int,
    message: str,
    *,
    reason: str | None = None,
    param: str | None = None,
    retry_after_seconds: float | None = None,
) -> bytes:
    """The body of an error answer.

    Args:
        status: of the response.
        message: for people.
        reason: why, in a word.
        param: the field at fault.
        retry_after_seconds: when to come back; Google's clients look for it here.
    """
    details: list[dict[str, Any]] = []
    if reason:
        details.append({"@type": f"{_TYPES}ErrorInfo", "reason": reason.upper(), "domain": _DOMAIN})
    if param:
        details.append({"@type": f"{_TYPES}BadRequest", "fieldViolations": [{"field": param, "description": message}]})
    if retry_after_seconds is not None:
        details.append({"@type": f"{_TYPES}RetryInfo", "retryDelay": f"{retry_after_seconds:g}s"})
    # Google's SDK knows an error in a stream by this being the first of its keys.
    error: dict[str, Any] = {"code": status, "message": message, "status": _name(status)}
    if details:
        error["details"] = details
    return orjson.dumps({"error": error})


def in_stream(failure: UpstreamFailure) -> bytes:
    """The response that tells a client its stream was interrupted.

    The provider's own message stays out: the client cannot act on it, and it may speak of what is behind the gateway.
    """
    message = f"The provider's stream was interrupted ({failure.kind}): the answer is not complete."
    status = _TIMED_OUT if failure.kind in _TIMEOUTS else _INTERRUPTED
    return render(status, message, reason="stream_interrupted")


def _name(status: int) -> str:
    return _STATUSES.get(status) or ("INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
