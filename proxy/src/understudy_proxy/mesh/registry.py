"""Who is in the mesh: agents that told of themselves, and who of them was heard of lately.

Nobody is asked for anything: agents come, say every few seconds that they are still there, and leave. Time is passed
in, monotonic seconds; nothing runs by itself, so that whoever looks sees who is silent as of now. The gateway's own
agent (`house`) is no entry: it is passed in as well, because where it is called depends on who asks.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from understudy_proxy.mesh.agents import AgentType, Registration, Status
from understudy_proxy.mesh.partners import NO_LINKS, Links

SILENT_SECONDS = 20.0
"""After that, an agent counts as gone. Agents tell of themselves every 5 seconds."""
FORGOTTEN_SECONDS = 3600.0
"""After that, it is not listed any more."""
MAX_AGENTS = 1000
MAX_TOOLS = 5000
"""Of all agents: each is looked at for each thing that an agent looks for."""
MAX_BYTES = 64 * 1024 * 1024
"""Of what all agents say of themselves."""


class Full(Exception):
    """There is no room for one more agent; the message says so."""


class Beat(Enum):
    """What an agent is told that says it is still there."""

    KNOWN = "known"
    CHANGED = "changed"
    """Others came or went since it last told all of itself: it may find other partners now."""
    UNKNOWN = "unknown"
    """It has to tell all of itself."""


@dataclass(slots=True)
class Entry:
    """An agent, and when it was heard of."""

    told: Registration
    created: float
    seen: float
    status: Status = Status.HEALTHY
    heard: int = 0
    """How many events had been when it last told all of itself."""
    links: Links = NO_LINKS
    """Whom it found then."""


class Arrival(NamedTuple):
    """An agent that has told of itself, and among whom it is to find partners."""

    entry: Entry
    agents: list[Registration]
    """Those who are well, in the order in which they came."""
    new: bool

    @property
    def comparisons(self) -> int:
        """What finding its partners takes: each thing that it looks for against each tool."""
        return sum(len(tool.wanted) for tool in self.entry.told.tools) * sum(len(agent.tools) for agent in self.agents)


class Registry:
    """The agents of a mesh."""

    def __init__(self) -> None:
        # The one who was heard of the longest ago first.
        self._entries: dict[str, Entry] = {}
        self._created: dict[str, None] = {}
        """Ids in the order in which they came."""
        self._bytes = 0
        self._tools = 0
        self._events = 0

    def register(self, told: Registration, *, house: Registration | None, now: float) -> Arrival:
        """Take what an agent tells of itself; `house` is there as well, for it to find.

        Raises:
            Full: there is no room for it.
        """
        self._age(now)
        known = self._entries.get(told.id)
        self._make_room(told, known)
        entry = Entry(told, created=known.created if known else now, seen=now)
        if known is None or known.status is not Status.HEALTHY:
            self._happened(told)
        if known is not None:
            self._count(known.told, -1)
            del self._entries[told.id]
        self._count(told, 1)
        self._entries[told.id] = entry
        self._created[told.id] = None
        entry.heard = self._events
        return Arrival(entry, self._healthy(house), new=known is None)

    def beat(self, agent_id: str, *, now: float) -> Beat:
        """An agent says that it is still there."""
        self._age(now)
        entry = self._entries.get(agent_id)
        if entry is None or entry.status is not Status.HEALTHY:
            return Beat.UNKNOWN
        entry.seen = now
        self._entries[agent_id] = self._entries.pop(agent_id)
        return Beat.CHANGED if entry.heard != self._events else Beat.KNOWN

    def leave(self, agent_id: str, *, now: float) -> None:
        """An agent says that it leaves; it stays listed for a while."""
        self._age(now)
        entry = self._entries.get(agent_id)
        if entry is not None:
            self._gone(entry)

    def changed(self) -> None:
        """What the gateway offers is another than before."""
        self._events += 1

    def entries(self, *, now: float) -> tuple[Entry, ...]:
        """All agents that are listed, in the order in which they came."""
        self._age(now)
        return tuple(self._entries[agent_id] for agent_id in self._created)

    def counts(self, *, now: float) -> dict[Status, int]:
        """How many of them fare how."""
        self._age(now)
        counts = dict.fromkeys(Status, 0)
        for entry in self._entries.values():
            counts[entry.status] += 1
        return counts

    def _healthy(self, house: Registration | None) -> list[Registration]:
        entries = (self._entries[agent_id] for agent_id in self._created)
        healthy = [entry.told for entry in entries if entry.status is Status.HEALTHY]
        return healthy if house is None else [*healthy, house]

    def _age(self, now: float) -> None:
        """Whoever was not heard of for long is gone; who was gone for long is forgotten."""
        for entry in self._silent(now - SILENT_SECONDS):
            self._gone(entry)
        for entry in self._silent(now - FORGOTTEN_SECONDS):
            self._forget(entry)

    def _silent(self, since: float) -> list[Entry]:
        found: list[Entry] = []
        for entry in self._entries.values():
            if entry.seen > since:
                break
            found.append(entry)
        return found

    def _gone(self, entry: Entry) -> None:
        if entry.status is Status.HEALTHY:
            entry.status = Status.UNHEALTHY
            self._happened(entry.told)

    def _happened(self, told: Registration) -> None:
        if told.type is not AgentType.API:  # it has nothing that others could use
            self._events += 1

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.told.id]
        del self._created[entry.told.id]
        self._count(entry.told, -1)

    def _count(self, told: Registration, times: int) -> None:
        self._bytes += times * told.size
        self._tools += times * len(told.tools)

    def _make_room(self, told: Registration, known: Entry | None) -> None:
        def full() -> bool:
            before = known.told if known else None
            others = len(self._entries) - (before is not None)
            tools = self._tools - (len(before.tools) if before else 0)
            size = self._bytes - (before.size if before else 0)
            return others >= MAX_AGENTS or tools + len(told.tools) > MAX_TOOLS or size + told.size > MAX_BYTES

        gone = (each for each in tuple(self._entries.values()) if each.status is not Status.HEALTHY)
        while full():
            leaving = next((each for each in gone if each is not known), None)
            if leaving is None:
                limits = f"{MAX_AGENTS} agents, {MAX_TOOLS} tools, {MAX_BYTES} bytes"
                raise Full(f"this registry has no room for the agent; it takes {limits}")
            self._forget(leaving)
