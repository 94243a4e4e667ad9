"""A provider's event stream on its way to a client of the same dialect: whole events, and never a cut taken for an end.

Until the answer has begun (content: not just the message, or a block that is empty), every event is parsed and held
back, so that a failure can still be another backend's turn. After that an ordinary event passes as the bytes it came
in; it is parsed only when it may count tokens, be the end or an error. What those are is told by words in quotation
marks: inside of a JSON string a quotation mark is escaped, so text that speaks of `"error"` does not look like one.
"""

import re
from typing import Any

from understudy_proxy.dialects.anthropic import errors
from understudy_proxy.dialects.anthropic.decode import failure_in
from understudy_proxy.dialects.anthropic.usage import Counting
from understudy_proxy.dialects.failures.kinds import failure_of, interrupted, invalid_response, parsed
from understudy_proxy.dialects.failures.shapes import said_by
from understudy_proxy.dialects.interpretation import Fed
from understudy_proxy.dialects.sse import EventSplitter, EventTooLarge, parse
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure

MAX_HELD_BYTES = 1024 * 1024
"""What is held back while nothing has begun."""
_NOTABLE = re.compile(rb'"(?:message_(?:start|delta|stop)|error)"|^event: *error', re.MULTILINE)
"""What an ordinary event has none of."""
_EMPTY_AT_FIRST = frozenset({"text", "thinking"})
"""Blocks whose beginning says nothing yet."""
_END = b"\n\n"


class MessagesStream:
    """One stream."""

    __slots__ = ("_began", "_counting", "_failure", "_held", "_held_bytes", "_seen", "_splitter", "finished")

    def __init__(self) -> None:
        self.finished = False
        """The terminal event was seen; nothing after it matters."""
        self._splitter = EventSplitter()
        self._counting = Counting()
        self._began = False
        self._seen = False
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._failure: UpstreamFailure | None = None

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far."""
        return self._counting.usage

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        if self._began and not self._splitter.pending and _is_plain(chunk):
            return Fed(chunk, True, None)
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge:
            events = []
            self._failure = invalid_response("an event of the stream has no end")
        return self._take(events)

    def close(self) -> Fed:
        """The stream has ended by itself, or broke: what is left to send, or the failure that it was cut."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        tail = self._splitter.rest().strip()
        whole = isinstance(parsed(parse(tail).data or b""), dict)
        fed = self._take([tail]) if whole else Fed(b"", self._began, None)
        if not self._is_over():
            self._failure = self._cut(tail)
            fed = fed._replace(failure=self._failure)
        return fed

    @staticmethod
    def failed(failure: UpstreamFailure) -> bytes:
        """What tells the client that its answer is not complete."""
        return errors.in_stream(failure)

    def _is_over(self) -> bool:
        return self.finished or self._failure is not None

    def _take(self, events: list[bytes]) -> Fed:
        for event in events:
            if self._is_over():
                break
            if self._began and event.startswith(b"event:") and _NOTABLE.search(event) is None:
                self._held.append(event)
            else:
                self._read(event)
                self._held_bytes += len(event)
        if self._began and self._held:
            self._held.append(b"")
            out = _END.join(self._held)
            self._held = []
            return Fed(out, True, self._failure)
        if not self._began and not self._is_over() and self._held_bytes > MAX_HELD_BYTES:
            self._failure = invalid_response("the stream goes on and on without an answer")
        return Fed(b"", self._began, self._failure)

    def _read(self, raw: bytes) -> None:
        name, data = parse(raw)
        if not data:
            self._held.append(raw)
            return
        event = parsed(data)
        if not isinstance(event, dict):
            self._failure = invalid_response("an event of the stream is not a JSON object")
            return
        self._seen = True
        kind = event.get("type")
        if kind == "error" or name == b"error":
            self._failure = failure_of(said_by(event, data), status=None, headers={})
            return
        self._note(kind, event)
        if self._failure is None:
            self._held.append(raw if name else _with_name(kind, raw))

    def _note(self, kind: Any, event: dict[str, Any]) -> None:
        match kind:
            case "message_start":
                message = event.get("message")
                self._counting.add(message.get("usage") if isinstance(message, dict) else None)
            case "message_delta":
                self._counting.add(event.get("usage"))
                self._began = True
            case "message_stop":
                if self._began:
                    self.finished = True
                else:
                    self._failure = invalid_response("the stream ended before an answer began")
            case "content_block_delta":
                self._began = True
            case "content_block_start":
                block = event.get("content_block")
                opened = block.get("type") if isinstance(block, dict) else None
                if isinstance(opened, str) and opened not in _EMPTY_AT_FIRST:
                    self._began = True
            case _:
                pass

    def _cut(self, tail: bytes) -> UpstreamFailure:
        if not self._seen and tail[:1] == b"{":
            answer = parsed(tail)
            wrong = failure_in(answer, tail, status=200, headers={})
            return wrong or invalid_response("a whole answer came where a stream was asked for")
        return interrupted()


def _is_plain(events: bytes) -> bool:
    """Whether this is nothing but whole events, none of which must be read."""
    return (
        events.endswith(_END)
        and events.startswith(b"event:")
        and b"\r" not in events
        and events.count(b"\ndata:") == events.count(_END)
        and _NOTABLE.search(events) is None
    )


def _with_name(kind: Any, raw: bytes) -> bytes:
    """Clients see no event without a name; some servers leave it to the data."""
    return b"event: " + kind.encode() + b"\n" + raw if isinstance(kind, str) and kind.isidentifier() else raw
