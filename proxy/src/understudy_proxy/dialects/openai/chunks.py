"""A stream as OpenAI's clients get it.

What their SDKs fail on never happens: the role and each call's id and name come once, calls are counted from 0 without
a gap, usage comes in a chunk whose `choices` are empty and only if it was asked for, and no event has an `id` field.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import Thinking
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    Said,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.openai import errors
from understudy_proxy.dialects.openai.completion import extra_content, thinking_block, uses_functions
from understudy_proxy.dialects.openai.envelope import Envelope
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.failure import UpstreamFailure


class _Choice:
    """One of the answers, as far as it was sent."""

    __slots__ = ("blocks", "calls", "content", "silent", "thought")

    def __init__(self, content: bytes) -> None:
        self.content = content
        """What a chunk with words in it begins with."""
        self.calls: dict[int, int] = {}
        """The client's index of each call."""
        self.silent: dict[int, None] = {}
        """Calls whose arguments have not come; they end up as `{}`."""
        self.thought: list[str] = []
        """Reasoning that no signature has come for."""
        self.blocks = 0


class ChunkEncoder:
    """Events to chunks.

    Args:
        model: what the client calls it, for a provider that does not say what answers.
        include_usage: the client asked for the usage chunk.
        older: the client speaks of functions, not tools.
        now: seconds since the epoch.
    """

    __slots__ = ("_after_words", "_choices", "_envelope", "_older")

    def __init__(
        self, *, model: str, include_usage: bool, older: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._envelope = Envelope(
            "chat.completion.chunk", prefix="chatcmpl-", model=model, include_usage=include_usage, now=now
        )
        self._after_words = b'},"logprobs":null,"finish_reason":null}]' + self._envelope.tail
        self._older = older
        self._choices: dict[int, _Choice] = {}

    @classmethod
    def of(cls, asked: ChatRequest) -> "ChunkEncoder":
        """The encoder of the stream that answers `asked`."""
        return cls(model=asked.model, include_usage=asked.include_usage, older=uses_functions(asked))

    def encode(self, events: Sequence[Event]) -> bytes:
        """The chunks for these events."""
        return b"".join([self._event(event) for event in events])

    def failed(self, failure: UpstreamFailure) -> bytes:
        """The event that says the answer is not complete."""
        return errors.in_stream(failure)

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta():  # nearly all are
                return self._envelope.marked(self._said(event))
            case Began() | Counted() | KeptAlive() | Resumed() | Ended() | Failed():
                return self._envelope.aside(event)
            case _:
                return self._envelope.marked(self._said(event))

    def _said(self, event: Said) -> bytes:
        choice = self._choices.get(event.choice)
        if choice is None:
            opening, choice = self._begin(event)
            return opening + self._delta(event, choice)
        return self._delta(event, choice)

    def _begin(self, event: Said) -> tuple[bytes, _Choice]:
        """The chunk with the role, for a choice that begins with `event`."""
        start = self._envelope.head + b'"choices":[{"index":%d,"delta":{' % event.choice
        choice = self._choices[event.choice] = _Choice(start + b'"content":')
        content = None if isinstance(event, (ToolCallBegan, RefusalDelta)) else ""
        return self._chunk(event.choice, {"role": "assistant", "content": content, "refusal": None}), choice

    def _delta(self, event: Said, choice: _Choice) -> bytes:
        match event:
            case TextDelta():
                if event.logprobs is not None:
                    return self._chunk(event.choice, {"content": event.text}, logprobs=dict(event.logprobs))
                words = orjson.dumps(event.text)
                return b"".join(
                    (choice.content, words, b'},"logprobs":null,"finish_reason":null}]', self._envelope.tail)
                )
            case ArgumentsDelta():
                return self._arguments(event, choice)
            case ToolCallBegan():
                return self._call(event, choice)
            case RefusalDelta():
                return self._chunk(event.choice, {"refusal": event.text})
            case Finished():
                return self._finish(event, choice)
            case _:
                return self._reasoning(event, choice)

    def _reasoning(self, event: ThinkingDelta | ThinkingSigned | ThinkingRedacted, choice: _Choice) -> bytes:
        match event:
            case ThinkingDelta():
                choice.thought.append(event.text)
                return self._chunk(event.choice, {"reasoning_content": event.text})
            case ThinkingSigned():
                words, choice.thought = "".join(choice.thought), []
                return self._block(event.choice, choice, Thinking(words, event.signature))
            case ThinkingRedacted():
                return self._block(event.choice, choice, Thinking(redacted=event.data))

    def _block(self, index: int, choice: _Choice, thought: Thinking) -> bytes:
        """A whole block of reasoning; the index is what SDKs put the entries of lists together by."""
        block = {"index": choice.blocks} | thinking_block(thought)
        choice.blocks += 1
        return self._chunk(index, {"thinking_blocks": [block]})

    def _call(self, event: ToolCallBegan, choice: _Choice) -> bytes:
        index = choice.calls.setdefault(event.index, len(choice.calls))
        choice.silent[event.index] = None
        if self._older:
            # Functions were called one at a time.
            function = {"name": event.name, "arguments": ""}
            return self._chunk(event.choice, {"function_call": function}) if index == 0 else b""
        call = {"index": index, "id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
        return self._chunk(event.choice, {"tool_calls": [call | extra_content(event.signature)]})

    def _arguments(self, event: ArgumentsDelta, choice: _Choice) -> bytes:
        if not event.text or event.index not in choice.calls:
            return b""
        choice.silent.pop(event.index, None)
        return self._more(event.choice, choice.calls[event.index], event.text)

    def _more(self, choice: int, index: int, text: str) -> bytes:
        if self._older:
            return self._chunk(choice, {"function_call": {"arguments": text}}) if index == 0 else b""
        return self._chunk(choice, {"tool_calls": [{"index": index, "function": {"arguments": text}}]})

    def _finish(self, event: Finished, choice: _Choice) -> bytes:
        rest = b"".join([self._more(event.choice, choice.calls[call], "{}") for call in choice.silent])
        choice.silent = {}
        finish = event.finish.value
        if self._older and event.finish is Finish.TOOL_CALLS:
            finish = "function_call"
        return rest + self._chunk(event.choice, {}, finish=finish)

    def _chunk(
        self, index: int, delta: dict[str, Any], *, logprobs: dict[str, Any] | None = None, finish: str | None = None
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return self._envelope.chunk(choice)
