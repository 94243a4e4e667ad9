"""The agents of meshes, as their registries list them: asked again and again, and kept as they were while one is away.

A provider of type Mesh has no address of its own. Each agent that offers what it looks for is an endpoint, under the
agent's id, so that one who comes back under another id begins anew, whatever became of it before.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from understudy_api.config import MeshSource
from understudy_proxy.config.runtime import Upstream
from understudy_proxy.exchange.transport import Sending, Transport
from understudy_proxy.failure import UpstreamError
from understudy_proxy.mesh.finding import Found, absence, described, find
from understudy_proxy.mesh.listing import MAX_LISTING, ListedAgent, NoListing, read_listing
from understudy_proxy.routing.fitness import SkipReason
from understudy_proxy.routing.places import Absent, Agent, Endpoint

_log = logging.getLogger(__name__)
POLL_SECONDS = 5.0
"""As often as agents tell registries that they are there."""
_LEAST_SECONDS = 0.5
"""Between two looks, however many agents fail."""
_LISTING_SECONDS = 10.0
_NOT_YET_SECONDS = 0.1
"""Until it is looked again whether the gateway listens."""
_MOST = 256
"""Agents of one provider that are used; each has health and connections of its own."""
_PATH = "/agents"
_FOR_THE_REGISTRY = ("authorization",)


class Directory:
    """Agents by provider."""

    def __init__(
        self, transport: Transport, *, own: Callable[[], URL | None] = lambda: None, every_seconds: float = POLL_SECONDS
    ) -> None:
        """Ask through `transport`; `own` is where the gateway's own registry answers, once it does."""
        self._transport = transport
        self._own = own
        self._every_seconds = every_seconds
        self._entries: dict[str, _Entry] = {}
        self.left: Callable[[Collection[Endpoint]], None] = lambda _endpoints: None
        """Called with endpoints that are no more."""

    def use(self, upstreams: Collection[Upstream]) -> None:
        """Follow the registries of these providers, and of no others any more."""
        before, self._entries = self._entries, {}
        for upstream in upstreams:
            entry = before.pop(upstream.key, None)
            if entry is None or not entry.goes_on_with(upstream):
                if entry is not None:
                    self._end(entry)
                entry = _Entry(upstream)
                entry.task = asyncio.create_task(self._follow(entry), name=f"agents of {upstream.key}")
            self._entries[upstream.key] = entry
        for entry in before.values():
            self._end(entry)

    def endpoints(self, key: str) -> tuple[Endpoint, ...] | Absent:
        """The agents of a provider, as they are known, or why there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return Absent(SkipReason.PROVIDER_NOT_FOUND, "its mesh is not known yet")
        if not entry.endpoints:
            entry.wanted.set()
            return Absent(SkipReason.PROVIDER_NOT_FOUND, entry.absence())
        return entry.endpoints

    def unread(self) -> frozenset[str]:
        """Providers whose registry has not answered yet."""
        return frozenset(key for key, entry in self._entries.items() if entry.agents is None)

    def all(self) -> Iterator[Endpoint]:
        """Every agent that is used."""
        return (endpoint for entry in self._entries.values() for endpoint in entry.endpoints)

    def look_again(self, key: str) -> None:
        """An agent of a provider was not there: others may be."""
        if (entry := self._entries.get(key)) is not None:
            entry.wanted.set()

    async def first(self, key: str) -> None:
        """Wait until a provider's registry has answered, or could not be asked."""
        if (entry := self._entries.get(key)) is not None:
            await entry.asked.wait()

    async def close(self) -> None:
        """Follow no registry any more."""
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        self.use(())
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, entry: "_Entry") -> None:
        if entry.task is not None:
            entry.task.cancel()
        self.left(entry.endpoints)

    async def _follow(self, entry: "_Entry") -> None:
        while _is_own(entry.upstream) and self._own() is None:  # noqa: ASYNC110 - soon, and once
            await asyncio.sleep(_NOT_YET_SECONDS)
        while True:
            before = entry.endpoints
            try:
                entry.take(await self._listed(entry.registry(self._own)))
            except (UpstreamError, TimeoutError, NoListing, OSError) as error:
                entry.note(f"{type(error).__name__}: {error}")
            except Exception:  # noqa: BLE001 - what is known goes on being used
                _log.exception("the agents of a mesh could not be read", extra={"provider": entry.upstream.key})
            entry.asked.set()
            self.left(set(before).difference(entry.endpoints))
            await asyncio.sleep(_LEAST_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(entry.wanted.wait(), self._every_seconds - _LEAST_SECONDS)
            entry.wanted.clear()

    async def _listed(self, registry: Upstream) -> tuple[ListedAgent, ...]:
        path = registry.base_url.raw_path.rstrip("/") + _PATH
        receiving = await self._transport.send(
            Sending(registry, path, b"", method="GET"), within=registry.timeouts.connect_seconds + _LISTING_SECONDS
        )
        try:
            body = await receiving.read(limit=MAX_LISTING, within=_LISTING_SECONDS)
        finally:
            receiving.close()
        if receiving.status != 200:
            raise NoListing(f"it answers {receiving.status}")
        return read_listing(body)


class _Entry:
    """What is known of one provider's agents."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.agents: tuple[ListedAgent, ...] | None = None
        self.endpoints: tuple[Endpoint, ...] = ()
        self.wanted = asyncio.Event()
        self.asked = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._trouble = ""
        self._registry: Upstream | None = None

    def goes_on_with(self, upstream: Upstream) -> bool:
        """Whether the same registry is asked: then what is known of agents is used on, as `upstream` says."""
        before = self.upstream
        if (before.base_url, _is_own(before)) != (upstream.base_url, _is_own(upstream)):
            return False
        self.upstream = upstream
        self._registry = None
        if not _calls_alike(before, upstream):
            self.endpoints = ()
        if self.agents is not None:
            self._use(self.agents)
        return True

    def registry(self, own: Callable[[], URL | None]) -> Upstream:
        """Who is asked; `own` is where the gateway's own registry answers."""
        if self._registry is None:
            url = own() if _is_own(self.upstream) else None
            self._registry = self.upstream if url is None else replace(self.upstream, base_url=url)
        return self._registry

    def take(self, agents: tuple[ListedAgent, ...]) -> None:
        """The registry has answered."""
        self.note("")
        if agents != self.agents:
            self._use(agents)

    def note(self, trouble: str) -> None:
        """Say once that the registry is away, and once that it is back."""
        if bool(trouble) != bool(self._trouble):
            told = {"provider": self.upstream.key}
            if trouble:
                _log.warning("a mesh's registry does not answer: %s", trouble, extra=told)
            else:
                _log.info("a mesh's registry answers again", extra=told)
        self._trouble = trouble

    def absence(self) -> str:
        """Why there is no endpoint, as a sentence about the provider."""
        wanted = self._wanted
        if self.agents is None:
            return f"the registry of its mesh cannot be asked for {described(wanted)}"
        return absence(self.agents, wanted)

    @property
    def _wanted(self) -> MeshSource:
        return self.upstream.mesh or MeshSource(capability="llm")

    def _use(self, agents: tuple[ListedAgent, ...]) -> None:
        self.agents = agents
        known = {endpoint.key: endpoint for endpoint in self.endpoints}
        made = [self._endpoint(found) for found in find(agents, self._wanted)[:_MOST]]
        self.endpoints = tuple(_same(known.get(each.key), each) for each in made)

    def _endpoint(self, found: Found) -> Endpoint:
        headers = CIMultiDict(self.upstream.headers)
        for name in _FOR_THE_REGISTRY:
            headers.pop(name, None)
        called = replace(self.upstream, base_url=found.url, headers=CIMultiDictProxy(headers))
        return Endpoint(
            f"{self.upstream.key}@{found.id}",
            _place(found.url),
            rank=found.rank,
            agent=Agent(called, found.whole, found.streamed),
        )


def _is_own(upstream: Upstream) -> bool:
    """Whether the registry is the gateway's own."""
    return upstream.mesh is not None and upstream.mesh.own


def _calls_alike(one: Upstream, other: Upstream) -> bool:
    """Whether agents are called in the same way for both."""
    told, now = ((u.headers, u.ssl, u.server_name, u.timeouts) for u in (one, other))
    return told == now


def _same(before: Endpoint | None, after: Endpoint) -> Endpoint:
    """The one that was, if nothing is new: its connections and all that was made for it are kept."""
    if before is None or before.agent is None or after.agent is None:
        return after
    return before if _told(before, before.agent) == _told(after, after.agent) else after


def _told(endpoint: Endpoint, agent: Agent) -> tuple[object, ...]:
    return endpoint.rank, agent.upstream.base_url, agent.whole, agent.streamed


def _place(url: URL) -> str:
    host = url.host or ""
    return f"[{host}]:{url.port}" if ":" in host else f"{host}:{url.port}"
