"""What an agent means by an error: mostly what its own vendor told it, somewhere in a text."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy_proxy.dialects.failures import kinds
from understudy_proxy.dialects.failures.shapes import Said
from understudy_proxy.failure import FailureKind, UpstreamFailure, bounded

_NO_TOOL = "unknown tool"
_WORDS = (
    "insufficient_quota",
    "context_length_exceeded",
    "rate_limit_error",
    "rate_limit_exceeded",
    "RateLimitError",
    "overloaded_error",
    "authentication_error",
    "invalid_api_key",
)
"""What agents quote of their vendors, the most telling first."""
_KNOWN = {"RateLimitError": "rate_limit_error"}


def refused(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """What a response with an error status says. It is never about the client's request: that is inside a call."""
    failure = kinds.refused(status, headers, body)
    return replace(failure, kind=FailureKind.SERVER_ERROR) if failure.kind is FailureKind.BAD_REQUEST else failure


def told(text: str) -> UpstreamFailure:
    """What a call that failed says."""
    if _NO_TOOL in text[:_LONGEST].lower():
        return UpstreamFailure(FailureKind.MODEL_NOT_FOUND, bounded(text))
    word = next((word for word in _WORDS if word in text), None)
    said = Said(text, code=_KNOWN.get(word, word) if word else None)
    return kinds.failure_of(said, status=None, headers={})


def of_protocol(error: Any) -> UpstreamFailure:
    """What an error of the protocol says, in the place of a result."""
    message = error.get("message") if isinstance(error, dict) else None
    return told(message if isinstance(message, str) and message else "an error without a message")


_LONGEST = 4096
"""Characters of a text that are looked through for a tool's absence."""
