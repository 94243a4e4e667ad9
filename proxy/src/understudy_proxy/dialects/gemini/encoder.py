"""Canonical events as a stream for Google's clients.

Function calls go out whole, with all of their arguments, since these clients put nothing together; the end of each
candidate goes out with the usage, when all of it is known.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import orjson

from understudy_proxy.dialects.canonical.content import Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.gemini import errors
from understudy_proxy.dialects.gemini.answer import call_part, thinking_part
from understudy_proxy.dialects.gemini.finish import MALFORMED, reason_of
from understudy_proxy.dialects.gemini.framing import framing_of
from understudy_proxy.dialects.gemini.logprobs import written as written_logprobs
from understudy_proxy.dialects.gemini.request import GenerateRequest
from understudy_proxy.dialects.gemini.usage import written as written_usage
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

_TEXT = b'{"candidates":[{"content":{"parts":[{"text":'
_THOUGHT = b',"thought":true'


class _Call:
    """A function call whose arguments are on their way."""

    __slots__ = ("arguments", "began")

    def __init__(self, began: ToolCallBegan) -> None:
        self.began = began
        self.arguments: list[str] = []

    def whole(self) -> ToolCall:
        """The call, with all that has come."""
        return ToolCall(self.began.id, self.began.name, "".join(self.arguments), self.began.signature)


class StreamEncoder:
    """Writes one stream."""

    __slots__ = (
        "_calls",
        "_framing",
        "_malformed",
        "_model",
        "_named",
        "_reasons",
        "_refusals",
        "_said",
        "_tails",
        "_thoughts",
        "_usage",
    )

    def __init__(self, asked: GenerateRequest) -> None:
        self._framing = framing_of(array=asked.array)
        self._model = asked.model
        self._thoughts = asked.thoughts
        self._named: dict[str, str] = {"modelVersion": asked.model}
        self._tails: dict[int, bytes] = {}
        self._calls: dict[int, dict[int, _Call]] = {}
        self._malformed: set[int] = set()
        self._reasons: dict[int, str] = {}
        self._said: set[int] = set()
        """Choices with words of an answer."""
        self._refusals: dict[int, list[str]] = {}
        """What was said about an answer that had begun."""
        self._usage: Usage | None = None

    def encode(self, events: Sequence[Event]) -> bytes:
        """What to send for these."""
        return b"".join([self._encode(event) for event in events])

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete."""
        return self._framing.next(errors.in_stream(failure))

    def _encode(self, event: Event) -> bytes:
        match event:
            case TextDelta(logprobs=None):
                self._said.add(event.choice)
                return self._flushed(event.choice) + self._words(event.text, b"", event.choice)
            case TextDelta():
                self._said.add(event.choice)
                logprobs = written_logprobs(event.logprobs)
                return self._flushed(event.choice) + self._part({"text": event.text}, event.choice, logprobs)
            case RefusalDelta() if event.choice in self._said:
                self._refusals.setdefault(event.choice, []).append(event.text)
            case RefusalDelta():
                return self._flushed(event.choice) + self._words(event.text, b"", event.choice)
            case ThinkingDelta() | ThinkingSigned() | ThinkingRedacted():
                return self._flushed(event.choice) + self._thought(event) if self._thoughts else b""
            case ToolCallBegan():
                self._calls.setdefault(event.choice, {})[event.index] = _Call(event)
            case ArgumentsDelta():
                if (call := self._calls.get(event.choice, {}).get(event.index)) is not None:
                    call.arguments.append(event.text)
            case _:
                return self._about(event)
        return b""

    def _about(self, event: Event) -> bytes:
        """What is said of a whole choice or answer. A provider's signs of life are not passed on."""
        match event:
            case KeptAlive(ours=True):
                return self._words("", b"", 0)
            case Finished():
                out = self._flushed(event.choice)
                malformed = event.choice in self._malformed
                self._reasons[event.choice] = MALFORMED if malformed else reason_of(event.finish)
                return out
            case Began():
                self._named = {"modelVersion": event.model or self._model}
                if event.id is not None:
                    self._named["responseId"] = event.id
            case Counted():
                self._usage = event.usage
            case Ended():
                return self._last() + self._framing.end()
        return b""

    def _words(self, text: str, more: bytes, choice: int) -> bytes:
        tail = self._tails.get(choice)
        if tail is None:
            named = orjson.dumps(self._named)[1:]
            tail = self._tails[choice] = b'}],"role":"model"},"index":%d}],%b' % (choice, named)
        return self._framing.next(_TEXT + orjson.dumps(text) + more + tail)

    def _thought(self, event: ThinkingDelta | ThinkingSigned | ThinkingRedacted) -> bytes:
        match event:
            case ThinkingDelta():
                return self._words(event.text, _THOUGHT, event.choice)
            case ThinkingSigned():
                thinking = Thinking(signature=event.signature)
            case ThinkingRedacted():
                thinking = Thinking(redacted=event.data)
            case _:
                assert_never(event)
        return self._part(thinking_part(thinking), event.choice)

    def _part(self, part: dict[str, Any], choice: int, logprobs: dict[str, Any] | None = None) -> bytes:
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": choice}
        if logprobs is not None:
            candidate["logprobsResult"] = logprobs
        return self._framing.next(orjson.dumps({"candidates": [candidate], **self._named}))

    def _flushed(self, choice: int) -> bytes:
        """The calls of a choice that are whole, now that something else follows."""
        calls = self._calls.pop(choice, None)
        if calls is None:
            return b""
        out = b""
        for call in calls.values():
            part = call_part(call.whole())
            if part is None:
                self._malformed.add(choice)
            else:
                out += self._part(part, choice)
        return out

    def _last(self) -> bytes:
        candidates = [self._ending(choice, reason) for choice, reason in sorted(self._reasons.items())]
        response: dict[str, Any] = {"candidates": candidates}
        if self._usage is not None:
            response["usageMetadata"] = written_usage(self._usage)
        return self._framing.next(orjson.dumps(response | self._named))

    def _ending(self, choice: int, reason: str) -> dict[str, Any]:
        content = {"parts": [{"text": ""}], "role": "model"}
        ending: dict[str, Any] = {"content": content, "finishReason": reason, "index": choice}
        if refusal := self._refusals.get(choice):
            ending["finishMessage"] = "".join(refusal)
        return ending
