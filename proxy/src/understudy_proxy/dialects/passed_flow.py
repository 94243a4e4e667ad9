"""A provider's stream on its way to a client of the same dialect: whole pieces, and never a cut taken for an end.

A piece is an event, or a line. Until the answer has begun they are held back, so that a failure can still be another
backend's turn; they go on as the bytes they came in. What a piece says is for each dialect to tell. OpenAI's chunks
have a reader of their own, `openai/stream.py`, which passes most of them unread.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from understudy_proxy.dialects.failures.kinds import interrupted, invalid_response
from understudy_proxy.dialects.interpretation import Fed
from understudy_proxy.dialects.sse import EventTooLarge
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

MAX_HELD_BYTES = 1024 * 1024
"""What is held back while nothing has begun."""


class Splitter(Protocol):
    """Cuts chunks, however they fall, into whole pieces."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The pieces that `chunk` completes; never an empty one."""

    def rest(self) -> bytes:
        """All that has come of a piece whose end has not."""


class PassedFlow(ABC):
    """One stream.

    Args:
        splitter: of its pieces.
    """

    __slots__ = ("_began", "_failure", "_held", "_held_bytes", "_splitter", "finished", "usage")

    _piece: ClassVar[str] = "an event"
    """What a piece is called."""
    _too_large: ClassVar[type[Exception]] = EventTooLarge
    """What the splitter raises for a piece that has no end."""

    def __init__(self, splitter: Splitter) -> None:
        self.finished = False
        """All of the answer was there; nothing after it matters."""
        self.usage: Usage | None = None
        """What the provider has counted so far."""
        self._splitter = splitter
        self._held: list[bytes] = []
        self._held_bytes = 0
        """Of all that was held so far; a bound while nothing has begun."""
        self._began = False
        self._failure: UpstreamFailure | None = None

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        try:
            pieces = self._splitter.feed(chunk)
        except self._too_large:
            pieces = []
            self._fail(f"{self._piece} of the stream has no end")
        return self._take(pieces)

    def close(self) -> Fed:
        """The stream has ended by itself, or broke: what is left to send, or the failure that it was cut."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        tail = self._splitter.rest().strip()
        fed = self._take([tail] if self._is_whole(tail) else [])
        if self._is_over():
            return fed
        if (end := self._end()) is not None:
            self.finished = True
            return Fed(fed.out + end, True, None)
        self._failure = self._cut(tail)
        return fed._replace(failure=self._failure)

    @abstractmethod
    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that its answer is not complete."""

    @abstractmethod
    def _read(self, piece: bytes) -> None:
        """Note what a piece says: that the answer began, its usage, its end, a failure. What is to go on is held."""

    @abstractmethod
    def _framed(self, held: bytes) -> bytes:
        """What was held, as the client gets it."""

    @abstractmethod
    def _is_whole(self, tail: bytes) -> bool:
        """Whether what the stream ended with lacks nothing but its end."""

    def _end(self) -> bytes | None:
        """What ends a stream that is whole without a terminal piece; None if it is not."""
        return None

    def _cut(self, tail: bytes) -> UpstreamFailure:  # noqa: ARG002 - for dialects in which it may be something else
        """What it means that the stream ended before the answer did, with `tail`."""
        return interrupted()

    def _is_over(self) -> bool:
        return self.finished or self._failure is not None

    def _fail(self, message: str) -> None:
        self._failure = invalid_response(message)

    def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._held_bytes += len(piece)

    def _take(self, pieces: list[bytes]) -> Fed:
        for piece in pieces:
            if self._is_over():
                break
            self._read(piece)
        if not self._began:
            if self._failure is None and self._held_bytes > MAX_HELD_BYTES:
                self._fail("the stream goes on and on without an answer")
            return Fed(b"", False, self._failure)
        out = b"".join([self._framed(held) for held in self._held])
        self._held.clear()
        return Fed(out, True, self._failure)
