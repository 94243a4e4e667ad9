"""One client connection, with the bounds that aiohttp leaves open.

aiohttp parses HTTP; what is added here: errors below the doors speak a door's format, a client that dribbles its
headers is cut off, a client that leaves its answer unread is too, draining knows which connections are idle, and what
follows a request that offers another protocol (`Upgrade: h2c`) in the same piece is not lost.
"""

import asyncio
from contextlib import suppress
from typing import Protocol

from aiohttp import StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import ContentEncodingError, LineTooLong

from understudy_proxy.doors.door import Refused
from understudy_proxy.doors.limits import Limits


class Sent(web.StreamResponse):
    """What aiohttp is given for a response that is already on its way: whether the connection goes on."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._goes_on = keep_alive

    @property
    def keep_alive(self) -> bool | None:
        """Whether another request may follow."""
        return self._goes_on

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to prepare."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


GOES_ON = Sent(keep_alive=True)
ENDS = Sent(keep_alive=False)


class Owner(Protocol):
    """What a connection needs of the server that accepted it."""

    limits: Limits

    def refuse(self, refused: Refused) -> bytes:
        """A whole response that ends its connection, for a request that reached no door."""


class Connection(web.RequestHandler):
    """Bytes in, requests to the server's handler, one after another."""

    __slots__ = ("_body_left", "_head_timer", "_last_body", "_owner", "out_of_step")

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, owner: Owner) -> None:
        limits = owner.limits
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=limits.keep_alive_seconds,
            access_log=None,  # type: ignore[arg-type] # None switches it off, as web.run_app documents
            max_line_size=limits.head_bytes,
            max_field_size=limits.head_bytes,
            max_headers=limits.head_fields,
            # A client that is refused mid-upload gets this long to read why before the connection is closed.
            lingering_time=3.0,
        )
        self._owner = owner
        self._head_timer: asyncio.TimerHandle | None = None
        self._last_body: StreamReader | None = None
        self._body_left = 0
        """Of a request that offers another protocol."""
        self.out_of_step = False
        """Bytes may have been lost, so that what comes next may be no beginning: no further request is answered."""

    @property
    def idle(self) -> bool:
        """Whether no request is being read or answered."""
        return self._waiter is not None and not self._waiter.done() and self._head_timer is None

    def data_received(self, data: bytes) -> None:
        """Parse, and watch how long a head takes."""
        rest = self._parse(data, fresh=self.idle)
        while rest:
            rest = self._parse(rest, fresh=True)
        waiter = self._waiter
        if waiter is None or waiter.done():
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif data and self._head_timer is None:
            self._head_timer = self._loop.call_later(self._owner.limits.head_seconds, self._head_late)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Cancel what is being done for the client."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().connection_lost(exc)

    def write(self, data: bytes) -> None:
        """Send `data`.

        Raises:
            ConnectionError: the client has left.
        """
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        transport.write(data)

    def turn_away(self, refused: Refused) -> None:
        """Say why, and close."""
        with suppress(ConnectionError):
            self.write(self._owner.refuse(refused))
        self.force_close()

    def leave(self) -> None:
        """Close if idle. A request that is being read or answered goes on; its answer ends the connection."""
        if self.idle:
            self.force_close()

    def cut(self) -> None:
        """Close without waiting for a client that does not read."""
        if self.transport is not None:
            self.transport.abort()

    async def drained(self) -> None:
        """Wait until the client has read enough of what was written.

        Raises:
            ConnectionError: it has left, or reads no more.
        """
        try:
            async with asyncio.timeout(self._owner.limits.unread_seconds):
                await self._drain_helper()
        except TimeoutError:
            self.cut()
            raise ConnectionResetError("the client does not read its answer") from None

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - the signature is aiohttp's
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that could not be parsed."""
        with suppress(ConnectionError):
            self.write(self._owner.refuse(_unparsable(status, exc, message)))
        return ENDS

    def _parse(self, data: bytes, *, fresh: bool) -> bytes:
        """Parse, up to the end of a request that offers another protocol; what is left.

        aiohttp answers such a request as any other, and drops what comes behind it in the same piece.

        Args:
            data: what came.
            fresh: whether no request is being read or answered; one that begins may have begun before.
        """
        rest = b""
        if self._body_left:
            data, rest = data[: self._body_left], data[self._body_left :]
            self._body_left -= len(data)
        before = len(self._messages)
        super().data_received(data)
        if not self._messages:
            return rest
        message, body = self._messages[-1]
        self._watch_body(message, body)
        new = len(self._messages) - before
        if new and isinstance(message, RawRequestMessage) and message.upgrade and not self._upgraded:
            return self._behind(message, data, alone=fresh and new == 1)
        return rest

    def _behind(self, message: RawRequestMessage, data: bytes, *, alone: bool) -> bytes:
        """What follows `message` in `data`; `alone`: nothing but, perhaps, the beginning of its head was before it."""
        line = f"{message.method} {message.path} HTTP/".encode("utf-8", "surrogateescape")
        if not alone or message.chunked or not data.startswith(line):
            self.out_of_step = True  # nobody can tell where it ends
            return b""
        end = data.index(b"\r\n\r\n") + 4 + int(message.headers.get("content-length", "0"))
        self._body_left = max(0, end - len(data))
        return data[end:]

    def _watch_body(self, message: object, body: StreamReader) -> None:
        """End the wait for a body whose framing is broken: aiohttp keeps the error for the request after it."""
        if isinstance(message, RawRequestMessage):
            self._last_body = body
        elif self._last_body is not None and not self._last_body.is_eof():
            self._last_body.set_exception(web.RequestPayloadError("it is not framed as HTTP wants it"))
            self._last_body.feed_eof()

    def _head_late(self) -> None:
        seconds = self._owner.limits.head_seconds
        self._head_timer = None
        message = f"The headers of the request did not arrive within {seconds:g} seconds."
        self.turn_away(Refused(408, message, reason="slow_head"))


def _unparsable(status: int, exc: BaseException | None, message: str | None) -> Refused:
    if isinstance(exc, LineTooLong) or "Too many" in str(message):
        return Refused(
            431, "The headers of the request are too large; send fewer or shorter ones.", reason="large_head"
        )
    if status >= 500:
        return Refused(500, "The gateway could not answer.", type="server_error", reason="internal")
    if isinstance(exc, ContentEncodingError):
        return Refused(
            415,
            "The body is compressed as this gateway does not read it; send it plain, or as gzip.",
            reason="encoding",
        )
    # The parser's message quotes what it was sent over several lines; its first one names the fault.
    fault = (message or "malformed").strip().splitlines()[0][:200].rstrip(": ")
    return Refused(400, f"This is not a well-formed HTTP request: {fault}.", reason="malformed")
