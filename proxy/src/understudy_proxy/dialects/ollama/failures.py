"""What an Ollama server means by an error: a text, and nothing to tell its kind by but the status."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy_proxy.dialects.failures.kinds import failure_of, parsed
from understudy_proxy.dialects.failures.shapes import said_by, said_in
from understudy_proxy.failure import FailureKind, UpstreamFailure

_WORDS = (
    ("exceeds the context length", FailureKind.CONTEXT_LENGTH_EXCEEDED),
    ("exceeds maximum context length", FailureKind.CONTEXT_LENGTH_EXCEEDED),
    ("server busy", FailureKind.OVERLOADED),
)


def refused(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """What a response with an error status says."""
    return _exact(failure_of(said_by(parsed(body), body), status=status, headers=headers))


def failure_in(answer: Any) -> UpstreamFailure | None:
    """The error inside a success, or a line of one; None when there is none."""
    if not isinstance(answer, dict) or "error" not in answer or (said := said_in(answer)) is None:
        return None
    return _exact(failure_of(said, status=None, headers={}))


def _exact(failure: UpstreamFailure) -> UpstreamFailure:
    if failure.kind in {FailureKind.BAD_REQUEST, FailureKind.SERVER_ERROR}:
        for words, kind in _WORDS:
            if words in failure.message:
                return replace(failure, kind=kind)
    return failure
