"""Numbers in the formats that Prometheus reads; prometheus-client renders and negotiates them.

It is imported at the first scrape: it takes 20 ms that no start-up should wait for.
"""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Buckets, Family, Kind, Samples, Values

if TYPE_CHECKING:
    from prometheus_client import Metric


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a scrape."""

    body: bytes
    content_type: str
    encoding: str | None


def render(samples: Samples, *, accept: str, accept_encoding: str) -> Page:
    """`samples` as the scraper's `Accept` and `Accept-Encoding` headers ask for them."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder, gzip_accepted

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(samples))
    encode, content_type = choose_encoder(accept)
    body = encode(registry)
    if gzip_accepted(accept_encoding):
        return Page(gzip.compress(body, compresslevel=6), content_type, "gzip")
    return Page(body, content_type, None)


class _Collector:
    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def collect(self) -> Iterator["Metric"]:
        for family in families.ALL:
            values = self._samples.get(family.name)
            if values:
                yield _metric(family, values)

    def describe(self) -> Iterable["Metric"]:
        return ()


def _metric(family: Family, values: Values) -> "Metric":
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if family.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in sorted(values.items()):
            if isinstance(value, Buckets):
                histogram.add_metric(labels, buckets=_cumulative(family, value), sum_value=value.total)
        return histogram
    plain = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = plain(family.name, family.help, labels=family.labels)
    for labels, value in sorted(values.items()):
        if not isinstance(value, Buckets):
            metric.add_metric(labels, value)
    return metric


def _cumulative(family: Family, buckets: Buckets) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in family.bounds), "+Inf"]
    return list(zip(bounds, accumulate(buckets.counts), strict=True))
