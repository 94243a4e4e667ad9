"""What Google means by an error, where its words need more than every dialect's do.

https://cloud.google.com/apis/design/errors, and `dialects/failures` for all else.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy_proxy.dialects.failures.kinds import failure_of, parsed
from understudy_proxy.dialects.failures.shapes import Said, said_by, said_in
from understudy_proxy.failure import FailureKind, UpstreamFailure, bounded

_BY_THE_DAY = "PerDay"
_NOT_HERE = "location is not supported"
_MOST_DETAILS = 16


def refused(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """What a response with an error status says."""
    return _exact(said_by(parsed(body), body), status=status, headers=headers)


def failure_in(answer: Any) -> UpstreamFailure | None:
    """The failure inside a success: an error object, a list around one, or a prompt that was blocked."""
    if isinstance(answer, list):
        answer = answer[0] if answer else None
    if not isinstance(answer, dict):
        return None
    if "error" in answer and (said := said_in(answer)) is not None:
        return _exact(said, status=None, headers={})
    feedback = answer.get("promptFeedback")
    return _blocked(feedback) if isinstance(feedback, dict) else None


def _blocked(feedback: dict[str, Any]) -> UpstreamFailure | None:
    """The prompt was blocked, which Google tells with HTTP 200."""
    reason, message = feedback.get("blockReason"), feedback.get("blockReasonMessage")
    if not isinstance(reason, str) or reason in {"", "BLOCK_REASON_UNSPECIFIED"}:
        return None
    why = f": {message}" if isinstance(message, str) and message else ""
    return UpstreamFailure(
        FailureKind.CONTENT_FILTERED, bounded(f"the prompt was blocked ({reason[:64]}){why}"), code=bounded(reason[:64])
    )


def _exact(said: Said, *, status: int | None, headers: Mapping[str, str]) -> UpstreamFailure:
    failure = failure_of(said, status=status, headers=headers)
    if failure.kind is FailureKind.RATE_LIMITED and _is_used_up(said.error):
        return replace(failure, kind=FailureKind.QUOTA_EXCEEDED)
    if failure.kind is FailureKind.BAD_REQUEST and _NOT_HERE in said.message:
        # Not for this request, but for every one that this gateway sends.
        return replace(failure, kind=FailureKind.AUTHENTICATION)
    return failure


def _is_used_up(error: Mapping[str, Any]) -> bool:
    """Whether it is the quota of a day: waiting for seconds does not help then."""
    details = error.get("details")
    for detail in details[:_MOST_DETAILS] if isinstance(details, list) else ():
        violations = detail.get("violations") if isinstance(detail, dict) else None
        for violation in violations[:_MOST_DETAILS] if isinstance(violations, list) else ():
            quota = violation.get("quotaId") if isinstance(violation, dict) else None
            if isinstance(quota, str) and _BY_THE_DAY in quota:
                return True
    return False
