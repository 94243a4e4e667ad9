"""How long an attempt waits, and what it means that it waited in vain."""

from dataclasses import dataclass

import pytest

from understudy_proxy.exchange.patience import Patience
from understudy_proxy.failure import FailureKind


@dataclass
class _Clock:
    """A clock that a test sets."""

    time: float = 100.0

    def __call__(self) -> float:
        return self.time


def _patience(clock: _Clock, *, first_token: float | None = 10.0) -> Patience:
    """An attempt that began at 100 and ends at 160 at the latest."""
    return Patience(now=clock, started=100.0, deadline=160.0, first_token_seconds=first_token, idle_seconds=30.0)


def test_waits_for_a_first_token_while_another_could_step_in() -> None:
    """The first token has its own bound only while there is somebody else."""
    clock = _Clock(104.0)
    assert (6.0, 56.0) == (
        _patience(clock).until_first_token(),
        _patience(clock, first_token=None).until_first_token(),
    )


def test_waits_between_pieces_no_longer_than_the_whole() -> None:
    """Between two pieces the idle bound counts, near the end the end."""
    clock = _Clock(104.0)
    assert _patience(clock).until_next() == 30.0
    clock.time = 155.0
    assert (5.0, 5.0) == (_patience(clock).until_next(), _patience(clock).until_answer())


@pytest.mark.parametrize(
    ("now", "begun", "stream", "first_token", "expected"),
    [
        pytest.param(110.0, False, True, 10.0, FailureKind.FIRST_TOKEN_TIMEOUT, id="no token"),
        pytest.param(160.0, False, True, None, FailureKind.REQUEST_TIMEOUT, id="no token, and nobody else"),
        pytest.param(159.995, True, True, 10.0, FailureKind.REQUEST_TIMEOUT, id="by a timer that is a little early"),
        pytest.param(160.0, False, False, 10.0, FailureKind.REQUEST_TIMEOUT, id="no whole answer"),
        pytest.param(150.0, True, True, 10.0, FailureKind.STREAM_IDLE, id="silence in a stream"),
        pytest.param(160.0, True, True, 10.0, FailureKind.REQUEST_TIMEOUT, id="a stream without an end"),
    ],
)
def test_says_what_was_waited_for(
    now: float, *, begun: bool, stream: bool, first_token: float | None, expected: FailureKind
) -> None:
    """Each wait in vain has a name of its own, which decides what follows."""
    patience = _patience(_Clock(now), first_token=first_token)
    assert patience.spent(begun=begun, stream=stream).failure.kind == expected
