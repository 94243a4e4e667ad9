"""How responses follow one another: as server-sent events, or as one JSON array that comes in pieces.

Events have a space after the colon, and nothing but events goes out: Google's SDK takes a comment for an answer.
"""

from typing import Protocol

ARRAY_TYPE = "application/json; charset=UTF-8"


class Framing(Protocol):
    """How a stream is written."""

    def next(self, response: bytes) -> bytes:
        """A response, as what follows those before."""

    def end(self) -> bytes:
        """The end of the stream."""


class Events:
    """Server-sent events, for `alt=sse`."""

    __slots__ = ()

    def next(self, response: bytes) -> bytes:
        """One event."""
        return b"data: " + response + b"\r\n\r\n"

    def end(self) -> bytes:
        """Events end with the connection."""
        return b""


class Array:
    """A JSON array."""

    __slots__ = ("_opened",)

    def __init__(self) -> None:
        self._opened = False

    def next(self, response: bytes) -> bytes:
        """One element."""
        before = b",\r\n" if self._opened else b"["
        self._opened = True
        return before + response

    def end(self) -> bytes:
        """The closing bracket."""
        return b"]" if self._opened else b"[]"


def framing_of(*, array: bool) -> Framing:
    """The framing a client asked for."""
    return Array() if array else Events()
