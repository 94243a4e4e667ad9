"""A port with doors behind it: listens, dispatches, drains.

aiohttp's low-level server parses HTTP; everything above it that a request does not need (applications, routers,
middlewares, response objects) is left out. Whatever happens, a client gets an answer in its own error format or a
closed connection, and never sees the inside of the gateway.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from understudy_proxy.doors import wire
from understudy_proxy.doors.connection import ENDS, GOES_ON, Connection
from understudy_proxy.doors.dispatch import Dispatch, Found, path_of
from understudy_proxy.doors.door import Answer, Door, ErrorFormat, Refused, Route
from understudy_proxy.doors.limits import Limits
from understudy_proxy.doors.refusing import rendered
from understudy_proxy.doors.request import Bodies, HttpRequest, new_id

_log = logging.getLogger(__name__)

_BACKLOG = 1024
_CUT_SECONDS = 2.0
"""How long requests that were cut short may take to say so."""


class Server:
    """One listening port."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        errors: ErrorFormat,
        limits: Limits | None = None,
        refused: Callable[[str], None] = lambda _reason: None,
        unrouted: Callable[[str, Mapping[str, str]], ErrorFormat] | None = None,
    ) -> None:
        """Prepare to serve.

        Args:
            routes: What is served.
            errors: The format for requests that reach no route.
            limits: What one client may take.
            refused: Told in one word about each request that reached no door.
            unrouted: Gives a better format than `errors` by the path and the headers of a request that reaches no
                route, once these are known.
        """
        self.limits = limits or Limits()
        self._dispatch = Dispatch(routes)
        self._errors = errors
        self._refused = refused
        self._unrouted = unrouted or (lambda _path, _headers: errors)
        self._bodies = Bodies(self.limits.bodies_bytes)
        self._running: dict[HttpRequest, asyncio.Task[Any]] = {}
        self._emptied: asyncio.Event | None = None
        self._retiring = False
        self._connections: _Connections | None = None
        self._listening: asyncio.Server | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The port it listens on, or has listened on."""
        if self._port is None:
            raise RuntimeError("the server has not been started")
        return self._port

    @property
    def listens(self) -> bool:
        """Whether it has begun to listen."""
        return self._listening is not None

    async def start(self, sock: socket.socket) -> None:
        """Listen on `sock`, which is bound."""
        self._port = sock.getsockname()[1]
        self._connections = _Connections(self._handle, owner=self)
        self._listening = await asyncio.get_running_loop().create_server(self._connections, sock=sock, backlog=_BACKLOG)

    def retire(self) -> None:
        """From now on each answer ends its connection, so that clients move to other servers; all are still served."""
        self._retiring = True
        for request in self._running:
            request.retiring = True

    async def drain(self, *, deadline_seconds: float) -> int:
        """Accept nothing more, let what runs come to its end, cut what is left at the deadline; how many were cut.

        A stream that is cut says so in-band; a request that was not answered yet gets a 503.
        """
        self.retire()
        if self._listening is not None:
            self._listening.close()
        if self._connections is not None:
            self._connections.leave()
        await self._until_empty(deadline_seconds)
        cut = list(self._running.items())
        for request, task in cut:
            request.cut_short = True
            task.cancel()
        await self._until_empty(_CUT_SECONDS)
        await self.close()
        return len(cut)

    async def close(self) -> None:
        """Stop at once."""
        if self._listening is not None:
            self._listening.close()
        if self._connections is not None:
            # Not 0, which aiohttp takes for no bound.
            await self._connections.shutdown(0.1)

    async def _until_empty(self, seconds: float) -> None:
        self._emptied = asyncio.Event()
        if self._running:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), seconds)

    def refuse(self, refused: Refused) -> bytes:
        """A whole response that ends its connection, for a request that reached no door."""
        self._refused(refused.reason)
        request_id = new_id()
        answer = rendered(refused, self._errors, request_id=request_id)
        framing = wire.content_length(len(answer.body))
        return wire.head(answer, request_id=request_id, framing=framing, close=True) + answer.body

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        connection = http.protocol
        assert isinstance(connection, Connection)  # noqa: S101 - `_Connections` makes no other
        request = HttpRequest(http, connection, limits=self.limits, bodies=self._bodies)
        request.retiring = self._retiring
        task = asyncio.current_task()
        if task is not None:
            self._running[request] = task
        try:
            answer = await self._answer(request, self._dispatch.find(http.raw_path))
            goes_on = request.goes_on if answer is None else await request.send(answer)
            return GOES_ON if goes_on else ENDS
        finally:
            request.release()
            self._running.pop(request, None)
            if self._emptied is not None and not self._running:
                self._emptied.set()

    async def _answer(self, request: HttpRequest, found: Found | None) -> Answer | None:
        errors = self._errors_for(request) if found is None else found.route.errors_of(request.method)
        try:
            return await self._door(request, found)(request)
        except Refused as refused:
            return rendered(refused, errors, request_id=request.id)
        except asyncio.CancelledError:
            if not request.cut_short or request.begun:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return rendered(SHUTTING_DOWN, errors, request_id=request.id)
        except ConnectionError:
            raise  # the client has left
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the cause
            _log.exception("request %s failed", request.id, extra={"request_id": request.id})
            return None if request.begun else rendered(_OURS, errors, request_id=request.id)

    def _errors_for(self, request: HttpRequest) -> ErrorFormat:
        return self._unrouted(path_of(request.target), request.headers)

    def _door(self, request: HttpRequest, found: Found | None) -> Door:
        if found is None:
            message = f"There is nothing at {request.method[:20]} {_shown(request.target)}."
            raise Refused(404, message, code="unknown_url", reason="unknown_url")
        request.found(found)
        doors = found.route.doors
        door = doors.get("GET" if request.method == "HEAD" else request.method)
        if door is None:
            allowed = ", ".join(sorted({*doors, "HEAD"} if "GET" in doors else doors))
            raise Refused(
                405,
                f"{found.path} does not take {request.method[:20]}; it takes {allowed}.",
                code="method_not_allowed",
                reason="method_not_allowed",
                headers=(("allow", allowed),),
            )
        return door


SHUTTING_DOWN = Refused(
    503,
    "This gateway is shutting down; send the request again.",
    type="server_error",
    code="shutting_down",
    reason="shutting_down",
    headers=(("retry-after", "1"),),
)
_OURS = Refused(
    500,
    "The gateway could not answer; its log tells why, by the request id.",
    type="server_error",
    code="internal",
    reason="internal",
)
_FULL = Refused(
    503,
    "The gateway has as many connections as it takes.",
    type="server_error",
    code="overloaded",
    reason="connections",
)


class _Connections(web.Server):
    """Makes a `Connection` for each client."""

    def __init__(self, handler: Callable[[web.BaseRequest], Any], *, owner: Server) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._owner = owner

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, owner=self._owner)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self._owner.limits.connections and isinstance(handler, Connection):
            handler.turn_away(_FULL)

    def leave(self) -> None:
        """Close the idle ones now, the others after what they are answering."""
        for connection in self.connections:
            if isinstance(connection, Connection):
                connection.leave()


def _shown(target: str) -> str:
    return target.partition("?")[0][:200]
