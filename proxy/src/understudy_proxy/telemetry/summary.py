"""The numbers of a gateway in a few: how many requests, how they went, and how each provider fared.

They are read from the same book as what Prometheus scrapes, and so they are those of one process since it began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Buckets, Family
from understudy_proxy.telemetry.pruning import NOBODY

KEPT_SECONDS = 1.0
PERCENTILES = (50, 90, 95, 99)
_PROVIDER = "provider"
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


class Summaries:
    """Sums that are up to a second old: whoever asks again and again costs no more than whoever asks now and then."""

    def __init__(self, book: Book, *, timer: Callable[[], float]) -> None:
        """Sum up `book`; `timer` gives monotonic seconds."""
        self._book = book
        self._timer = timer
        self._known = Summary()
        self._stale_at = 0.0

    def current(self) -> Summary:
        """How requests have fared."""
        now = self._timer()
        if now >= self._stale_at:
            self._known, self._stale_at = summarize(self._book), now + KEPT_SECONDS
        return self._known


def summarize(book: Book) -> Summary:
    """The sums of all numbers."""
    summary = Summary()
    for provider, kind, count in _counts(book, families.REQUESTS, "status_class"):
        summary.requests += count
        if kind == _GOOD:
            summary.succeeded += count
            if provider != NOBODY:
                _of(summary, provider).answers += count
    for provider, outcome, count in _counts(book, families.ATTEMPTS, "outcome"):
        _of(summary, provider).attempts += count
        _of(summary, provider).errors += 0 if outcome in _NO_ERROR else count
    for provider, kind, count in _counts(book, families.TOKENS, "type"):
        _of(summary, provider).tokens += count if kind in _TOKENS else 0
    for provider, _, buckets in _distributions(book, families.FIRST_TOKEN_SECONDS, "route"):
        _of(summary, provider).streams += sum(buckets.counts)
    for provider, buckets in _succeeded(book).items():
        _of(summary, provider).latency = percentiles(buckets)
    summary.failovers = sum(int(value) for value in book.values(families.FAILOVERS).values() if type(value) is float)
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


def _succeeded(book: Book) -> dict[str, Buckets]:
    """How long attempts took that succeeded, of each provider."""
    sums: dict[str, Buckets] = {}
    for provider, error, buckets in _distributions(book, families.ATTEMPT_SECONDS, "error_type"):
        if not error:
            known = sums.get(provider)
            zipped = buckets.counts if known is None else map(sum, zip(known.counts, buckets.counts, strict=True))
            sums[provider] = Buckets(tuple(zipped), buckets.total)
    return sums


def _of(summary: Summary, provider: str) -> ProviderNumbers:
    found = summary.providers.get(provider)
    if found is None:
        found = summary.providers[provider] = ProviderNumbers()
    return found


def _counts(book: Book, family: Family, other: str) -> Iterator[tuple[str, str, int]]:
    """Each number of a family with its provider, and with another label."""
    provider, place = family.labels.index(_PROVIDER), family.labels.index(other)
    for labels, value in book.values(family).items():
        if not isinstance(value, Buckets):
            yield labels[provider], labels[place], int(value)


def _distributions(book: Book, family: Family, other: str) -> Iterator[tuple[str, str, Buckets]]:
    """The same of a histogram."""
    provider, place = family.labels.index(_PROVIDER), family.labels.index(other)
    for labels, value in book.values(family).items():
        if isinstance(value, Buckets):
            yield labels[provider], labels[place], value
