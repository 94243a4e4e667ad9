"""How long a proxy waits before it tries again."""

import pytest

from understudy_proxy.config.backoff import Backoff


@pytest.mark.parametrize(
    ("drawn", "delays"),
    [
        pytest.param(0.0, [0.5, 1.0, 2.0, 2.5, 2.5], id="least"),
        pytest.param(0.999999, [1.0, 2.0, 4.0, 5.0, 5.0], id="most"),
    ],
)
def test_grows_to_its_bound(drawn: float, delays: list[float]) -> None:
    """Each delay doubles up to the bound; half of it is drawn."""
    backoff = Backoff(1.0, 5.0, lambda: drawn)
    assert delays == [pytest.approx(backoff.next(), rel=1e-4) for _ in delays]


def test_begins_anew_after_a_success() -> None:
    """An outage long ago does not slow the next one's end."""
    backoff = Backoff(1.0, 5.0, lambda: 0.0)
    for _ in range(10_000):
        backoff.next()
    backoff.reset()
    assert backoff.next() == 0.5
