"""One gateway, wired: the configuration's way in, the requests' way through, and what is told about both.

This is the only module that knows every part. There are no globals: two gateways in one process do not meet.
"""

import asyncio
import logging
import random
import socket
import time
from contextlib import suppress

from yarl import URL

from understudy_api.config import Snapshot
from understudy_proxy.agency import Agency
from understudy_proxy.config.holder import Rejection, RuntimeHolder
from understudy_proxy.config.loader import Loader
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.config.source import Source
from understudy_proxy.doors.admin import AdminDoors, admin_errors, closed_to_tools
from understudy_proxy.doors.anthropic.routes import anthropic_routes
from understudy_proxy.doors.asking import Asking
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.explain import ExplainDoor
from understudy_proxy.doors.gemini.routes import gemini_routes
from understudy_proxy.doors.health import HealthDoors
from understudy_proxy.doors.internal.routes import internal_routes
from understudy_proxy.doors.internal.secret import secrets_in
from understudy_proxy.doors.limits import Limits
from understudy_proxy.doors.mcp.routes import mcp_routes
from understudy_proxy.doors.models import model_routes
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.ollama.routes import ollama_routes
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.openai.routes import openai_routes
from understudy_proxy.doors.personas.routes import persona_routes
from understudy_proxy.doors.remembering import DoorStore
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.sessions.routes import session_routes
from understudy_proxy.doors.sessions.turns import Sessions
from understudy_proxy.doors.tools.routes import tool_routes
from understudy_proxy.doors.unrouted import unrouted_errors
from understudy_proxy.exchange.admission import Admission
from understudy_proxy.exchange.directory import Directory
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.exchange.http.transport import HttpTransport
from understudy_proxy.exchange.ledger import Ledger
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.retry_budget import RetryBudget
from understudy_proxy.exchange.transport import Transport
from understudy_proxy.lifecycle import Lifecycle
from understudy_proxy.mesh.registry import Registry
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.server import Server
from understudy_proxy.settings import Settings
from understudy_proxy.state.memory import MemoryStore
from understudy_proxy.state.shared import shared_store
from understudy_proxy.telemetry.access import AccessLog
from understudy_proxy.telemetry.book import Book
from understudy_proxy.telemetry.gauges import Gauges
from understudy_proxy.telemetry.logs import LogWriter
from understudy_proxy.telemetry.masking import Masker
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.telemetry.outcomes import Outcomes
from understudy_proxy.telemetry.tool_calls import ToolCalls
from understudy_proxy.tools.tools import Tools

_log = logging.getLogger(__name__)
_SOURCE_RETRY_SECONDS = 5.0
_STORE_BYTES = 64 * 1024 * 1024
"""For what is remembered between requests."""


class Gateway:
    """Everything that one event loop serves. Make it where that loop runs."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        *,
        writer: LogWriter,
        masker: Masker,
        registry_port: int | None = None,
    ) -> None:
        """Wire a gateway that gets its configuration from `source` and logs to `writer`.

        Args:
            settings: How.
            source: Of the configuration.
            writer: Of the log.
            masker: Of the log's secrets.
            registry_port: Where the worker listens that keeps the mesh's registry for this one; None: this one does.
        """
        self._settings = settings
        self._source = source
        self._masker = masker
        self._following: asyncio.Task[None] | None = None
        self._configured = asyncio.Event()
        self._lifecycle = Lifecycle()
        self._board = HealthBoard()
        self._holder = RuntimeHolder()
        book, outcomes, registry = Book(), Outcomes(), Registry()
        access = AccessLog(writer, masker, clock=time.time) if settings.log_level in {"debug", "info"} else None
        self._metrics = Metrics(book, outcomes, log=access)
        self._gauges = Gauges(
            book,
            metrics=self._metrics,
            holder=self._holder,
            board=self._board,
            registry=registry,
            writer=writer,
            clock=time.time,
            timer=time.monotonic,
        )
        self._loader = Loader(self._holder, observer=self, clock=time.time, timer=time.monotonic)
        self._names = Names(self._holder, default_namespace=settings.default_namespace or None)
        self._exchange = self._make_exchange()
        self._tools = Tools(self._resolver, log=ToolCalls(book))
        self._holder.on_swap(self._tools.forget)
        self._shared = shared_store(settings)
        self._store = DoorStore(self._shared or MemoryStore(max_bytes=_STORE_BYTES, now=time.monotonic))
        self._agency = Agency(
            settings, self._holder, registry=registry, resolver=self._resolver, registry_port=registry_port
        )
        self._public = self._make_public(book, outcomes)
        self._admin = self._make_admin()

    @property
    def port(self) -> int:
        """Where callers ask."""
        return self._public.port

    @property
    def admin_port(self) -> int:
        """Where operators ask."""
        return self._admin.port

    async def start(self, public: socket.socket, admin: socket.socket) -> None:
        """Serve on both sockets, at once; without a configuration as long as the source has none."""
        await self.begin(admin)
        await self.open(public)

    async def begin(self, admin: socket.socket) -> None:
        """Follow the source, and tell operators of it."""
        self._following = asyncio.create_task(self._follow(), name="config-source")
        await self._admin.start(admin)

    async def configured(self, *, within_seconds: float) -> bool:
        """Wait for the first configuration; False when none came in time."""
        try:
            async with asyncio.timeout(within_seconds):
                await self._configured.wait()
        except TimeoutError:
            return False
        return True

    async def open(self, public: socket.socket) -> None:
        """Let callers in."""
        await self._public.start(public)
        self._agency.start(self.port)

    def retire(self) -> None:
        """Not ready any more, but serving on, until whoever sends requests has noticed."""
        self._lifecycle.draining = True
        self._agency.retire()
        self._public.retire()

    async def drain(self, *, deadline_seconds: float) -> int:
        """Take no new connections and let requests end; how many had to be cut."""
        self.retire()
        return await self._public.drain(deadline_seconds=deadline_seconds)

    async def close(self) -> None:
        """Stop everything at once."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        await self._agency.close()
        await self._public.close()
        await self._admin.close()
        await self._exchange.close()
        await self._tools.close()
        await self._resolver.close()
        if self._shared is not None:
            await self._shared.close()

    def loading(self, snapshot: Snapshot) -> None:
        """Hide the secrets of `snapshot` from now on."""
        own = (*secrets_in(self._settings.internal_secret), URL(self._settings.redis_url).password or "")
        self._masker.remember((*snapshot.credentials.values.values(), *filter(None, own)))

    def loaded(self, runtime: Runtime, seconds: float) -> None:
        """A configuration serves: forget what it no longer holds."""
        self._board.prune(runtime.upstreams, now=time.monotonic())
        self._metrics.configured(runtime)
        self._gauges.loaded(runtime, seconds)
        self._configured.set()

    def refused(self, rejection: Rejection) -> None:
        """A configuration was refused."""
        self._gauges.refused(rejection)

    def _make_exchange(self) -> Exchange:
        self._resolver = Resolver()
        admission = Admission(requests=self._settings.max_in_flight)
        transport = self._make_transport()
        exchange = Exchange(
            transport=transport,
            ledger=Ledger(board=self._board, admission=admission, metrics=self._metrics),
            endpoints=Endpoints(self._resolver, Directory(transport, own=self._own_registry)),
            budget=RetryBudget(),
        )
        self._holder.on_swap(exchange.use)
        return exchange

    def _own_registry(self) -> URL | None:
        """Where the mesh's registry of this gateway answers; None before callers are let in."""
        if not self._public.listens:
            return None
        return URL.build(scheme="http", host=self._settings.near_host, port=self.port)

    def _make_transport(self) -> Transport:
        if not self._settings.egress_proxy:
            return HttpTransport(self._resolver)
        from understudy_proxy.exchange.aiohttp_transport import AiohttpTransport

        return AiohttpTransport(self._resolver)

    def _make_public(self, book: Book, outcomes: Outcomes) -> Server:
        settings = self._settings
        health = HealthDoors(
            holder=self._holder,
            outcomes=outcomes,
            lifecycle=self._lifecycle,
            clock=time.time,
            timer=time.monotonic,
        )
        services = Services(
            self._names,
            self._exchange,
            self._metrics,
            Asking(
                names=self._names,
                exchange=self._exchange,
                metrics=self._metrics,
                tools=self._tools,
                store=self._store,
            ),
            Sessions(self._store, self._names, self._metrics),
        )
        routes = (
            *openai_routes(services, store=self._store),
            *anthropic_routes(services),
            *gemini_routes(services),
            *ollama_routes(services),
            *persona_routes(services),
            *internal_routes(services, settings=settings),
            *model_routes(services),
            *session_routes(services),
            *tool_routes(services, tools=self._tools),
            *mcp_routes(services, tools=self._tools, settings=settings, book=book),
            *self._agency.routes(),
            *health.routes(openai_errors),
        )
        return Server(
            routes,
            errors=openai_errors,
            limits=limits(settings),
            refused=self._metrics.refused,
            unrouted=unrouted_errors,
        )

    def _make_admin(self) -> Server:
        doors = AdminDoors(
            holder=self._holder,
            loader=self._loader,
            lifecycle=self._lifecycle,
            gauges=self._gauges,
        )
        explain = ExplainDoor(
            names=self._names,
            board=self._board,
            endpoints=self._exchange.endpoints,
            draw=random.random,
            timer=time.monotonic,
        )
        explained = Route("/explain", {"GET": explain, "POST": explain}, admin_errors)
        routes = (*doors.routes(), explained, *self._agency.inner_routes())
        return Server(closed_to_tools(routes), errors=admin_errors, limits=limits(self._settings))

    async def _follow(self) -> None:
        """Run the source, and run it again should it fail in a way that it does not know of."""
        while True:
            try:
                await self._source.run(self._loader)
            except Exception:  # noqa: BLE001 - what serves goes on serving, whatever is wrong with its source
                _log.exception("the configuration's source failed; it is started again")
                await asyncio.sleep(_SOURCE_RETRY_SECONDS)
            else:
                return


def limits(settings: Settings) -> Limits:
    """What one client may take, as `settings` say."""
    usual = Limits()
    return Limits(
        body_bytes=settings.max_body_bytes,
        bodies_bytes=max(usual.bodies_bytes, settings.max_body_bytes),
        body_seconds=settings.body_seconds,
        head_bytes=settings.max_header_bytes,
        head_seconds=settings.header_seconds,
        keep_alive_seconds=settings.idle_seconds,
    )
