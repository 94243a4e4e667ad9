"""One connection to an upstream: bytes to responses, one request at a time."""

import asyncio
import time
from contextlib import suppress
from typing import Protocol, cast

import httptools

from understudy_proxy.exchange.http.response import Response, Stale
from understudy_proxy.exchange.silence import allow_unacknowledged, is_gone
from understudy_proxy.failure import FailureKind, bounded

_HEAD_BYTES = 64 * 1024
"""What a head may take, and what may come between two pieces of a body: extensions of chunks, trailers."""
_ONE_WRITE = 64 * 1024
"""Up to this size, head and body are joined for one system call, and fit into what a peer takes in without reading."""
_SLOW_READER_SECONDS = 30.0
"""How long a peer may be busy before it reads on in a larger one."""


class Keeper(Protocol):
    """Where connections come from and go back to."""

    def keep(self, connection: "Connection") -> None:
        """It carries nothing any more."""

    def lost(self, connection: "Connection", *, gone: bool) -> None:
        """It is closed; `gone`: nobody is at the other end any more."""


class Connection(asyncio.Protocol):
    """A connection, idle or with a response on it."""

    __slots__ = (
        "_early",
        "_keeper",
        "_loop",
        "_parser",
        "_response",
        "_silent_seconds",
        "_timer",
        "_transport",
        "_usual_seconds",
        "_wake_at",
        "idle_since",
        "peer",
        "served",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, keeper: Keeper, *, silent_seconds: float) -> None:
        """Take a socket that breaks when its other end has been silent for `silent_seconds`."""
        self._loop = loop
        self._keeper = keeper
        self._silent_seconds = self._usual_seconds = silent_seconds
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._response: Response | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wake_at = 0.0
        self._early = b""
        self.served = 0
        """Responses that came over it."""
        self.idle_since = 0.0
        self.peer: object = None
        """The address of the other end, to be compared."""

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    def request(self, head: bytes, body: bytes) -> Response:
        """Send a request; its response comes.

        Raises:
            Stale: the connection is closed.
        """
        transport = self._transport
        if transport is None:
            raise Stale
        response = self._response = Response(self, self._loop, reused=self.served > 0)
        if len(body) < _ONE_WRITE:
            self._allow_silence(self._usual_seconds)
            transport.write(head + body)
        else:
            self._allow_silence(max(self._usual_seconds, _SLOW_READER_SECONDS))
            transport.write(head)
            transport.write(body)
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)
        return response

    # For its response.

    def abort(self) -> None:
        """Close at once, whatever is on the way."""
        if self._transport is not None:
            self._transport.abort()

    def done(self, response: Response) -> None:
        """Go back to the pool, if another request can be carried."""
        self._response = None
        self.served += 1
        transport = self._transport
        # An upstream may answer before it has read the request; what it has not read would come before the next one.
        if self.usable and response.keeps_alive and transport is not None and not transport.get_write_buffer_size():
            self.idle_since = time.monotonic()
            self._keeper.keep(self)
        else:
            self.abort()

    def pause(self) -> None:
        """Let the upstream wait."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Let the upstream go on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def wake_at(self, when: float) -> None:
        """Wake the response when it has waited until `when`.

        The timer of an earlier wait is left to run, and set anew only when it fires: most waits end long before, so
        that a stream costs no timer for each piece, and a kept connection none for each request.
        """
        self._wake_at = when
        timer = self._timer
        if timer is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._timer = self._loop.call_at(when, self._wake)

    def _allow_silence(self, seconds: float) -> None:
        if seconds != self._silent_seconds and self._transport is not None and self.usable:
            self._silent_seconds = seconds
            with suppress(OSError):  # it is closed already, which shows soon
                allow_unacknowledged(seconds, self._transport.get_extra_info("socket"))

    def _wake(self) -> None:
        self._timer = None
        if self._response is None:
            return
        again = self._response.timed_out(self._loop.time(), until=self._wake_at)
        if again is not None:
            self._timer = self._loop.call_at(again, self._wake)

    def _unasked(self, data: bytes) -> None:
        """A server that is full says so as soon as it has accepted; anything later belongs to no request."""
        if self.served or len(self._early) > _HEAD_BYTES:
            self.abort()
        else:
            self._early += data

    def _break(self, response: Response, why: str) -> None:
        """Take in nothing more: what came does not lead to a next response, if even to the end of this one."""
        response.keeps_alive = False
        response.fail(FailureKind.INVALID_RESPONSE, bounded(why))
        self.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self.peer = transport.get_extra_info("peername")

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        response = self._response
        if response is None:
            self._unasked(data)
            return
        response.received += len(data)
        try:
            self._parser.feed_data(data)
            if response.received > _HEAD_BYTES:
                self._break(response, f"{_HEAD_BYTES} bytes came without an end of the head or a piece of the body")
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(response, f"the answer is not HTTP: {error}")
        response.progressed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the response, if there is one."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gone = is_gone(exc)
        if self._response is not None:
            self._response.lost(gone=gone)
        self._keeper.lost(self, gone=gone)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Another response, which nobody asked for: it must not be taken for a part of this one, or of the next."""
        if self._response is not None and self._response.complete:
            self._response.keeps_alive = False
            self._response = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one that comes after the body is nobody's business."""
        if self._response is not None and not self._response.headed:
            self._response.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._response is not None:
            self._response.head_complete(self._parser.get_status_code())

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._response is not None:
            self._response.take(body)

    def on_message_complete(self) -> None:
        """The end of the body."""
        if self._response is not None:
            self._response.message_complete(keeps_alive=self._parser.should_keep_alive())
