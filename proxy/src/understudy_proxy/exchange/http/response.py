"""A response as it comes in over a connection: `transport.Receiving` for real."""

import asyncio
from collections import deque
from typing import Protocol

from understudy_proxy.exchange.http.unpack import Unpacker, unpacker
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure

_HIGH_WATER, _LOW_WATER = 256 * 1024, 64 * 1024
"""Unread bytes at which the upstream is made to wait, and at which it may go on."""
_REST_SECONDS = 1.0
"""How long the end of a response that was let go may take."""


class Stale(Exception):
    """A kept connection turned out to be closed before anything of the response came."""


class Line(Protocol):
    """The connection, as a response sees it."""

    def abort(self) -> None:
        """Close at once."""

    def done(self, response: "Response") -> None:
        """The response is complete, and whoever asked for it is done with it."""

    def pause(self) -> None:
        """Let the upstream wait."""

    def resume(self) -> None:
        """Let it go on."""

    def wake_at(self, when: float) -> None:
        """Call `timed_out` at `when`, in the loop's time, unless a later `wake_at` says otherwise."""


class Response:
    """Head, then body, then the end; or a failure in between."""

    __slots__ = (
        "_buffered",
        "_closed",
        "_failure",
        "_framed",
        "_letting_go",
        "_line",
        "_loop",
        "_paused",
        "_pieces",
        "_reused",
        "_unpacker",
        "_waiter",
        "complete",
        "headed",
        "headers",
        "keeps_alive",
        "received",
        "status",
    )

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, *, reused: bool) -> None:
        self._line = line
        self._loop = loop
        self._reused = reused
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._closed = False
        self._paused = False
        self._framed = False
        self._failure: Exception | None = None
        self._letting_go: asyncio.TimerHandle | None = None
        self._unpacker: Unpacker | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.received = 0
        """Bytes of whatever part, since the last piece of the body."""
        self.headed = False
        self.complete = False
        self.keeps_alive = False
        self.status = 0
        self.headers: dict[str, str] = {}

    # For the exchange.

    async def head(self, *, within: float) -> None:
        """Wait for status and headers.

        Raises:
            Stale: the connection was closed meanwhile; nothing has come.
        """
        until = self._loop.time() + within
        while not self.headed:
            await self._wait(until)

    async def read(self, *, limit: int, within: float) -> bytes:
        """The whole body."""
        until = self._loop.time() + within
        pieces: list[bytes] = []
        size = 0
        while piece := await self._piece(until):
            size += len(piece)
            if size > limit:
                raise _error(FailureKind.INVALID_RESPONSE, f"the answer is larger than {limit} bytes")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def chunk(self, *, within: float) -> bytes:
        """The next bytes."""
        return await self._piece(self._loop.time() + within)

    def close(self) -> None:
        """Give the connection back if the response is complete, else close it at once."""
        if self._closed:
            return
        self._closed = True
        self._resume()
        if self.complete:
            self._line.done(self)
        else:
            self._line.abort()

    def let_go(self) -> None:
        """Give the connection back once the response is complete, if that is soon."""
        if self._closed:
            return
        self._closed = True
        self._resume()
        if self.complete:
            self._line.done(self)
        else:
            self._letting_go = self._loop.call_later(_REST_SECONDS, self._line.abort)

    # For the connection.

    def head_complete(self, status: int) -> None:
        """The head is there, unless it is one of the interim ones that may come before it."""
        if status < 200:
            self.headers.clear()
            return
        self.status = status
        self.headed = True
        headers = self.headers
        coding = headers.get("transfer-encoding", "")
        self._framed = coding.lower().endswith("chunked") if coding else "content-length" in headers
        if "content-encoding" in headers:
            self._unpacker = unpacker(headers["content-encoding"])

    def take(self, piece: bytes) -> None:
        """A piece of the body."""
        self.received = 0
        if self._letting_go is not None:
            return
        self._pieces.append(piece)
        self._buffered += len(piece)
        if self._buffered > _HIGH_WATER and not self._paused:
            self._paused = True
            self._line.pause()

    def message_complete(self, *, keeps_alive: bool) -> None:
        """The body is complete."""
        if not self.headed:
            return  # an interim response has none
        self.complete = True
        self.keeps_alive = keeps_alive

    def fail(self, kind: FailureKind, message: str) -> None:
        """It is not what it should be."""
        self._failure = self._failure or _error(kind, message)

    def lost(self, *, gone: bool) -> None:
        """The connection is closed; `gone`: nobody is at the other end any more."""
        if self.headed and not self._framed and not gone:
            self.complete = True  # such a body ends where the connection does
        elif not self.complete and self._failure is None:
            self._failure = self._cut(gone=gone)
        self.progressed()

    def timed_out(self, now: float, *, until: float) -> float | None:
        """The time of `wake_at` has come; when to come back if it was moved on meanwhile."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return None
        if now < until:
            return until
        waiter.set_exception(TimeoutError())
        return None

    def progressed(self) -> None:
        """Something came, and all of it was parsed; whoever waits looks again."""
        if self._letting_go is not None:
            # Not before: what follows the end in the same piece shows whether the connection may be kept.
            if self.complete:
                self._letting_go.cancel()
                self._letting_go = None
                self._line.done(self)
            return
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _cut(self, *, gone: bool) -> Exception:
        if self.headed:
            return _error(FailureKind.INTERRUPTED, "the connection broke in the middle of the answer")
        if gone:  # on a kept connection too: that nobody is there took long to find out, and a new one would as well
            return _error(FailureKind.UNREACHABLE, "nobody is at the other end of the connection any more")
        if self._reused and not self.received:
            return Stale()
        return _error(FailureKind.CONNECTION_RESET, "the connection was closed without an answer")

    async def _piece(self, until: float) -> bytes:
        while True:
            if self._pieces or (self._unpacker is not None and self._unpacker.pending):
                if self._unpacker is not None:
                    await asyncio.sleep(0)  # a little that is packed may be a lot to unpack, and others wait meanwhile
                if piece := self._next():
                    return piece
            elif self.complete:
                return b""
            else:
                await self._wait(until)

    def _next(self) -> bytes:
        """All that is there, or what can be unpacked of it at once."""
        pieces = self._pieces
        if self._unpacker is not None:
            piece = self._unpack(pieces.popleft() if pieces else b"")
        elif len(pieces) == 1:
            piece = pieces.popleft()
            self._buffered = 0
        else:
            piece = b"".join(pieces)
            pieces.clear()
            self._buffered = 0
        if self._buffered < _LOW_WATER:
            self._resume()
        return piece

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._line.resume()

    def _unpack(self, packed: bytes) -> bytes:
        self._buffered -= len(packed)
        try:
            return self._unpacker.unpack(packed) if self._unpacker is not None else packed
        except ValueError as error:
            raise _error(FailureKind.INVALID_RESPONSE, f"the answer cannot be unpacked: {error}") from error

    async def _wait(self, until: float) -> None:
        """Wait until something comes. What came in order before a failure has been given out by now."""
        if self._failure is not None:
            raise self._failure
        if until <= self._loop.time():
            raise TimeoutError
        waiter = self._waiter = self._loop.create_future()
        self._line.wake_at(until)
        try:
            await waiter
        finally:
            self._waiter = None


def _error(kind: FailureKind, message: str) -> UpstreamError:
    return UpstreamError(UpstreamFailure(kind, message))
