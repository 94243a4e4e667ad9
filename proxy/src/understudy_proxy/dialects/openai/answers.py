"""Whole answers as providers of this dialect give them: an answer, or the failure that came in its place."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.failures.kinds import failure_of, is_success, no_answer, parsed, refused
from understudy_proxy.dialects.failures.shapes import said_in
from understudy_proxy.failure import UpstreamFailure


def classify(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure | None:
    """What a response that is not a stream says: None for an answer. Header names are lower case."""
    if not is_success(status):
        return refused(status, headers, body)
    return failure_in(parsed(body), body, status=status, headers=headers)


def failure_in(answer: Any, body: bytes, *, status: int, headers: Mapping[str, str]) -> UpstreamFailure | None:
    """What is wrong with the body of a success: an error object in it, or no answer in it."""
    if isinstance(answer, dict):
        error = said_in(answer)
        if error is not None:
            return failure_of(error, status=None, headers=headers)
        choices = answer.get("choices")
        if isinstance(choices, list) and choices:
            return None
    return no_answer(body, answer, status=status)
