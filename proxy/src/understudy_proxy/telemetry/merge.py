"""The numbers of several workers as one: sums of what is counted, the fitting extreme of what is a state.

A worker that dies takes its numbers with it, and a total that falls looks to Prometheus like a counter that began anew.
So what a worker counted up to the last scrape is kept when another one takes its place.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Buckets, Family, Kind, Merge, Samples, Values

_FAMILIES = {family.name: family for family in families.ALL}


def to_wire(samples: Samples) -> dict[str, list[list[Any]]]:
    """`samples` as JSON can carry them."""
    return {
        name: [[labels, [*value] if isinstance(value, Buckets) else value] for labels, value in values.items()]
        for name, values in samples.items()
    }


def from_wire(wire: Mapping[str, Any]) -> Samples:
    """What `to_wire` made."""
    return {name: {tuple(labels): _value(value) for labels, value in rows} for name, rows in wire.items()}


def merge(parts: Iterable[Samples]) -> Samples:
    """All parts as one."""
    merged: dict[str, dict[tuple[str, ...], float | Buckets]] = {}
    for part in parts:
        for name, values in part.items():
            family = _FAMILIES.get(name)
            if family is not None:
                _add(family, merged.setdefault(name, {}), values)
    return merged


class Departed:
    """What the workers that are gone have counted."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[str, Samples]] = {}
        self._gone: Samples = {}

    def seen(self, worker: int, incarnation: str, samples: Samples) -> None:
        """These are the numbers of the process that now is worker number `worker`."""
        before = self._last.get(worker)
        if before is not None and before[0] != incarnation:
            self._gone = merge((self._gone, _counted(before[1])))
        self._last[worker] = (incarnation, samples)

    def missed(self, worker: int) -> Samples:
        """What is known of a worker that does not answer: all that it had counted."""
        known = self._last.get(worker)
        return _counted(known[1]) if known is not None else {}

    @property
    def samples(self) -> Samples:
        """Of all that are gone."""
        return self._gone


def _value(value: Any) -> float | Buckets:
    return Buckets(tuple(value[0]), value[1]) if isinstance(value, list) else float(value)


def _add(family: Family, into: dict[tuple[str, ...], float | Buckets], values: Values) -> None:
    for labels, value in values.items():
        known = into.get(labels)
        into[labels] = value if known is None else _together(family, known, value)


def _together(family: Family, one: float | Buckets, other: float | Buckets) -> float | Buckets:
    if isinstance(one, Buckets) and isinstance(other, Buckets):
        return Buckets(tuple(a + b for a, b in zip(one.counts, other.counts, strict=True)), one.total + other.total)
    if isinstance(one, Buckets) or isinstance(other, Buckets):
        raise TypeError(f"{family.name} is a histogram in one worker and a number in another")
    if family.merge is Merge.SUM:
        return one + other
    return max(one, other) if family.merge is Merge.MAX else min(one, other)


def _counted(samples: Samples) -> Samples:
    """Without gauges: the state of a process ends with it."""
    return {name: values for name, values in samples.items() if _FAMILIES[name].kind is not Kind.GAUGE}
