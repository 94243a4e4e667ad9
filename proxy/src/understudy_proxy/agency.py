"""The gateway's part in a mesh of agents: a registry of its own, and its own agent there and in somebody else's.

Wires what `mesh` and `doors/mesh` hold, as `gateway.py` does with the rest.
"""

import socket
import time
from importlib.metadata import version

from understudy_proxy.config.holder import RuntimeHolder
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.mesh.address import Address
from understudy_proxy.doors.mesh.registry import RegistryDoors
from understudy_proxy.doors.mesh.routes import mesh_routes
from understudy_proxy.mesh.announcing import BEAT_SECONDS, Announcer
from understudy_proxy.mesh.house import House, agent_id
from understudy_proxy.mesh.registry import Registry
from understudy_proxy.settings import Settings

_EVERY_INTERFACE = frozenset({"", "::", "*", "0.0.0.0"})
_HTTP = 80


class Agency:
    """What agents see of the gateway."""

    def __init__(self, settings: Settings, holder: RuntimeHolder) -> None:
        """Offer whatever configuration `holder` gets."""
        self._settings = settings
        self.registry = Registry()
        """The agents that registered here."""
        self._house = House(namespace=settings.default_namespace or None, version=version("understudy"))
        self._house.on_change(self.registry.changed)
        holder.on_swap(self._house.use)
        self._announcer: Announcer | None = None

    def routes(self) -> tuple[Route, ...]:
        """Where agents register."""
        settings = self._settings
        return mesh_routes(
            RegistryDoors(
                self.registry,
                self._house,
                # The same in every pod of an installation: to agents that call its Service, they are one.
                own_id=agent_id(settings.namespace, settings.prefix),
                address=self._told_address(),
                clock=time.time,
                timer=time.monotonic,
            )
        )

    def start(self, port: int) -> None:
        """Register with the other registry, if there is one; callers are let in at `port`."""
        settings = self._settings
        if not settings.mesh_registry_url:
            return
        # Of this pod: should one end, the others stay.
        own_id = agent_id(socket.gethostname(), port)
        address = self._told_address() or Address(
            "localhost" if settings.host in _EVERY_INTERFACE else settings.host, settings.mesh_port or port
        )
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

    def _told_address(self) -> Address | None:
        """Where agents reach the gateway, as its settings say."""
        settings = self._settings
        return Address(settings.mesh_host, settings.mesh_port or _HTTP) if settings.mesh_host else None
