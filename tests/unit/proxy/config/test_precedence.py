"""The volume is the way in while the API is away, and never the way back to what is older."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.config.precedence import KUBELET_DELAY_SECONDS, Precedence

LATE = KUBELET_DELAY_SECONDS + 1


def test_counts_until_the_api_has_given_something() -> None:
    """A proxy starts from the volume while the API is away, and also while it answers nothing useful."""
    precedence = Precedence()
    assert precedence.volume_counts("r1", since=0.0)
    precedence.api_heard(now=1.0)
    assert precedence.volume_counts("r1", since=0.0)


@pytest.mark.parametrize(
    ("seen", "shown", "since", "counts"),
    [
        pytest.param(("heard",), "r1", 5.0, False, id="an older one lags behind"),
        pytest.param(("heard",), "r3", 5.0, False, id="the API will tell by itself"),
        pytest.param(("heard", "lost"), "r1", 5.0, False, id="lagging, while the API is away"),
        pytest.param(("heard", "lost"), "r1", LATE, True, id="changed long after the API was heard"),
        pytest.param(("heard", "shown r2", "lost"), "r3", 5.0, True, id="it had caught up, and went on"),
        pytest.param(("heard", "shown r2", "lost"), "r1", 5.0, True, id="it had caught up, and was rolled back"),
        pytest.param(("heard", "shown r2", "taken r4", "lost"), "r3", 5.0, False, id="caught up with one before"),
        pytest.param(("heard", "shown r2", "lost", "heard"), "r3", 5.0, False, id="the API is back"),
    ],
)
def test_counts_beside_the_api(seen: tuple[str, ...], shown: str, since: float, *, counts: bool) -> None:
    """After the API gave r2, the volume counts only where it must be newer."""
    precedence = Precedence()
    precedence.api_heard(now=0.0)
    precedence.api_taken("r2")
    for event in seen:
        what, _, revision = event.partition(" ")
        match what:
            case "heard":
                precedence.api_heard(now=0.0)
            case "lost":
                precedence.api_lost()
            case "taken":
                precedence.api_taken(revision)
            case _:
                precedence.volume_counts(revision, since=0.0)
    assert counts == precedence.volume_counts(shown, since=since)


@given(steps=st.lists(st.sampled_from(["edit", "kubelet", "api", "cut", "wait"]), max_size=60))
def test_never_goes_back(steps: list[str]) -> None:
    """However edits, kubelet and connection interleave, a proxy never goes back to an older configuration.

    The kubelet copies what is current, at any time, as late as its delay allows; the API tells what is current while
    it is connected.
    """
    precedence = Precedence()
    now = 0.0
    current = volume = serving = 0
    since = now
    connected = False
    for step in steps:
        now += 1.0
        match step:
            case "edit":
                current += 1
            case "kubelet":
                volume, since = current, now
            case "wait":
                now += KUBELET_DELAY_SECONDS
                volume, since = (volume, since) if volume == current else (current, now)
            case "api":
                connected = True
            case _:
                connected = False
                precedence.api_lost()
        if connected:
            precedence.api_heard(now=now)
            assert current >= serving
            serving = current
            precedence.api_taken(str(current))
        if precedence.volume_counts(str(volume), since=since):
            assert volume >= serving
            serving = volume
