"""A provider's event stream on its way to a client that speaks as Anthropic's do.

It has begun with content: not just the message, or a block that is empty. Until then every event is parsed; after that
an ordinary event passes as the bytes it came in, and is parsed only when it may count tokens, be the end or an error.
What those are is told by words in quotation marks: inside of a JSON string a quotation mark is escaped, so text that
speaks of `"error"` does not look like one.
"""

import re
from typing import Any

from understudy_proxy.dialects.anthropic import errors
from understudy_proxy.dialects.anthropic.decode import failure_in
from understudy_proxy.dialects.anthropic.usage import Counting
from understudy_proxy.dialects.failures.kinds import failure_of, invalid_response, parsed
from understudy_proxy.dialects.failures.shapes import said_by
from understudy_proxy.dialects.interpretation import Fed
from understudy_proxy.dialects.passed_flow import PassedFlow
from understudy_proxy.dialects.sse import EventSplitter, parse
from understudy_proxy.failure import UpstreamFailure

_NOTABLE = re.compile(rb'"(?:message_(?:start|delta|stop)|error)"|^event: *error', re.MULTILINE)
"""What an ordinary event has none of."""
_EMPTY_AT_FIRST = frozenset({"text", "thinking"})
"""Blocks whose beginning says nothing yet."""
_END = b"\n\n"


class MessagesStream(PassedFlow):
    """One stream."""

    __slots__ = ("_counting", "_events", "_seen")

    def __init__(self) -> None:
        self._events = EventSplitter()
        super().__init__(self._events)
        self._counting = Counting()
        self._seen = False

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._began and not self._events.pending and not self._is_over() and _is_plain(chunk):
            return Fed(chunk, True, None)
        return super().feed(chunk)

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that its answer is not complete."""
        return errors.in_stream(failure)

    def _framed(self, held: bytes) -> bytes:
        return held + _END

    def _is_whole(self, tail: bytes) -> bool:
        return isinstance(parsed(parse(tail).data or b""), dict)

    def _read(self, piece: bytes) -> None:
        if self._began and piece.startswith(b"event:") and _NOTABLE.search(piece) is None:
            self._hold(piece)
            return
        name, data = parse(piece)
        if not data:
            self._hold(piece)
            return
        event = parsed(data)
        if not isinstance(event, dict):
            self._fail("an event of the stream is not a JSON object")
            return
        self._seen = True
        kind = event.get("type")
        if kind == "error" or name == b"error":
            self._failure = failure_of(said_by(event, data), status=None, headers={})
            return
        self._note(kind, event)
        if self._failure is None:
            self._hold(piece if name else _with_name(kind, piece))

    def _note(self, kind: Any, event: dict[str, Any]) -> None:
        match kind:
            case "message_start":
                message = event.get("message")
                self._count(message.get("usage") if isinstance(message, dict) else None)
            case "message_delta":
                self._count(event.get("usage"))
                self._began = True
            case "message_stop":
                if self._began:
                    self.finished = True
                else:
                    self._fail("the stream ended before an answer began")
            case "content_block_delta":
                self._began = True
            case "content_block_start":
                block = event.get("content_block")
                opened = block.get("type") if isinstance(block, dict) else None
                if isinstance(opened, str) and opened not in _EMPTY_AT_FIRST:
                    self._began = True
            case _:
                pass

    def _count(self, stated: Any) -> None:
        self._counting.add(stated)
        self.usage = self._counting.usage

    def _cut(self, tail: bytes) -> UpstreamFailure:
        if not self._seen and tail[:1] == b"{":
            answer = parsed(tail)
            wrong = failure_in(answer, tail, status=200, headers={})
            return wrong or invalid_response("a whole answer came where a stream was asked for")
        return super()._cut(tail)


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
