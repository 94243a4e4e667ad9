"""A provider's stream in this dialect to events.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Any

import orjson

from understudy_proxy.dialects.anthropic.decode import failure_in, refusal_of
from understudy_proxy.dialects.anthropic.encode import Encoded
from understudy_proxy.dialects.anthropic.names import finish_of, tier_of
from understudy_proxy.dialects.anthropic.usage import Counting
from understudy_proxy.dialects.bodies import json_text, string
from understudy_proxy.dialects.canonical.content import Issuer, Signature
from understudy_proxy.dialects.canonical.events import (
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
    ThinkingRedacted,
    ThinkingSigned,
)
from understudy_proxy.dialects.claude.calls import OpenCalls, TooManyCalls
from understudy_proxy.dialects.failures.kinds import failure_of, invalid_response, parsed
from understudy_proxy.dialects.failures.shapes import said_by
from understudy_proxy.dialects.sse import EventSplitter, EventTooLarge, parse
from understudy_proxy.failure import UpstreamFailure

_CONTENT = ("content_block_start", "content_block_delta")


class MessagesDecoder:
    """One stream."""

    __slots__ = ("_calls", "_counting", "_finished", "_over", "_seen", "_splitter", "_whole")

    def __init__(self, encoded: Encoded) -> None:
        self._splitter = EventSplitter()
        self._counting = Counting()
        self._whole: dict[Any, str] = {}
        """Arguments that came with the beginning of a block; deltas take their place."""
        self._calls = OpenCalls(encoded)
        self._seen = 0
        self._finished = False
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        events: list[Event] = []
        if self._over:
            return events
        try:
            raw = self._splitter.feed(chunk)
        except EventTooLarge:
            self._fail("an event of the stream has no end", events)
            return events
        for event in raw:
            self._read(event, events)
            if self._over:
                break
        return events

    def close(self) -> list[Event]:
        """What an event without its last line end says; a whole answer in the place of a stream is none."""
        events: list[Event] = []
        tail = self._splitter.rest().strip()
        if self._over or not tail:
            return events
        if tail[:1] == b"{" and not self._seen:
            answer = parsed(tail)
            failure = failure_in(answer, tail, status=200, headers={})
            self._end(failure or invalid_response("a whole answer came where a stream was asked for"), events)
        elif isinstance(parsed(parse(tail).data or b""), dict):
            self._read(tail, events)
        return events

    def _read(self, raw: bytes, events: list[Event]) -> None:
        name, data = parse(raw)
        if not data:
            events.append(KeptAlive())
            return
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict):
            self._fail("an event of the stream is not a JSON object", events)
            return
        self._seen += 1
        kind = event.get("type")
        if self._finished and kind in _CONTENT:
            self._fail("the answer went on after its end", events)
        elif kind == "content_block_delta":
            self._delta(event, events)
        elif kind == "error" or name == b"error":
            self._end(failure_of(said_by(event, data), status=None, headers={}), events)
        elif isinstance(kind, str):
            self._read_rare(kind, event, events)

    def _read_rare(self, kind: str, event: dict[str, Any], events: list[Event]) -> None:
        match kind:
            case "content_block_start":
                self._start(event.get("index"), event.get("content_block"), events)
            case "content_block_stop":
                self._stop(event.get("index"), events)
            case "message_start":
                self._begin(event.get("message"), events)
            case "message_delta":
                self._finish(event, events)
            case "message_stop":
                if not self._finished:
                    events.append(Finished(finish_of(None, calls=self._calls.count > 0)))
                events.append(Ended())
                self._over = True
            case "ping":
                events.append(KeptAlive())
            case _:
                # New kinds of events may come, and are to be ignored.
                pass

    def _begin(self, message: Any, events: list[Event]) -> None:
        if not isinstance(message, dict):
            return
        usage = message.get("usage")
        events.append(Began(string(message.get("id")), string(message.get("model")), tier_of(usage)))
        self._count(usage, events)

    def _count(self, stated: Any, events: list[Event]) -> None:
        if self._counting.add(stated) and (usage := self._counting.usage) is not None:
            events.append(Counted(usage))

    def _start(self, index: Any, block: Any, events: list[Event]) -> None:
        if not isinstance(block, dict) or not isinstance(index, int):
            return
        match block.get("type"):
            case "tool_use":
                self._start_call(index, block, events)
            case "redacted_thinking":
                events.append(ThinkingRedacted(string(block.get("data")) or ""))
            case "text":
                if text := string(block.get("text")):
                    events.append(TextDelta(text))
            case "thinking":
                if text := string(block.get("thinking")):
                    events.append(ThinkingDelta(text))
                if signature := string(block.get("signature")):
                    events.append(ThinkingSigned(Signature(signature, Issuer.ANTHROPIC)))
            case _:
                pass

    def _start_call(self, index: int, block: dict[str, Any], events: list[Event]) -> None:
        if given := block.get("input"):
            self._whole[index] = json_text(given)
        try:
            self._calls.open(index, block.get("id"), block.get("name"), events)
        except TooManyCalls as error:
            self._fail(str(error), events)

    def _stop(self, index: Any, events: list[Event]) -> None:
        if isinstance(index, int):
            self._calls.argue(index, self._whole.pop(index, None), events)
            self._calls.close(index)

    def _delta(self, event: dict[str, Any], events: list[Event]) -> None:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return
        match delta.get("type"):
            case "text_delta":
                if text := string(delta.get("text")):
                    events.append(TextDelta(text))
            case "input_json_delta":
                index = event.get("index")
                if self._calls.argue(index, string(delta.get("partial_json")), events):
                    self._whole.pop(index, None)
            case "thinking_delta":
                if text := string(delta.get("thinking")):
                    events.append(ThinkingDelta(text))
            case "signature_delta":
                if text := string(delta.get("signature")):
                    events.append(ThinkingSigned(Signature(text, Issuer.ANTHROPIC)))
            case _:
                pass

    def _finish(self, event: dict[str, Any], events: list[Event]) -> None:
        delta = event.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if isinstance(delta, dict) and reason is not None and not self._finished:
            self._finished = True
            if explanation := refusal_of(delta):
                events.append(RefusalDelta(explanation))
            finish = finish_of(reason, calls=self._calls.count > 0)
            events.append(Finished(finish, stop_sequence=string(delta.get("stop_sequence"))))
        self._count(event.get("usage"), events)

    def _fail(self, message: str, events: list[Event]) -> None:
        self._end(invalid_response(message), events)

    def _end(self, failure: UpstreamFailure, events: list[Event]) -> None:
        self._over = True
        events.append(Failed(failure))
