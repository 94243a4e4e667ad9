"""The numbers of a gateway in a few: sums of what is counted for each route, provider and model."""

from collections.abc import Mapping

import pytest

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Buckets
from understudy_proxy.telemetry.summary import KEPT_SECONDS, ProviderNumbers, Summaries, percentiles, summarize

SECONDS = families.ATTEMPT_SECONDS.bounds


def counted(observed: Mapping[float, int]) -> Buckets:
    """Attempts by the bound of the bucket that they fell into; infinity for beyond all."""
    counts = tuple(observed.get(bound, 0) for bound in (*SECONDS, float("inf")))
    return Buckets(counts, 0.0)


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({SECONDS[0]: 100}, {50: 0.005, 90: 0.009, 95: 0.0095, 99: 0.0099}, id="all in the first bucket"),
        pytest.param({0.02: 50, 0.04: 50}, {50: 0.02, 90: 0.036, 95: 0.038, 99: 0.0396}, id="in two"),
        pytest.param({0.02: 99, 81.92: 1}, {50: 0.0150505, 90: 0.0190909, 95: 0.019596, 99: 0.02}, id="one is slow"),
        pytest.param({float("inf"): 1}, dict.fromkeys((50, 90, 95, 99), 81.92), id="slower than what is known"),
    ],
)
def test_percentiles(observed: Mapping[float, int], expected: Mapping[int, float]) -> None:
    """As Prometheus reads them from the same buckets: evenly spread within each."""
    assert expected == pytest.approx(percentiles(counted(observed)), rel=1e-4)


def test_sums() -> None:
    """What a request is counted under does not matter: routes, models, statuses and workers' kinds add up."""
    book = Book()
    for route, provider, status, reason, count in (
        ("r", "ns/a", "2xx", "", 3),
        ("r", "ns/b", "2xx", "server_error", 2),
        ("s", "ns/a", "5xx", "server_error", 1),
        ("none", "none", "4xx", "model_not_found", 4),
    ):
        book.tally(families.REQUESTS, route, provider, "m", status, reason).value += count
    for provider, outcome, count in (
        ("ns/a", "success", 3),
        ("ns/a", "server_error", 2),
        ("ns/a", "overloaded", 1),
        ("ns/a", "client_left", 5),
        ("ns/b", "success", 2),
    ):
        book.tally(families.ATTEMPTS, provider, "m", outcome).value += count
    for kind, count in (("input", 10), ("output", 5), ("cached_input", 7), ("cache_write", 7), ("reasoning", 3)):
        book.tally(families.TOKENS, "r", "ns/a", "m", kind).value += count
    book.tally(families.FAILOVERS, "r").value += 2
    book.tally(families.FAILOVERS, "s").value += 1
    book.distribution(families.FIRST_TOKEN_SECONDS, "r", "ns/a", "chat", "openai", "m").observe(0.1)
    book.distribution(families.ATTEMPT_SECONDS, "ns/a", "chat", "openai", "m", "").observe(0.01)
    book.distribution(families.ATTEMPT_SECONDS, "ns/a", "chat", "openai", "n", "").observe(0.01)
    book.distribution(families.ATTEMPT_SECONDS, "ns/a", "chat", "openai", "m", "server_error").observe(50)
    summary = summarize(book)
    assert (10, 5, 3) == (summary.requests, summary.succeeded, summary.failovers)
    a, b = summary.providers["ns/a"], summary.providers["ns/b"]
    assert (3, 11, 3, 1, 15) == (a.answers, a.attempts, a.errors, a.streams, a.tokens)
    assert max(a.latency.values()) <= 0.01
    assert ProviderNumbers(answers=2, attempts=2) == b
    assert {"ns/a", "ns/b"} == set(summary.providers)


def test_sums_are_kept_for_a_second() -> None:
    """Asking again and again costs nothing; a second later what happened meanwhile is there."""
    book, clock = Book(), [100.0]
    summaries = Summaries(book, timer=lambda: clock[0])
    before = summaries.current()
    book.tally(families.REQUESTS, "r", "ns/a", "m", "2xx", "").value += 1
    assert before is summaries.current()
    clock[0] += KEPT_SECONDS
    assert 1 == summaries.current().requests
