"""The numbers of several workers as one."""

import orjson

from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Buckets, Samples
from understudy_proxy.telemetry.merge import Departed, from_wire, merge, to_wire

CHAT = ("ai/chat", "ai/main", "m", "2xx", "")


def worker(*, requests: float, in_flight: float = 0, rejected: float = 0, loaded: float = 0) -> Samples:
    """What one worker has counted."""
    book = Book()
    book.tally(families.REQUESTS, *CHAT).value = requests
    book.tally(families.IN_FLIGHT).value = in_flight
    book.tally(families.CONFIG_REJECTED).value = rejected
    book.tally(families.CONFIG_LOADED).value = loaded
    book.distribution(families.CONFIG_LOAD_SECONDS).observe(requests)
    return book.samples()


def test_adds_up_and_takes_extremes() -> None:
    """Counts are summed; a refusal by one is a refusal; a load is as old as the oldest."""
    merged = merge([worker(requests=3, in_flight=1, loaded=50), worker(requests=4, in_flight=2, rejected=1, loaded=40)])
    assert {CHAT: 7} == merged[families.REQUESTS.name]
    assert {(): 3} == merged[families.IN_FLIGHT.name]
    assert {(): 1} == merged[families.CONFIG_REJECTED.name]
    assert {(): 40} == merged[families.CONFIG_LOADED.name]
    seconds = merged[families.CONFIG_LOAD_SECONDS.name][()]
    assert isinstance(seconds, Buckets)
    assert (2, 7.0) == (sum(seconds.counts), seconds.total)


def test_travels_as_json() -> None:
    """What a worker sends is what arrives."""
    samples = worker(requests=3, in_flight=1)
    assert samples == from_wire(orjson.loads(orjson.dumps(to_wire(samples))))


def test_ignores_what_it_does_not_know() -> None:
    """A worker of a newer version, during an upgrade, breaks nothing."""
    assert {} == merge([{"understudy_future": {(): 1.0}}])


def test_totals_never_fall_when_a_worker_dies() -> None:
    """A total that falls looks like a counter that began anew, and makes a spike of everything counted so far."""
    departed = Departed()
    departed.seen(0, "first", worker(requests=100, in_flight=5))
    departed.seen(0, "second", worker(requests=1))
    total = merge([worker(requests=1), departed.samples])
    assert {CHAT: 101} == total[families.REQUESTS.name]
    assert {(): 0} == total[families.IN_FLIGHT.name]


def test_totals_do_not_fall_while_a_worker_is_away() -> None:
    """Between the death of one and the first answer of the next, what it had counted stays."""
    departed = Departed()
    departed.seen(0, "first", worker(requests=100, in_flight=5))
    missed = departed.missed(0)
    assert {CHAT: 100} == missed[families.REQUESTS.name]
    assert families.IN_FLIGHT.name not in missed
    assert {} == departed.missed(1)
