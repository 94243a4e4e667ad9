"""The places where an upstream answers: its URL, or every address behind the name of a headless Service, or agents.

Planning asks synchronously and gets what is known; `ready` sees to it that something is. Addresses are looked up again
when they are used and older than the resolver keeps them, in the background, so that no request waits for DNS twice.
"""

import asyncio
from collections.abc import Callable, Collection

from understudy_proxy.config.runtime import Runtime, RuntimeTarget, Upstream
from understudy_proxy.exchange.directory import Directory
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.failure import UpstreamError
from understudy_proxy.routing.places import Absent, Endpoint

_MOST = 256
"""Addresses of one upstream that are used; each has health and a connection pool of its own."""


class Endpoints:
    """Endpoints by upstream."""

    def __init__(self, resolver: Resolver, directory: Directory) -> None:
        self._resolver = resolver
        self._directory = directory
        self._single: dict[str, tuple[Endpoint, ...]] = {}
        self._made: dict[str, tuple[tuple[str, ...], tuple[Endpoint, ...]]] = {}
        self.waiting: frozenset[str] = frozenset()
        """Upstreams of which no address was ever known."""
        self.gone: Callable[[str], None] = lambda _address: None
        """Called with an address that its name resolves to no more, or whose agent has left."""
        directory.left = self._leave

    def use(self, runtime: Runtime) -> None:
        """Get ready for `runtime`: prepare what is fixed, begin to look up what is not."""
        upstreams = runtime.upstreams.values()
        self._directory.use([u for u in upstreams if u.mesh is not None])
        self._single = {u.key: (Endpoint(u.key),) for u in upstreams if not u.per_address and u.mesh is None}
        per_address = {u.key: u for u in upstreams if u.per_address}
        self._made = {key: made for key, made in self._made.items() if key in per_address}
        unknown = {k for k, u in per_address.items() if not self._resolver.known(_where(u)[0])}
        self.waiting = frozenset(unknown | self._directory.unread())
        for upstream in per_address.values():
            self._resolver.refresh(*_where(upstream))

    def __call__(self, upstream: Upstream) -> tuple[Endpoint, ...] | Absent:
        """Where `upstream` answers, as far as known; none if its name never resolved, or why no agent does."""
        if upstream.mesh is not None:
            return self._directory.endpoints(upstream.key)
        if not upstream.per_address:
            return self._single.get(upstream.key) or (Endpoint(upstream.key),)
        host, port = _where(upstream)
        if not self._resolver.fresh(host):
            self._resolver.refresh(host, port)
        addresses = self._resolver.known(host)
        made = self._made.get(upstream.key)
        if made is None or made[0] is not addresses:
            before = () if made is None else made[1]
            made = self._made[upstream.key] = (addresses, _endpoints(upstream, addresses, port))
            self._leave(set(before).difference(made[1]))
        return made[1]

    async def ready(self, target: RuntimeTarget) -> None:
        """Wait for the first addresses of the upstreams of `target`, each at most its connect timeout."""
        upstreams = {c.upstream.key: c.upstream for rule in target.rules for tier in rule.tiers for c in tier}
        unknown = [upstream for key, upstream in upstreams.items() if key in self.waiting]
        if unknown:
            await asyncio.gather(*[self._first(upstream) for upstream in unknown])

    def failed(self, upstream: Upstream) -> None:
        """A connection could not be made: the addresses may have changed."""
        if upstream.mesh is not None:
            self._directory.look_again(upstream.key)
        if upstream.per_address:
            self._resolver.refresh(*_where(upstream))

    def known(self) -> frozenset[str]:
        """Keys of all endpoints of the current configuration."""
        several = (endpoint.key for _, made in self._made.values() for endpoint in made)
        return frozenset((*self._single, *several, *(endpoint.key for endpoint in self._directory.all())))

    async def close(self) -> None:
        """End what goes on in the background."""
        await self._directory.close()

    def _leave(self, endpoints: Collection[Endpoint]) -> None:
        for endpoint in endpoints:
            if endpoint.address is not None:
                self.gone(endpoint.address)

    async def _first(self, upstream: Upstream) -> None:
        try:
            async with asyncio.timeout(upstream.timeouts.connect_seconds):
                if upstream.mesh is not None:
                    await self._directory.first(upstream.key)
                else:
                    await self._resolver.addresses(*_where(upstream))
        except (TimeoutError, UpstreamError):
            return  # without an address it is passed over, and the plan says so
        self.waiting -= {upstream.key}


def _where(upstream: Upstream) -> tuple[str, int]:
    url = upstream.base_url
    return url.host or "", url.port or 80


def _endpoints(upstream: Upstream, addresses: tuple[str, ...], port: int) -> tuple[Endpoint, ...]:
    """One for each address of the family that the system prefers: with both, each server would count twice."""
    six = bool(addresses) and ":" in addresses[0]
    of_family = sorted(address for address in addresses if (":" in address) is six)
    places = [f"[{address}]:{port}" if six else f"{address}:{port}" for address in of_family]
    return tuple(Endpoint(f"{upstream.key}@{place}", place) for place in places[:_MOST])
