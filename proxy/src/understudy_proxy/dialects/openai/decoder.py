"""A provider's stream, in canonical events.

The servers that speak this dialect differ most in streams: roles, ids and names that come again, calls without an
index or with the same one, usage on every chunk, no `[DONE]`. What matters is told from what comes, not from whose it
is.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from understudy_proxy.dialects.bodies import string
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
    TextDelta,
    ThinkingDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.failures.kinds import failure_of, invalid_response
from understudy_proxy.dialects.failures.shapes import said_by
from understudy_proxy.dialects.failures.shapes import said_in as error_in
from understudy_proxy.dialects.openai.answers import classify
from understudy_proxy.dialects.openai.decode import (
    MAX_CALLS,
    MAX_CHOICES,
    arguments_in,
    failure_of_finish,
    finish_of,
    logprobs_in,
    new_call_id,
    said_in,
    signature_in,
    thought_in,
)
from understudy_proxy.dialects.openai.eventdata import DONE, is_whole
from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.dialects.sse import EventSplitter, EventTooLarge, parse

_MAX_WAITING = 1024 * 1024
"""Characters of arguments that wait for the name of their function."""


class _Call:
    """A tool call as far as it has come."""

    __slots__ = ("began", "id", "index", "waiting")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id: str | None = None
        self.began = False
        self.waiting = ""
        """Arguments that came before the name."""


class _Choice:
    """One of the answers as far as it has come."""

    __slots__ = ("by_id", "by_index", "calls", "finished", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls: list[_Call] = []
        self.by_index: dict[int, _Call] = {}
        self.by_id: dict[str, _Call] = {}
        self.finished = False


class _Wrong(Exception):
    """The stream is none that can be read; the text says how."""


class ChunkDecoder:
    """Chunks to events.

    Args:
        names: of the functions, as they went out.
        call_id: makes ids for calls without one.
    """

    __slots__ = ("_began", "_call_id", "_choices", "_names", "_over", "_splitter")

    def __init__(self, names: Renaming, *, call_id: Callable[[], str] = new_call_id) -> None:
        self._names = names
        self._call_id = call_id
        self._splitter = EventSplitter()
        self._choices: dict[int, _Choice] = {}
        self._began = False
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if self._over:
            return []
        events: list[Event] = []
        try:
            for event in self._splitter.feed(chunk):
                self._read(event, events)
                if self._over:
                    break
        except EventTooLarge:
            self._fail("an event of the stream has no end", events)
        return events

    def close(self) -> list[Event]:
        """What can still be said; an answer whose every choice has finished is whole, even without `[DONE]`."""
        return [] if self._over else self._rest()

    def _rest(self) -> list[Event]:
        events: list[Event] = []
        tail = self._splitter.rest().strip()
        if is_whole(tail):
            self._read(tail, events)
        elif not self._choices and tail[:1] in {b"{", b"["}:
            failure = classify(200, {}, tail)
            self._end(Failed(failure or invalid_response("a whole answer came where a stream was asked for")), events)
        if not self._over and self._choices and all(choice.finished for choice in self._choices.values()):
            self._end(Ended(), events)
        return events

    def _read(self, event: bytes, events: list[Event]) -> None:
        name, data = parse(event)
        data = data.strip() if data else b""
        if not data:
            if event.startswith(b":"):
                events.append(KeptAlive())
        elif data == DONE:
            self._done(events)
        else:
            self._chunk(name, data, events)

    def _done(self, events: list[Event]) -> None:
        """The provider says that the answer is whole, be it that it gave no reason for its end."""
        if not self._choices:
            self._fail("the stream ended before an answer began", events)
            return
        for choice in self._choices.values():
            if not (choice.finished or self._over):
                self._finish(choice, {}, events)
        if not self._over:
            self._end(Ended(), events)

    def _chunk(self, name: bytes, data: bytes, events: list[Event]) -> None:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            chunk = None
        if not isinstance(chunk, dict):
            self._fail("an event of the stream is not a JSON object", events)
            return
        error = said_by(chunk, data) if name == b"error" else error_in(chunk)
        if error is not None:
            self._end(Failed(failure_of(error, status=None, headers={})), events)
            return
        choices = chunk.get("choices")
        self._begin(chunk, choices, events)
        try:
            for choice in choices if isinstance(choices, list) else ():
                if isinstance(choice, dict) and not self._over:
                    self._choice(choice, events)
        except _Wrong as wrong:
            self._fail(str(wrong), events)
        if not self._over and (usage := read_usage(chunk)) is not None:
            events.append(Counted(usage))

    def _begin(self, chunk: Mapping[str, Any], choices: Any, events: list[Event]) -> None:
        """Azure's first chunk, with what its filter says of the prompt, names no model and has no choice."""
        if not self._began and (choices or chunk.get("model")):
            self._began = True
            events.append(Began(string(chunk.get("id")), string(chunk.get("model")), string(chunk.get("service_tier"))))

    def _choice(self, stated: Mapping[str, Any], events: list[Event]) -> None:
        number = stated.get("index")
        number = number if type(number) is int else 0
        choice = self._choices.get(number)
        if choice is None:
            if not 0 <= number < MAX_CHOICES:
                raise _Wrong("the stream has more choices than can be")
            choice = self._choices[number] = _Choice(number)
        if choice.finished:
            return
        delta = stated.get("delta") or stated.get("message")
        if isinstance(delta, dict):
            self._delta(delta, stated, choice, events)
        if reason := stated.get("finish_reason"):
            if (failure := failure_of_finish(reason)) is not None:
                self._end(Failed(failure), events)
            else:
                self._finish(choice, stated, events)

    def _finish(self, choice: _Choice, stated: Mapping[str, Any], events: list[Event]) -> None:
        choice.finished = True
        finish = finish_of(stated.get("finish_reason"), calls=any(call.began for call in choice.calls))
        if finish is not Finish.LENGTH and not all(call.began for call in choice.calls):
            self._fail("a tool call of the stream has no name", events)
        else:
            events.append(Finished(finish, choice.number, string(stated.get("stop_reason"))))

    def _delta(self, delta: Mapping[str, Any], stated: Mapping[str, Any], choice: _Choice, events: list[Event]) -> None:
        number = choice.number
        if thought := thought_in(delta):
            events.append(ThinkingDelta(thought, number))
        content, logprobs = delta.get("content"), logprobs_in(stated)
        if type(content) is str:
            if content or logprobs is not None:
                events.append(TextDelta(content, number, logprobs))
        elif content is not None:
            for part in said_in(content):
                is_thought = isinstance(part, Thinking)
                events.append(ThinkingDelta(part.text, number) if is_thought else TextDelta(part.text, number))
        if refusal := string(delta.get("refusal")):
            events.append(RefusalDelta(refusal, number))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._call(call, choice, events)
        if isinstance(older := delta.get("function_call"), dict):
            self._call({"index": 0, "function": older}, choice, events)

    def _call(self, stated: Mapping[str, Any], choice: _Choice, events: list[Event]) -> None:
        function = stated.get("function")
        function = function if isinstance(function, dict) else {}
        call = _find(stated, choice)
        call.id = call.id or string(stated.get("id"))
        if call.id is not None:
            choice.by_id[call.id] = call
        arguments = arguments_in(function)
        if call.began:
            if arguments:
                events.append(ArgumentsDelta(call.index, arguments, choice.number))
            return
        call.waiting += arguments
        if len(call.waiting) > _MAX_WAITING:
            raise _Wrong("a tool call of the stream has no name")
        name = string(function.get("name"))
        if name is not None:
            call.began = True
            call.id = call.id or self._call_id()
            signature = signature_in(stated)
            events.append(ToolCallBegan(call.index, call.id, self._names.back(name), choice.number, signature))
            if call.waiting:
                events.append(ArgumentsDelta(call.index, call.waiting, choice.number))
                call.waiting = ""

    def _fail(self, message: str, events: list[Event]) -> None:
        self._end(Failed(invalid_response(message)), events)

    def _end(self, event: Event, events: list[Event]) -> None:
        self._over = True
        events.append(event)


def _find(stated: Mapping[str, Any], choice: _Choice) -> _Call:
    """The call that a delta is about, or a new one.

    By its id, where that is known; else by its index, or it is the last one. Another id with another name says that a
    server counts badly; another id alone, that it makes one for each piece.
    """
    call_id, index, function = string(stated.get("id")), stated.get("index"), stated.get("function")
    is_named = isinstance(function, dict) and bool(function.get("name"))
    if call_id is not None and (call := choice.by_id.get(call_id)) is not None:
        return call
    known = choice.by_index.get(index) if isinstance(index, int) else choice.calls[-1] if choice.calls else None
    if known is not None and (call_id is None or known.id is None or not is_named):
        return known
    if len(choice.calls) >= MAX_CALLS:
        raise _Wrong("the stream has more tool calls than can be")
    call = _Call(len(choice.calls))
    choice.calls.append(call)
    if isinstance(index, int):
        choice.by_index[index] = call
    return call
