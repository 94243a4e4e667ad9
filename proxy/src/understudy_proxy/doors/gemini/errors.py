"""Errors in Google's format, from whatever refuses a request."""

from understudy_proxy.dialects.gemini import errors
from understudy_proxy.doors.door import Refused


def gemini_errors(refused: Refused) -> bytes:
    """The body."""
    return errors.render(
        refused.status,
        refused.message,
        reason=refused.code or refused.reason,
        param=refused.param,
        retry_after_seconds=_retry_after(dict(refused.headers)),
    )


def _retry_after(headers: dict[str, str]) -> float | None:
    """What the headers say: Google's clients look for it in the body."""
    if (milliseconds := headers.get("retry-after-ms")) is not None:
        return int(milliseconds) / 1000
    seconds = headers.get("retry-after")
    return None if seconds is None else float(seconds)
