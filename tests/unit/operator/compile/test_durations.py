"""Durations in seconds."""

import pytest

from understudy_operator.compile.durations import to_seconds


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        pytest.param("300ms", 0.3, id="milliseconds are no binary fractions"),
        pytest.param("0.3s", 0.3, id="the same in seconds"),
        pytest.param("1.5s", 1.5, id="a fraction"),
        pytest.param("5m", 300.0, id="minutes are not milliseconds"),
        pytest.param("1h30m", 5400.0, id="parts add up"),
        pytest.param("1m500ms", 60.5, id="m before ms"),
        pytest.param("30d", 2_592_000.0, id="days"),
        pytest.param("0s", 0.0, id="nothing"),
    ],
)
def test_seconds(duration: str, seconds: float) -> None:
    """What a person writes is what a proxy waits."""
    assert to_seconds(duration) == seconds
