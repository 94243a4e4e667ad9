"""The gateway's part in a mesh of agents: a registry of its own, and its own agent there and in somebody else's.

Wires what `mesh` and `doors/mesh` hold, as `gateway.py` does with the rest.
"""

import socket
import time
from importlib.metadata import version

from understudy_proxy.announcing import BEAT_SECONDS, Announcer
from understudy_proxy.config.holder import RuntimeHolder
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.mesh.address import Address
from understudy_proxy.doors.mesh.registry import RegistryDoors
from understudy_proxy.doors.mesh.relaying import Relay, nobody, pods, worker
from understudy_proxy.doors.mesh.routes import mesh_routes
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.mesh.house import House, agent_id
from understudy_proxy.mesh.registry import Registry
from understudy_proxy.settings import Settings

_HTTP = 80


class Agency:
    """What agents see of the gateway."""

    def __init__(
        self,
        settings: Settings,
        holder: RuntimeHolder,
        *,
        registry: Registry,
        resolver: Resolver,
        registry_port: int | None,
    ) -> None:
        """Offer whatever configuration `holder` gets.

        Args:
            settings: How.
            holder: Of the configuration.
            registry: The gateway's own, which stays empty where somebody else keeps it.
            resolver: Finds the other pods.
            registry_port: Where the worker of this pod listens that keeps the registry; None: it is this one.
        """
        self._settings = settings
        self._first = registry_port is None
        self._house = House(namespace=settings.default_namespace or None, version=version("understudy"))
        self._house.on_change(registry.changed)
        holder.on_swap(self._house.use)
        self._announcer: Announcer | None = None
        self._relay = self._make_relay(resolver, registry_port)
        # The same in every pod of an installation: to agents that call its Service, they are one.
        self._own_id = agent_id(settings.namespace, settings.prefix)
        self._doors = RegistryDoors(
            registry,
            self._house,
            relay=self._relay,
            own_id=self._own_id,
            address=self._told_address(),
            clock=time.time,
            timer=time.monotonic,
        )

    def routes(self) -> tuple[Route, ...]:
        """Where agents register."""
        return mesh_routes(self._doors)

    def inner_routes(self) -> tuple[Route, ...]:
        """The same, for the other workers of this pod, if there are any and this is the one that they ask."""
        return self.routes() if self._first and self._settings.workers > 1 else ()

    def start(self, port: int) -> None:
        """Register with the other registry, if there is one; callers are let in at `port`."""
        settings = self._settings
        if not settings.mesh_registry_url or not self._first:
            return
        # Of this pod: should one end, the others stay.
        own_id = agent_id(socket.gethostname(), port)
        address = self._told_address() or Address(settings.near_host, settings.mesh_port or port)
        self._announcer = Announcer(
            settings.mesh_registry_url,
            lambda: self._house.agent(own_id, host=address.host, port=address.port),
            every_seconds=BEAT_SECONDS,
        )
        self._house.on_change(self._announcer.changed)
        if self._house.offers:
            self._announcer.changed()
        self._announcer.start()

    def retire(self) -> None:
        """Leave the other registry: nobody new is to come."""
        if self._announcer is not None:
            self._announcer.leave()

    async def close(self) -> None:
        """Wait until it has been told."""
        if self._announcer is not None:
            await self._announcer.stop()
        await self._relay.close()

    def _make_relay(self, resolver: Resolver, registry_port: int | None) -> Relay:
        settings = self._settings
        if registry_port is not None:
            return Relay(worker(registry_port), marked=False)
        if settings.mesh_peers:
            others = pods(resolver, name=settings.mesh_peers, own=settings.pod_ip, port=settings.port)
            return Relay(others, marked=True)
        return Relay(nobody, marked=False)

    def _told_address(self) -> Address | None:
        """Where agents reach the gateway, as its settings say."""
        settings = self._settings
        return Address(settings.mesh_host, settings.mesh_port or _HTTP) if settings.mesh_host else None
