"""Answers as texts, whole and in chunks."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer, Choice
from understudy_proxy.dialects.canonical.content import Refusal, Text
from understudy_proxy.dialects.canonical.events import (
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    TextDelta,
)
from understudy_proxy.dialects.openai import errors
from understudy_proxy.dialects.openai.completion import new_id
from understudy_proxy.dialects.openai.completions.request import CompletionRequest
from understudy_proxy.dialects.openai.envelope import Envelope
from understudy_proxy.dialects.openai.usage import stated
from understudy_proxy.failure import UpstreamFailure

_KIND = "text_completion"
_PREFIX = "cmpl-"


def render(answer: Answer, asked: CompletionRequest, *, now: Callable[[], float] = time.time) -> bytes:
    """The body of an answer. Reasoning has no place in a text."""
    return orjson.dumps(
        {
            "id": answer.id or new_id(_PREFIX),
            "object": _KIND,
            "created": int(now()),
            "model": answer.model or asked.model,
            "choices": [_text(index, _words(choice), choice.finish) for index, choice in enumerate(answer.choices)],
            "usage": stated(answer.usage) if answer.usage is not None else None,
        }
    )


class TextEncoder:
    """Events to chunks of text.

    Args:
        model: what the client calls it, for a provider that does not say what answers.
        include_usage: the client asked for the usage chunk.
        now: seconds since the epoch.
    """

    __slots__ = ("_envelope",)

    def __init__(self, *, model: str, include_usage: bool, now: Callable[[], float] = time.time) -> None:
        self._envelope = Envelope(_KIND, prefix=_PREFIX, model=model, include_usage=include_usage, now=now)

    @classmethod
    def of(cls, asked: CompletionRequest) -> "TextEncoder":
        """The encoder of the stream that answers `asked`."""
        return cls(model=asked.model, include_usage=asked.include_usage)

    def encode(self, events: Sequence[Event]) -> bytes:
        """The chunks for these events."""
        return b"".join([self._event(event) for event in events])

    def failed(self, failure: UpstreamFailure) -> bytes:
        """The event that says the answer is not complete."""
        return errors.in_stream(failure)

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta() | RefusalDelta():
                return self._envelope.marked(self._envelope.chunk(_text(event.choice, event.text, None)))
            case Finished():
                return self._envelope.marked(self._envelope.chunk(_text(event.choice, "", event.finish)))
            case Began() | Counted() | KeptAlive() | Resumed() | Ended() | Failed():
                return self._envelope.aside(event)
            case _:
                return b""


def _words(choice: Choice) -> str:
    return "".join(part.text for part in choice.parts if isinstance(part, (Text, Refusal)))


def _text(index: int, words: str, finish: str | None) -> dict[str, Any]:
    return {"text": words, "index": index, "logprobs": None, "finish_reason": finish}
