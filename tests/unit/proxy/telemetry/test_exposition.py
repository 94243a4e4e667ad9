"""What Prometheus reads."""

import gzip

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book
from understudy_proxy.telemetry.exposition import render


def a_book() -> Book:
    """Some numbers of each kind."""
    book = Book()
    book.tally(families.REQUESTS, "ai/chat", "ai/main", "m", "2xx", "").value = 3
    book.tally(families.IN_FLIGHT).value = 2
    first_token = book.distribution(families.FIRST_TOKEN_SECONDS, "ai/chat", "ai/main", "chat", "openai", "m")
    for seconds in (0.002, 0.3, 99.0):
        first_token.observe(seconds)
    return book


def test_prometheus_reads_it() -> None:
    """Names, kinds and values come out as they went in; buckets are cumulative."""
    page = render(a_book().samples(), accept="text/plain;version=0.0.4", accept_encoding="")
    found = {metric.name: metric for metric in parse(page.body.decode())}
    assert ("counter", 3.0) == (found["understudy_requests"].type, found["understudy_requests"].samples[0].value)
    assert "understudy_requests_total" == found["understudy_requests"].samples[0].name
    histogram = found["gen_ai_server_time_to_first_token_seconds"]
    buckets = {sample.labels["le"]: sample.value for sample in histogram.samples if sample.name.endswith("_bucket")}
    assert (0.0, 1.0, 2.0, 3.0) == (buckets["0.001"], buckets["0.005"], buckets["10.0"], buckets["+Inf"])
    counts = [sample.value for sample in histogram.samples if sample.name.endswith("_count")]
    assert [3.0] == counts


def test_speaks_openmetrics_when_asked() -> None:
    """The format is the scraper's choice."""
    page = render(a_book().samples(), accept="application/openmetrics-text;version=1.0.0", accept_encoding="")
    assert page.content_type.startswith("application/openmetrics-text")
    assert {"understudy_requests", "understudy_requests_in_flight"} <= {
        metric.name
        for metric in parse_openmetrics(page.body.decode())  # type: ignore[no-untyped-call] # the library's
    }


@pytest.mark.parametrize(
    ("accepted", "encoding"), [pytest.param("gzip", "gzip", id="asked"), pytest.param("identity", None, id="not asked")]
)
def test_compresses_when_asked(accepted: str, encoding: str | None) -> None:
    """Thousands of series compress well."""
    samples = a_book().samples()
    page = render(samples, accept="", accept_encoding=accepted)
    body = gzip.decompress(page.body) if page.encoding else page.body
    assert (encoding, render(samples, accept="", accept_encoding="").body) == (page.encoding, body)


def test_label_values_are_escaped() -> None:
    """A model's name may hold anything; the page stays readable."""
    book = Book()
    book.tally(families.REQUESTS, 'ai/"x"', "a\\b", "line\nbreak", "2xx", "").value = 1
    page = render(book.samples(), accept="", accept_encoding="")
    (metric,) = parse(page.body.decode())
    labels = metric.samples[0].labels
    assert ('ai/"x"', "a\\b", "line\nbreak") == (labels["route"], labels["provider"], labels["model"])


def test_family_names_are_unique_and_end_as_prometheus_wants() -> None:
    """Seconds and bytes are in the names, `_total` is added by the format."""
    names = [family.name for family in families.ALL]
    assert len(names) == len(set(names))
    assert [] == [name for name in names if name.endswith("_total")]
