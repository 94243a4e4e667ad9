"""A burst of changes is answered once, soon after it is over, and in time if it never is."""

import asyncio

import pytest

from harness import virtual_time
from understudy_operator.doorbell import Doorbell, seconds_until_due


@pytest.mark.parametrize(
    ("first", "last", "now", "expected"),
    [
        pytest.param(0.0, 0.0, 0.0, 0.1, id="one ring waits for quiet"),
        pytest.param(0.0, 0.05, 0.05, 0.1, id="a second ring begins the quiet anew"),
        pytest.param(0.0, 0.05, 0.15, 0.0, id="quiet for long enough is due"),
        pytest.param(0.0, 0.95, 0.95, 0.05, id="patience ends before the quiet would"),
        pytest.param(0.0, 1.2, 1.2, -0.2, id="beyond patience it is overdue whatever rings"),
    ],
)
def test_when_an_answer_is_due(first: float, last: float, now: float, expected: float) -> None:
    """Quiet for 100 ms, or one second after the first ring, whichever comes first."""
    due = seconds_until_due(first=first, last=last, now=now, quiet_seconds=0.1, patience_seconds=1.0)
    assert pytest.approx(expected) == due


async def _answers(*, rings: list[float], until: float, resync: float = 60.0) -> list[tuple[float, float | None]]:
    """Ring at these times and list the answers: when each came, and the first ring it was for."""
    clock = asyncio.get_running_loop().time
    bell = Doorbell(quiet_seconds=0.1, patience_seconds=1.0)
    answers: list[tuple[float, float | None]] = []

    async def answer() -> None:
        while True:
            first = await bell.answered(within_seconds=resync)
            answers.append((round(clock(), 6), first if first is None else round(first, 6)))

    task = asyncio.create_task(answer())
    for at in rings:
        await asyncio.sleep(at - clock())
        bell.ring()
    await asyncio.sleep(until - clock())
    task.cancel()
    return answers


@pytest.mark.parametrize(
    ("rings", "expected"),
    [
        pytest.param([5.0], [(5.1, 5.0)], id="one change"),
        pytest.param([5.0, 5.05, 5.1], [(5.2, 5.0)], id="a burst is one answer"),
        pytest.param([5.0, 5.5], [(5.1, 5.0), (5.6, 5.5)], id="two changes apart are two answers"),
        pytest.param(
            [5 + step * 0.05 for step in range(40)], [(6.0, 5.0), (7.0, 6.0)], id="a storm is answered every second"
        ),
    ],
)
def test_bursts(rings: list[float], expected: list[tuple[float, float]]) -> None:
    """Two hundred edits in a second cost one compile, and a storm does not put it off for ever."""
    answers = virtual_time.run(_answers(rings=rings, until=8.0))
    assert [pytest.approx(pair, abs=0.051) for pair in expected] == answers


def test_without_a_ring_the_resync_comes() -> None:
    """What no event told of is found at the next resync."""
    assert virtual_time.run(_answers(rings=[], until=150.0)) == [(60.0, None), (120.0, None)]


def test_a_ring_while_the_last_one_is_worked_on_is_not_lost() -> None:
    """A change that comes in the middle of a cycle gets the next one."""

    async def scenario() -> float | None:
        bell = Doorbell(quiet_seconds=0.1, patience_seconds=1.0)
        bell.ring()
        await bell.answered(within_seconds=60)
        bell.ring()  # nobody waits now
        await asyncio.sleep(10)
        await bell.answered(within_seconds=60)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(scenario()) == pytest.approx(10.1)
