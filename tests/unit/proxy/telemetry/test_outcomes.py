"""When a gateway calls itself degraded."""

import pytest

from understudy_proxy.telemetry.outcomes import Outcomes


def lived(*requests: tuple[float, bool]) -> Outcomes:
    """Outcomes after requests at a time that failed or not."""
    outcomes = Outcomes()
    for now, failed in requests:
        outcomes.record(failed=failed, now=now)
    return outcomes


@pytest.mark.parametrize(
    ("requests", "now", "degraded"),
    [
        pytest.param([], 0.0, False, id="no traffic"),
        pytest.param([(0.0, True)], 0.0, False, id="one failure is no outage"),
        pytest.param([(0.0, True)] * 9, 0.0, False, id="nor are nine"),
        pytest.param([(0.0, True)] * 10, 0.0, True, id="ten of ten"),
        pytest.param([(0.0, True)] * 10 + [(1.0, False)] * 10, 1.0, False, id="half is not most"),
        pytest.param([(0.0, True)] * 11 + [(1.0, False)] * 10, 1.0, True, id="most"),
        pytest.param([(0.0, True)] * 50, 59.9, True, id="within the minute"),
        pytest.param([(0.0, True)] * 50, 60.0, False, id="a minute later"),
        pytest.param([(0.0, True)] * 50 + [(60.0, False)], 60.0, False, id="the same cell a minute later"),
        pytest.param([(0.0, True)] * 50, 1e9, False, id="after a long sleep"),
    ],
)
def test_degraded(requests: list[tuple[float, bool]], now: float, *, degraded: bool) -> None:
    """More than half of at least ten requests of the last minute failed."""
    assert degraded == lived(*requests).degraded(now=now)


def test_counts_the_last_minute() -> None:
    """Seconds leave the window one by one."""
    outcomes = lived(*((float(second), second % 2 == 0) for second in range(120)))
    assert (60, 30) == outcomes.counts(now=119.0)
    assert (30, 15) == outcomes.counts(now=149.0)
