"""Numbers as they are counted: plain Python objects, cheaper to add to than any metrics library.

prometheus-client takes a lock for each addition and walks through the buckets of a histogram one by one; a request adds
to a dozen of them. Here an addition costs a tenth of a microsecond, and prometheus-client renders what was counted
when somebody asks (`exposition.py`). The same plain numbers travel between the workers of one process (`merge.py`).
One thread writes: the event loop's.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a number means."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """How the numbers of several workers become one."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: everything but its numbers."""

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, ascending; the last, infinite one goes without saying."""
    merge: Merge = Merge.SUM


class Buckets(NamedTuple):
    """A histogram's numbers: how many fell into each bucket (not accumulated), and their sum."""

    counts: tuple[int, ...]
    total: float


Values = Mapping[tuple[str, ...], float | Buckets]
"""By the values of the labels."""
Samples = Mapping[str, Values]
"""By the name of the family."""


class Tally:
    """A counter or a gauge."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Distribution:
    """A histogram."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value; a bound belongs to the bucket below it."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Book:
    """All numbers of one process."""

    _tallies: dict[Family, dict[tuple[str, ...], Tally]] = field(default_factory=dict)
    _distributions: dict[Family, dict[tuple[str, ...], Distribution]] = field(default_factory=dict)

    def tally(self, family: Family, *labels: str) -> Tally:
        """The one counter or gauge with these labels."""
        return self._tallies.setdefault(family, {}).setdefault(labels, Tally())

    def distribution(self, family: Family, *labels: str) -> Distribution:
        """The one histogram with these labels."""
        of_family = self._distributions.setdefault(family, {})
        found = of_family.get(labels)
        if found is None:
            found = of_family[labels] = Distribution(family.bounds)
        return found

    def replace(self, family: Family, values: Mapping[tuple[str, ...], float]) -> None:
        """Make `values` all there is of a gauge."""
        tallies = self._tallies[family] = {}
        for labels, value in values.items():
            tally = tallies[labels] = Tally()
            tally.value = value

    def prune(self, family: Family, keep: Callable[[tuple[str, ...]], bool]) -> None:
        """Forget the numbers whose labels nobody can meet any more."""
        for table in (self._tallies.get(family, {}), self._distributions.get(family, {})):
            for labels in [labels for labels in table if not keep(labels)]:
                del table[labels]

    def values(self, family: Family) -> dict[tuple[str, ...], float | Buckets]:
        """One family's numbers, as they are now."""
        if family.kind is Kind.HISTOGRAM:
            found = self._distributions.get(family, {})
            return {labels: Buckets(tuple(each.counts), each.total) for labels, each in found.items()}
        return {labels: tally.value for labels, tally in self._tallies.get(family, {}).items()}

    def samples(self) -> dict[str, dict[tuple[str, ...], float | Buckets]]:
        """Everything, as it is now."""
        samples: dict[str, dict[tuple[str, ...], float | Buckets]] = {}
        for family, tallies in self._tallies.items():
            samples[family.name] = {labels: tally.value for labels, tally in tallies.items()}
        for family, distributions in self._distributions.items():
            samples[family.name] = {
                labels: Buckets(tuple(found.counts), found.total) for labels, found in distributions.items()
            }
        return samples
