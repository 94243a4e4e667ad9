r"""Server-sent events, cut out of a byte stream whole.

A line ends in `\n`, `\r\n` or `\r`, an event in an empty line; chunks fall anywhere, between `\r` and `\n` too.
Nothing here looks into an event beyond its fields.
"""

import re
from typing import NamedTuple

CONTENT_TYPE = "text/event-stream; charset=utf-8"
MAX_EVENT_BYTES = 8 * 1024 * 1024
"""What an event may grow to: room for an image in a delta, and a bound for a stream without line ends."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EVENT_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_BEFORE = 3
"""Bytes of the longest terminator that may have come before its last one."""
_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventTooLarge(Exception):
    """An event grew beyond the bound without an end."""


class Event(NamedTuple):
    """The fields that matter of an event."""

    name: bytes
    """Of the `event` field; empty when there is none."""
    data: bytes | None
    """The `data` lines, joined by line ends; None when there is none."""


class EventSplitter:
    """Cuts chunks, however they fall, into whole events."""

    __slots__ = ("_began", "_more", "pending")

    def __init__(self) -> None:
        self.pending = b""
        """The beginning of an event whose end has not come."""
        self._more = bytearray()
        """What has come of it since."""
        self._began = False

    def feed(self, chunk: bytes) -> list[bytes]:
        r"""The events that `chunk` completes, without their terminators; never an empty one.

        Raises:
            EventTooLarge: what is kept for the next chunk exceeds the bound.
        """
        if self.pending and self._began and not self._ends_in(chunk):
            # Put aside: to look through a long event anew with each of its pieces takes a time quadratic in it.
            self._more += chunk
            events = []
        else:
            events = self._split(chunk)
        if len(self.pending) + len(self._more) > MAX_EVENT_BYTES:
            raise EventTooLarge
        # Empty lines before an event mean nothing; one may be the rest of a CRLF whose CR ended the event before.
        return [event for raw in events if (event := raw.strip(b"\r\n"))]

    def rest(self) -> bytes:
        """All that has come of an event whose end has not."""
        return self.pending + self._more

    def _ends_in(self, chunk: bytes) -> bool:
        """Whether an event ends in `chunk`, be it that its terminator began before."""
        before = (self.pending[-_BEFORE:] + self._more[-_BEFORE:])[-_BEFORE:]
        return _EVENT_END.search(before + chunk) is not None

    def _split(self, chunk: bytes) -> list[bytes]:
        data = self.rest() + chunk if self.pending else chunk
        self._more.clear()
        if not self._began:
            data = self._skip_byte_order_mark(data)
        if b"\r" in data:
            return self._split_any(data)
        *events, self.pending = data.split(b"\n\n")
        return events

    def _skip_byte_order_mark(self, data: bytes) -> bytes:
        if _BYTE_ORDER_MARK.startswith(data):
            return data
        self._began = True
        return data.removeprefix(_BYTE_ORDER_MARK)

    def _split_any(self, data: bytes) -> list[bytes]:
        events: list[bytes] = []
        start = 0
        for end in _EVENT_END.finditer(data):
            events.append(data[start : end.start()])
            start = end.end()
        self.pending = data[start:]
        return events


def parse(event: bytes) -> Event:
    """The fields of an event; comments, `id` and `retry` are dropped."""
    if event.startswith(b"data: ") and b"\n" not in event and b"\r" not in event:
        return Event(b"", event[6:])
    name = b""
    data: list[bytes] = []
    for line in _LINE_END.split(event):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return Event(name, b"\n".join(data) if data else None)
