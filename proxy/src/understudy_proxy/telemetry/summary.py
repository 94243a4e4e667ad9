"""The numbers of a gateway in a few: how many requests, how they went, and how each provider fared.

They are read from the same book as what Prometheus scrapes, and so they are those of one process since it began.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Buckets, Family, Samples
from understudy_proxy.telemetry.pruning import NOBODY

PERCENTILES = (50, 90, 95, 99)
_GOOD = "2xx"
_NO_ERROR = frozenset({"success", "client_left"})
_TOKENS = frozenset({"input", "output"})
"""The types that are not part of one another."""


@dataclass(slots=True)
class ProviderNumbers:
    """How a provider fared. Times are seconds."""

    answers: int = 0
    """Requests that it answered in the end."""
    attempts: int = 0
    errors: int = 0
    """Attempts that failed; clients that left are none."""
    streams: int = 0
    """Streams that had begun to answer."""
    tokens: int = 0
    latency: dict[int, float] = field(default_factory=dict)
    """Percentiles of the attempts that succeeded, as exact as the histogram's buckets; empty without any."""


@dataclass(slots=True)
class Summary:
    """How requests fared."""

    requests: int = 0
    succeeded: int = 0
    failovers: int = 0
    providers: dict[str, ProviderNumbers] = field(default_factory=dict)
    """By key."""


def summarize(samples: Samples) -> Summary:
    """The sums of all numbers."""
    summary = Summary()
    for labels, count in _numbers(samples, families.REQUESTS):
        good = labels["status_class"] == _GOOD
        summary.requests += count
        summary.succeeded += count if good else 0
        if good and labels["provider"] != NOBODY:
            _of(summary, labels).answers += count
    for labels, count in _numbers(samples, families.ATTEMPTS):
        _of(summary, labels).attempts += count
        _of(summary, labels).errors += 0 if labels["outcome"] in _NO_ERROR else count
    for labels, count in _numbers(samples, families.TOKENS):
        _of(summary, labels).tokens += count if labels["type"] in _TOKENS else 0
    for labels, buckets in _distributions(samples, families.FIRST_TOKEN_SECONDS):
        _of(summary, labels).streams += sum(buckets.counts)
    for provider, buckets in _by_provider(samples, families.ATTEMPT_SECONDS).items():
        summary.providers.setdefault(provider, ProviderNumbers()).latency = percentiles(buckets)
    summary.failovers = sum(count for _, count in _numbers(samples, families.FAILOVERS))
    return summary


def percentiles(buckets: Buckets) -> dict[int, float]:
    """What so many percent of the values do not exceed, evenly spread within each bucket, as Prometheus has it."""
    total = sum(buckets.counts)
    return {each: _quantile(buckets.counts, total * each / 100) for each in PERCENTILES} if total else {}


def _quantile(counts: tuple[int, ...], rank: float) -> float:
    below, lower = 0, 0.0
    for count, upper in zip(counts, families.ATTEMPT_SECONDS.bounds, strict=False):
        if count and below + count >= rank:
            return lower + (upper - lower) * (rank - below) / count
        below, lower = below + count, upper
    # Beyond the last bound nothing is known.
    return families.ATTEMPT_SECONDS.bounds[-1]


def _by_provider(samples: Samples, family: Family) -> dict[str, Buckets]:
    """The distributions of what succeeded, those of each provider as one."""
    sums: dict[str, Buckets] = {}
    for labels, buckets in _distributions(samples, family):
        if labels["error_type"]:
            continue
        known = sums.get(labels["provider"])
        counts = buckets.counts if known is None else tuple(map(sum, zip(known.counts, buckets.counts, strict=True)))
        sums[labels["provider"]] = Buckets(counts, buckets.total)
    return sums


def _of(summary: Summary, labels: Mapping[str, str]) -> ProviderNumbers:
    return summary.providers.setdefault(labels["provider"], ProviderNumbers())


def _numbers(samples: Samples, family: Family) -> Iterator[tuple[dict[str, str], int]]:
    for labels, value in samples.get(family.name, {}).items():
        if not isinstance(value, Buckets):
            yield dict(zip(family.labels, labels, strict=True)), int(value)


def _distributions(samples: Samples, family: Family) -> Iterator[tuple[dict[str, str], Buckets]]:
    for labels, value in samples.get(family.name, {}).items():
        if isinstance(value, Buckets):
            yield dict(zip(family.labels, labels, strict=True)), value
