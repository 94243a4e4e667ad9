"""The doors `/heartbeat` and `/agents`, to the letter of the registries that agents know.

Nobody signs in, as there. Agents that are unknown here, after a restart for example, are told so and tell all of
themselves again: what is lost comes back by itself.
"""

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import parse_qs

import orjson

from understudy_proxy.doors.door import Answer, Headers, Refused, Request
from understudy_proxy.doors.mesh.address import Address, address_of
from understudy_proxy.doors.mesh.relaying import Relay
from understudy_proxy.mesh.agents import Registration, Status
from understudy_proxy.mesh.house import House
from understudy_proxy.mesh.partners import Partners, find_partners, links_of
from understudy_proxy.mesh.reading import MAX_BODY, Invalid, Malformed, read_registration
from understudy_proxy.mesh.registry import Arrival, Beat, Entry, Full, Registry
from understudy_proxy.mesh.telling import Fields, listed, told_time, turned_away, welcomed

_log = logging.getLogger(__name__)
_NEVER_STORED: Headers = (("cache-control", "no-store"),)
_AT_ONCE = 2000
"""Comparisons that take no time to speak of, some 2 ms; more are made in a thread, so that nobody's stream waits."""
_STATUS = {Beat.KNOWN: 200, Beat.CHANGED: 202, Beat.UNKNOWN: 410}


class RegistryDoors:
    """Agents come, go on and leave here, and are listed."""

    def __init__(
        self,
        registry: Registry,
        house: House,
        *,
        relay: Relay,
        own_id: str,
        address: Address | None,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        """Keep `registry`.

        Args:
            registry: Who is there.
            house: The gateway's own agent, which is always there.
            relay: Asks whoever keeps the registry for this process, if somebody does.
            own_id: The id of the gateway's agent here.
            address: Where agents reach it; None: where they have reached it.
            clock: Seconds since the epoch.
            timer: Monotonic seconds.
        """
        self._registry = registry
        self._house = house
        self._relay = relay
        self._own_id = own_id
        self._address = address
        self._clock = clock
        self._timer = timer
        self._opened = timer()
        self._finding = asyncio.Lock()

    async def heartbeat(self, request: Request) -> Answer:
        """Take what an agent tells of itself; tell it whom it was looking for."""
        raw = await request.body()
        if len(raw) > MAX_BODY:
            raise Refused(413, f"An agent takes {MAX_BODY} bytes at most to tell of itself.", reason="body_too_large")
        if (answer := await self._relay.passed_on(request, raw)) is not None:
            return answer
        try:
            return _answer(await self._taken(read_registration(raw), request))
        except Malformed as error:
            raise Refused(400, str(error), reason="bad_request") from error
        except Invalid as error:
            return _answer(turned_away(error.agent_id, str(error), at=told_time(self._clock())))

    async def _taken(self, told: Registration, request: Request) -> Fields:
        at = told_time(self._clock())
        if told.id == self._own_id:
            return turned_away(told.id, "validation failed: agent_id: it is that of the gateway itself", at=at)
        try:
            arrival = self._registry.register(told, house=self._own(request), now=self._timer())
        except Full as error:
            _log.warning("the mesh's registry is full")
            return turned_away(told.id, str(error), at=at)
        if arrival.new:
            _log.info("an agent joined the mesh", extra={"agent": told.id, "endpoint": told.endpoint})
        found = await self._partners(arrival)
        arrival.entry.links = links_of(found)
        return welcomed(told.id, found, new=arrival.new, at=at)

    async def _partners(self, arrival: Arrival) -> Partners:
        if arrival.comparisons <= _AT_ONCE:
            return find_partners(arrival.entry.told, arrival.agents)
        async with self._finding:
            return await asyncio.to_thread(find_partners, arrival.entry.told, arrival.agents)

    async def beat(self, request: Request) -> Answer:
        """An agent is still there, and hears whether there is more to say."""
        if request.method != "HEAD":
            raise _nothing(request)
        if (answer := await self._relay.passed_on(request)) is not None:
            return answer
        return Answer(_STATUS[self._registry.beat(request.rest, now=self._timer())], headers=_NEVER_STORED)

    async def leave(self, request: Request) -> Answer:
        """An agent leaves. Whoever is not here has left."""
        if (answer := await self._relay.passed_on(request)) is not None:
            return answer
        self._registry.leave(request.rest, now=self._timer())
        return Answer(204)

    async def nothing(self, request: Request) -> Answer:
        """A single agent is not to be had."""
        raise _nothing(request)

    async def agents(self, request: Request) -> Answer:
        """Who is there, and who was lately; the gateway itself comes last, as whoever steps in."""
        if (answer := await self._relay.passed_on(request)) is not None:
            return answer
        return _answer(self._shown(self._own(request), request.query))

    def _shown(self, own: Registration, query: str) -> Fields:
        now = self._timer()
        entries = (*self._registry.entries(now=now), Entry(own, created=self._opened, seen=now))
        healthy = frozenset(entry.told.id for entry in entries if entry.status is Status.HEALTHY)
        chosen = _Chosen(query)
        shown = [self._listed(entry, healthy, now) for entry in entries if chosen.takes(entry)]
        return {"agents": shown, "count": len(shown), "timestamp": told_time(self._clock())}

    def _own(self, request: Request) -> Registration:
        address = self._address or address_of(request)
        return self._house.agent(self._own_id, host=address.host, port=address.port)

    def _listed(self, entry: Entry, healthy: frozenset[str], now: float) -> Fields:
        epoch = self._clock() - now
        return listed(
            entry, healthy=healthy, created=told_time(epoch + entry.created), seen=told_time(epoch + entry.seen)
        )


class _Chosen:
    """Which agents are asked for."""

    def __init__(self, query: str) -> None:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        self._status = asked.get("status")
        self._namespace = asked.get("namespace")
        self._type = asked.get("type")
        self._capability = asked.get("capabilities")

    def takes(self, entry: Entry) -> bool:
        told = entry.told
        return (
            self._status in {None, entry.status}
            and self._namespace in {None, told.namespace}
            and self._type in {None, told.type}
            and (self._capability is None or any(tool.capability == self._capability for tool in told.tools))
        )


def _answer(fields: Fields) -> Answer:
    return Answer(body=orjson.dumps(fields), headers=_NEVER_STORED)


def _nothing(request: Request) -> Refused:
    return Refused(
        404, f"There is nothing at {request.method} {request.path[:200]}.", code="unknown_url", reason="unknown_url"
    )
