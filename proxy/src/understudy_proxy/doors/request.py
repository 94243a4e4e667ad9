"""A request as it came over HTTP, and the answer on its way back: `door.Request` and `door.EventStream` for real."""

import asyncio
import re
import time
from random import getrandbits
from typing import TYPE_CHECKING

from aiohttp import web

from understudy_proxy.doors import wire
from understudy_proxy.doors.connection import Connection
from understudy_proxy.doors.dispatch import Found
from understudy_proxy.doors.door import Answer, EventStream, Refused
from understudy_proxy.doors.limits import Limits

if TYPE_CHECKING:
    from understudy_proxy.doors.door import Request

# What other systems send as an id: UUIDs, ULIDs, `req_...`, W3C trace ids; nothing that could disturb a log line.
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

_ONE_WRITE = 64 * 1024
"""Up to this size, head and body are joined for one system call; beyond it the copy costs more."""

_VALUE_BYTES, _OBJECT_BYTES = 72, 130
"""What a value of JSON takes in memory, strings aside, and what it takes more if it is an object: measured with CPython
3.11 and orjson."""
_USUAL_SHARE = 8
"""Counted by commas and braces, the values of a dense program in a string seem to take so much for each byte of it."""


def new_id() -> str:
    """An id for a request that came without one."""
    return f"req_{getrandbits(96):024x}"


class Bodies:
    """The bytes of all request bodies in memory, against their bound."""

    def __init__(self, bound: int) -> None:
        self._left = bound

    def take(self, size: int) -> bool:
        """Whether `size` more bytes fit; they are counted if they do."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """`size` bytes are held no longer."""
        self._left += size


class Outflow:
    """An answer sent in pieces, each at once."""

    __slots__ = ("_chunked", "_connection", "finished")

    def __init__(self, connection: Connection, *, chunked: bool) -> None:
        self._connection = connection
        self._chunked = chunked
        self.finished = False

    async def write(self, data: bytes) -> None:
        """Send `data` now; waits while the client does not read what was sent before."""
        connection = self._connection
        connection.write(wire.chunk(data) if self._chunked else data)
        if connection.writing_paused:
            await connection.drained()

    async def finish(self) -> None:
        """End the answer well."""
        if self._chunked:
            self._connection.write(wire.LAST_CHUNK)
        self.finished = True


class HttpRequest:
    """One request on a connection."""

    __slots__ = (
        "_bodies",
        "_connection",
        "_held",
        "_http",
        "_limits",
        "_outflow",
        "cut_short",
        "headers",
        "id",
        "method",
        "namespace",
        "path",
        "query",
        "received",
        "rest",
        "retiring",
    )

    def __init__(self, http: web.BaseRequest, connection: Connection, *, limits: Limits, bodies: Bodies) -> None:
        self._http = http
        self._connection = connection
        self._limits = limits
        self._bodies = bodies
        self._held = 0
        self._outflow: Outflow | None = None
        self.received = time.monotonic()
        self.method = http.method
        self.headers = http.headers
        self.path = self.query = self.rest = ""
        self.namespace: str | None = None
        self.retiring = False
        self.cut_short = False
        sent = http.headers.get("x-request-id")
        self.id = sent if sent is not None and _SANE_ID.fullmatch(sent) else new_id()

    @property
    def target(self) -> str:
        """The request line's."""
        return self._http.raw_path

    def found(self, found: Found) -> None:
        """Take over what the path says."""
        self.path = found.path
        self.query = found.query
        self.rest = found.rest
        self.namespace = found.namespace

    @property
    def begun(self) -> bool:
        """Whether a part of the answer is out."""
        return self._outflow is not None

    async def body(self) -> bytes:
        """The whole body, within the bounds."""
        content = self._http.content
        try:
            if content.is_eof():
                return self._weighed(self._hold(content.read_nowait()))
            return self._weighed(await self._read_on())
        except web.RequestPayloadError as error:
            message = f"The body is not what the headers say: {str(error)[:200]}"
            raise Refused(400, message, reason="malformed") from error
        except TimeoutError:
            seconds = self._limits.body_seconds
            message = f"The body of the request did not arrive within {seconds:g} seconds."
            raise Refused(408, message, reason="slow_body") from None

    async def _read_on(self) -> bytes:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limits.body_bytes:
            raise self._too_large()
        if self.headers.get("expect", "").lower() == "100-continue":
            self._connection.write(wire.CONTINUE)
        pieces: list[bytes] = []
        async with asyncio.timeout(self._limits.body_seconds):
            while piece := await self._http.content.readany():
                pieces.append(self._hold(piece))
        return b"".join(pieces)

    def _weighed(self, body: bytes) -> bytes:
        """Hold what the values of `body` take once it is parsed, if that is out of proportion to its bytes."""
        values = body.count(b",") * _VALUE_BYTES + body.count(b"{") * _OBJECT_BYTES
        surplus = values - len(body) * _USUAL_SHARE
        if surplus > self._limits.values_bytes:
            message = "The body holds too many values; fewer of them, or longer ones, are accepted."
            raise Refused(413, message, code="request_too_large", reason="large_body")
        if surplus > 0:
            self._take(surplus)
        return body

    def _hold(self, piece: bytes) -> bytes:
        if self._held + len(piece) > self._limits.body_bytes:
            raise self._too_large()
        self._take(len(piece))
        return piece

    def _take(self, size: int) -> None:
        if not self._bodies.take(size):
            raise Refused(
                503,
                "The gateway holds as many request bodies as it can; try again shortly.",
                type="server_error",
                code="overloaded",
                reason="overloaded",
                headers=(("retry-after", "1"),),
            )
        self._held += size

    def _too_large(self) -> Refused:
        message = f"The body is larger than the {self._limits.body_bytes} bytes that are accepted."
        return Refused(413, message, code="request_too_large", reason="large_body")

    def release(self) -> None:
        """The body is held no longer."""
        self._bodies.give_back(self._held)
        self._held = 0

    async def begin(self, answer: Answer) -> EventStream:
        """Send the head of `answer` with its body as the first piece."""
        chunked = self._http.version >= (1, 1)
        outflow = self._outflow = Outflow(self._connection, chunked=chunked)
        head = wire.head(
            answer,
            request_id=self.id,
            framing=wire.CHUNKED if chunked else wire.TO_THE_END,
            close=self._closes or not chunked,
        )
        first = wire.chunk(answer.body) if chunked and answer.body else answer.body
        self._connection.write(head + first)
        if self._connection.writing_paused:
            await self._connection.drained()
        return outflow

    async def send(self, answer: Answer) -> bool:
        """Send a whole answer; whether the connection goes on after it."""
        connection = self._connection
        closes = self._closes
        body = answer.body
        head = wire.head(answer, request_id=self.id, framing=wire.content_length(len(body)), close=closes)
        if self.method == "HEAD":
            connection.write(head)
        elif len(body) <= _ONE_WRITE:
            connection.write(head + body)
        else:
            connection.write(head)
            connection.write(body)
        if connection.writing_paused:
            await connection.drained()
        return not closes

    @property
    def goes_on(self) -> bool:
        """After an answer in pieces: whether the connection goes on."""
        return self._outflow is not None and self._outflow.finished and not self._closes

    @property
    def _closes(self) -> bool:
        http = self._http
        # An unread body would have to be read to its end before the next request could begin.
        unread = not http.content.is_eof() or http.content.exception() is not None
        ends = self.retiring or self._connection.out_of_step
        return ends or unread or not http.keep_alive or http.version < (1, 1)


if TYPE_CHECKING:
    _is_a_request: type[Request] = HttpRequest
