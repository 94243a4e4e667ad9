"""A mock as a running server: on the command line, or inside a test."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from understudy.mock.admin import PREFIX, administer
from understudy.mock.answering import Answerer
from understudy.mock.dialects import DIALECTS, TOGETHER
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.faults import parse_faults
from understudy.mock.listening import Address
from understudy.mock.records import Recorded, Records, Stats
from understudy.mock.script import Script
from understudy.mock.settings import Settings
from understudy.mock.wire import send

# As large as a request with images gets; more is refused as too large.
_LARGEST_BODY = 32 * 1024 * 1024
# Handlers end at once when their connections are gone; this only bounds what should not happen.
_SHUTDOWN_SECONDS = 30.0
# How often to look whether the connections of a server that is ending are gone.
_DRAIN_CHECK_SECONDS = 0.01


class Mock:
    """An upstream that answers by itself, misbehaves as told, and remembers what it was sent.

        async with Mock(name="a", faults=["429;times=2"]) as mock:
            ...                         # talk to mock.url
            mock.set_faults(["cut-after:3"])
            assert mock.requests[-1].model == "gpt-4.1-mini"

    `stop()` and `start()` play a server that dies and returns at the same address; `drain()` before them one that is
    stopped in order. All of it belongs to the event loop in which it was started.

    Attributes:
        name: Who answers, as seen in answers and ids.
        settings: How it answers; may be replaced at any time and holds from the next request on.
        health_status: The status of `GET /health`.
        records: What it received.
        script: The faults at work; replaced by `set_faults`.
    """

    def __init__(
        self,
        *,
        name: str = "mock",
        faults: Iterable[str] = (),
        settings: Settings | None = None,
        dialect: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        """Make a mock that does not run yet.

        Args:
            name: Who answers; letters, digits, `.`, `_` and `-`.
            faults: The script, in the grammar of `docs/mock.md`.
            settings: How it answers.
            dialect: The one wire format to speak, a key of `DIALECTS`; None for all of `TOGETHER`, told apart by path.
            host: Where to listen.
            port: Where to listen; 0 for any free port, which is kept over `stop()` and `start()`.
            seed: What the chance of `percent` begins with: the same seed, the same requests hit.

        Raises:
            ValueError: If name, dialect or a fault (`FaultError`) is wrong.
        """
        if not name or not all(c.isascii() and (c.isalnum() or c in "._-") for c in name):
            raise ValueError(f'"{name}" is no name for a mock; use letters, digits, ".", "_" and "-"')
        if dialect is not None and dialect not in DIALECTS:
            raise ValueError(f'"{dialect}" is no dialect; there are {", ".join(DIALECTS)}')
        self.name = name
        self.settings = settings or Settings()
        self.health_status = 200
        self.records = Records()
        self.script = Script(parse_faults(faults), seed=seed)
        self._seed = seed
        spoken = TOGETHER if dialect is None else (dialect,)
        self._forms = tuple(form for one in spoken for form in DIALECTS[one])
        self._address = Address(host, port)
        self._runner: web.ServerRunner | None = None
        self._server: web.Server | None = None
        self._busy: set[web.RequestHandler] = set()
        self._draining = False
        self._arrived = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def port(self) -> int:
        """The port it listens on, or listened on before `stop()`; known once it has started."""
        return self._address.port

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, without a path. An OpenAI client wants `url + "/v1"`."""
        return self._address.url

    @property
    def requests(self) -> list[Recorded]:
        """The last requests, oldest first."""
        return self.records.kept

    @property
    def stats(self) -> Stats:
        """Counters since the mock was made; the object is live."""
        return self.records.stats

    def set_faults(self, faults: Iterable[str]) -> None:
        """Put a new script in place of the old one, with fresh counters.

        Raises:
            FaultError: If one of them cannot be read; then nothing changes.
        """
        self.script = Script(parse_faults(faults), seed=self._seed)

    async def start(self) -> None:
        """Listen. After `stop()`: at the same address, with records and script as they were.

        Raises:
            OSError: If the address is taken or not of this machine.
        """
        if self._runner is not None:
            return
        listening = self._address.listen()
        self._draining = False
        # handler_cancellation: a client that leaves while nothing is sent is noticed at once.
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None, logger=_logger())
        self._runner = web.ServerRunner(self._server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=socket.SOMAXCONN).start()

    async def drain(self, *, within_seconds: float) -> None:
        """Refuse new connections and let running requests end, as servers do that are stopped in order.

        Returns when the last connection is gone, or when the time is over; `stop()` drops those that are left.
        """
        runner, server = self._runner, self._server
        if runner is None or server is None:
            return
        self._draining = True
        for site in list(runner.sites):
            await site.stop()
        for connection in server.connections:
            if connection not in self._busy:
                connection.force_close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while server.connections:  # noqa: ASYNC110 - nothing tells when the last byte has left
                    await asyncio.sleep(_DRAIN_CHECK_SECONDS)

    async def stop(self) -> None:
        """Die: refuse new connections and drop all open ones, whatever is going on in them.

        The port stays taken, so that nothing else answers there until `start()` or `close()`.
        """
        runner, server = self._runner, self._server
        if runner is None or server is None:
            return
        self._runner = self._server = None
        for site in list(runner.sites):
            await site.stop()
        for connection in server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()
        self._address.hold()

    async def close(self) -> None:
        """Stop, and give the port back."""
        await self.stop()
        self._address.release()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        self._busy.add(connection)
        try:
            return await self._respond(request)
        finally:
            self._busy.discard(connection)
            if self._draining:
                connection.close()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await _body(request)
        except web.RequestPayloadError:
            return web.Response(status=400, text="The request body cannot be read: its encoding is broken.\n")
        path, _, _ = request.raw_path.partition("?")
        if path == "/health":
            return web.Response(
                body=orjson.dumps({"status": "ok" if self.health_status < 400 else "unhealthy", "name": self.name}),
                status=self.health_status,
                content_type="application/json",
            )
        if path.startswith(PREFIX):
            return administer(self, request.method, path, body or b"")
        self._arrived += 1
        recorded = Recorded(
            number=self._arrived,
            method=request.method,
            path=request.raw_path,
            headers=request.headers,
            body=body or b"",
            received_at=time.time(),
        )
        return await self._answer(request, recorded, too_large=body is None)

    async def _answer(self, request: web.BaseRequest, recorded: Recorded, *, too_large: bool) -> web.StreamResponse:
        answerer = Answerer(self.name, self._forms, self.settings, self.script)
        message = f"The request body is larger than {_LARGEST_BODY} bytes."
        refused = Failure(FailureKind.TOO_LARGE, 413, message) if too_large else None
        delivery = answerer.answer(recorded, instead=refused)
        server = self._server
        self.records.begin(recorded)
        try:
            return await send(request, delivery, recorded)
        except (asyncio.CancelledError, ConnectionError):
            # Without `stop()`, only a client that leaves ends an answer early.
            recorded.client_left = self._server is server
            raise
        finally:
            self.records.end(recorded)


def _logger() -> logging.Logger:
    """Return a logger for what goes wrong in here; what a client sent wrong is answered, and no traceback."""
    logger = logging.getLogger("understudy.mock")
    logger.addFilter(_is_our_fault)
    return logger


def _is_our_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


async def _body(request: web.BaseRequest) -> bytes | None:
    """Return the whole body, or None if it is larger than allowed."""
    parts = []
    left = _LARGEST_BODY
    while not request.content.at_eof():
        part = await request.content.readany()
        left -= len(part)
        if left < 0:
            return None
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
