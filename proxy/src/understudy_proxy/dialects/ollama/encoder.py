"""Canonical events as a stream for Ollama's clients: a JSON object a line.

Tool calls go out whole; the last line says why the answer ends, what it took, and how long.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import ToolCall
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    TextDelta,
    ThinkingDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.ollama import errors
from understudy_proxy.dialects.ollama.answer import ending, tool_call, unreadable
from understudy_proxy.dialects.ollama.request import OllamaRequest
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

STREAM_TYPE = "application/x-ndjson"
_CONTINUED = "understudy"


class StreamEncoder:
    """Writes one stream, of the first choice: there is only one."""

    __slots__ = ("_arguments", "_asked", "_calls", "_finish", "_first", "_head", "_resumed", "_said", "_sent", "_usage")

    def __init__(self, asked: OllamaRequest) -> None:
        self._asked = asked
        self._head = b'{"model":' + orjson.dumps(asked.model) + b',"created_at":"'
        self._calls: dict[int, ToolCallBegan] = {}
        self._arguments: dict[int, list[str]] = {}
        self._sent = 0
        self._said = False
        self._finish = Finish.STOP
        self._first: int | None = None
        self._usage: Usage | None = None
        self._resumed: str | None = None

    def encode(self, events: Sequence[Event]) -> bytes:
        """What to send for these."""
        return b"".join([self._encode(event) for event in events])

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete."""
        return errors.in_stream(failure)

    def _encode(self, event: Event) -> bytes:
        match event:
            case RefusalDelta(choice=0):
                # There is no place for it beside an answer that had begun.
                return b"" if self._said else self._flushed() + self._words(event.text)
            case TextDelta(choice=0, logprobs=None):
                self._said = True
                return self._flushed() + self._words(event.text)
            case TextDelta(choice=0):
                self._said = True
                return self._flushed() + self._line({"content": event.text}, logprobs=event.logprobs)
            case ThinkingDelta(choice=0):
                return (
                    self._flushed() + self._line({"content": "", "thinking": event.text})
                    if self._asked.thoughts
                    else b""
                )
            case ToolCallBegan(choice=0):
                self._calls[event.index], self._arguments[event.index] = event, []
            case ArgumentsDelta(choice=0):
                if event.index in self._arguments:
                    self._arguments[event.index].append(event.text)
            case _:
                return self._about(event)
        return b""

    def _about(self, event: Event) -> bytes:
        """What is said of the whole answer. A provider's signs of life are not passed on."""
        match event:
            case KeptAlive(ours=True):
                return self._words("")
            case Finished(choice=0):
                self._finish = event.finish
                return self._flushed()
            case Counted():
                self._usage = event.usage
            case Resumed():
                self._resumed = event.by
            case Ended():
                return self._last()
        return b""

    def _words(self, text: str) -> bytes:
        if self._resumed is not None:
            return self._line({"content": text})
        self._begin()
        stamp, words = self._asked.clock.stamp().encode(), orjson.dumps(text)
        if self._asked.generate:
            return self._head + stamp + b'","response":' + words + b',"done":false}\n'
        return self._head + stamp + b'","message":{"role":"assistant","content":' + words + b'},"done":false}\n'

    def _line(self, said: dict[str, Any], *, logprobs: Any = None) -> bytes:
        """A line with more than words; `said` is of a message."""
        self._begin()
        line = self._object(said)
        if logprobs:
            line["logprobs"] = logprobs.get("content")
        if self._resumed is not None:
            line[_CONTINUED], self._resumed = {"resumed_by": self._resumed}, None
        return orjson.dumps(line | {"done": False}) + b"\n"

    def _object(self, said: dict[str, Any]) -> dict[str, Any]:
        line: dict[str, Any] = {"model": self._asked.model, "created_at": self._asked.clock.stamp()}
        if not self._asked.generate:
            return line | {"message": {"role": "assistant", **said}}
        thinking = {"thinking": said["thinking"]} if "thinking" in said else {}
        return line | {"response": said["content"]} | thinking

    def _begin(self) -> None:
        if self._first is None:
            self._first = self._asked.clock.elapsed()

    def _flushed(self) -> bytes:
        """The calls that are whole, now that something else follows."""
        if not self._calls:
            return b""
        out = b""
        for index, began in self._calls.items():
            call = ToolCall(began.id, began.name, "".join(self._arguments[index]))
            written = tool_call(call, self._sent)
            if written is None:
                out += self._words(unreadable(call))
            else:
                self._sent += 1
                out += self._line({"content": "", "tool_calls": [written]})
        self._calls, self._arguments = {}, {}
        return out

    def _last(self) -> bytes:
        self._begin()
        first = self._asked.began if self._first is None else self._first
        end = ending(self._finish, self._usage, self._asked, first=first)
        return orjson.dumps(self._object({"content": ""}) | end) + b"\n"
