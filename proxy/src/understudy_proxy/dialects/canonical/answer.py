"""An answer, whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from understudy_proxy.dialects.canonical.content import AssistantPart, Text
from understudy_proxy.dialects.usage import Usage


class Finish(StrEnum):
    """Why an answer ends, in OpenAI's words."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    """The provider's filter, or the model itself, declined."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers."""

    parts: tuple[AssistantPart, ...]
    """In the order in which they were said."""
    finish: Finish
    stop_sequence: str | None = None
    """Which of the request's stop sequences ended it, where the provider says so."""
    logprobs: Mapping[str, Any] | None = None
    """As OpenAI states them: `{"content": [{"token", "logprob", "bytes", "top_logprobs"}]}`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered."""

    choices: tuple[Choice, ...]
    usage: Usage | None
    id: str | None = None
    """The provider's, where it gives one."""
    model: str | None = None
    """As the provider names what answered."""
    service_tier: str | None = None


def joined(parts: Iterable[AssistantPart]) -> tuple[AssistantPart, ...]:
    """The same with neighboring texts as one: a stream does not tell them apart, and neither do most clients."""
    together: list[AssistantPart] = []
    for part in parts:
        if isinstance(part, Text) and together and isinstance(last := together[-1], Text):
            together[-1] = Text(last.text + part.text)
        else:
            together.append(part)
    return tuple(together)
