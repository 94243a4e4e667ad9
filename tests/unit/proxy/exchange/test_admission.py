"""Bounds on what is under way."""

from harness.upstreams import upstream
from understudy_proxy.exchange.admission import Admission


def _started(admission: Admission, name: str, times: int, *, max_concurrency: int | None = None) -> int:
    """How many of `times` attempts at the upstream were let in."""
    there = upstream("http://x/v1", name, max_concurrency=max_concurrency)
    return sum(admission.start(there) for _ in range(times))


def test_the_process_takes_as_many_as_it_may() -> None:
    """A request beyond the bound is turned away; when one ends, the next is let in."""
    admission = Admission(requests=2)
    assert [True, True, False] == [admission.enter() for _ in range(3)]
    admission.leave()
    assert [True, False] == [admission.enter() for _ in range(2)]


def test_an_upstream_takes_as_many_as_it_may() -> None:
    """An upstream's own bound holds whatever the process may take."""
    admission = Admission(requests=100)
    assert _started(admission, "a", 10, max_concurrency=3) == 3
    admission.finish(upstream("http://x/v1", "a"))
    assert _started(admission, "a", 10, max_concurrency=3) == 1


def test_an_upstream_without_a_bound_leaves_room_for_others() -> None:
    """However many requests one upstream draws, a quarter of the process is left."""
    admission = Admission(requests=100)
    assert (_started(admission, "a", 100), _started(admission, "b", 100)) == (75, 75)


def test_a_small_process_still_serves() -> None:
    """With a bound of one there is room for one."""
    assert _started(Admission(requests=1), "a", 2) == 1


def test_it_counts_by_name_across_configurations() -> None:
    """An attempt that began before a reload counts against the same provider after it."""
    admission = Admission(requests=100)
    before = upstream("http://x/v1", max_concurrency=1)
    after = upstream("http://x/v1", max_concurrency=1)
    assert (admission.start(before), admission.start(after)) == (True, False)
    admission.finish(before)
    assert admission.start(after)
