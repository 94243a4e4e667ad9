"""Durations as a person writes them."""

import pytest

from understudy.mock.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("0s", 0.0, id="nothing"),
        pytest.param("150ms", 0.15, id="milliseconds"),
        pytest.param("1.5s", 1.5, id="a fraction"),
        pytest.param("1h30m", 5400.0, id="two units"),
        pytest.param("1d", 86400.0, id="a day"),
    ],
)
def test_reads(text: str, seconds: float) -> None:
    """A duration is its numbers times their units."""
    assert seconds == pytest.approx(parse_duration(text))


@pytest.mark.parametrize("text", ["", "2", "s", "-1s", "2 s", "2s3", "1e3s", "٢s"])
def test_refuses(text: str) -> None:
    """What is no duration is quoted, with an example of one."""
    with pytest.raises(ValueError, match="is no duration; write it such as 2s"):
        parse_duration(text)
