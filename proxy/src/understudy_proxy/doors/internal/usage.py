"""What agents have used: sums by the minute, for a day, within a bound.

The sums are those of one process: with several, each tells its own.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from understudy_proxy.doors.internal.agents import Agent

KEPT_SECONDS = 24 * 3600
_SLOT_SECONDS = 60
_MOST_CELLS = 50_000
"""One for each agent (with its microdao and channel) in each minute: some 20 MB. Beyond that the oldest go."""


@dataclass(slots=True)
class Sums:
    """What was used. `cost` is in US dollars, and of those answers whose price is known; None where of none it is."""

    requests: int = 0
    succeeded: int = 0
    tokens: int = 0
    milliseconds: float = 0.0
    cost: Decimal | None = None

    def add(self, other: "Sums") -> None:
        """Both together."""
        self.requests += other.requests
        self.succeeded += other.succeeded
        self.tokens += other.tokens
        self.milliseconds += other.milliseconds
        if other.cost is not None:
            self.cost = (self.cost or Decimal(0)) + other.cost


class _Cell(NamedTuple):
    slot: int
    agent: Agent


class AgentUsage:
    """Keeps the sums."""

    def __init__(self, *, clock: Callable[[], float], most_cells: int = _MOST_CELLS) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        self._most_cells = most_cells
        self._cells: OrderedDict[_Cell, Sums] = OrderedDict()
        self._complete_since = clock()

    def add(self, agent: Agent, used: Sums) -> None:
        """An agent has used so much."""
        slot = int(self._clock() // _SLOT_SECONDS)
        self._cells.setdefault(_Cell(slot, agent), Sums()).add(used)
        self._forget(before=slot - KEPT_SECONDS // _SLOT_SECONDS)

    def total(self, of: Agent, *, seconds: float) -> tuple[float, Sums]:
        """Since when, in seconds since the epoch, and how much.

        Args:
            of: Whose; an empty part stands for any.
            seconds: The last so many, to the minute; if fewer are known, since when shows it.
        """
        first = int((self._clock() - seconds) // _SLOT_SECONDS)
        sums = Sums()
        for used in self._matching(of, first):
            sums.add(used)
        return max(float(first * _SLOT_SECONDS), self._complete_since), sums

    def _matching(self, of: Agent, first: int) -> Iterator[Sums]:
        for (slot, agent), used in self._cells.items():
            if slot >= first and _is_one_of(agent, of):
                yield used

    def _forget(self, *, before: int) -> None:
        while self._cells:
            oldest = next(iter(self._cells))
            if oldest.slot >= before and len(self._cells) <= self._most_cells:
                return
            del self._cells[oldest]
            self._complete_since = max(self._complete_since, float((oldest.slot + 1) * _SLOT_SECONDS))


def _is_one_of(agent: Agent, of: Agent) -> bool:
    return (
        of.agent_id in {"", agent.agent_id}
        and of.microdao_id in {"", agent.microdao_id}
        and of.channel_id in {"", agent.channel_id}
    )
