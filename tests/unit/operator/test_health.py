"""Probes and metrics say how this process is, whoever leads."""

from collections.abc import Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer

from harness.verdicts import degraded, refused, serving
from understudy_operator.backoff import Backoff
from understudy_operator.health import Health, application
from understudy_operator.metrics import Metrics


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def _nothing(_health: Health, _clock: Clock) -> None:
    return


def _leads(health: Health, _clock: Clock) -> None:
    health.leads()


def _works(health: Health, clock: Clock) -> None:
    health.leads()
    clock.now += 10
    health.succeeded()


def _stuck(health: Health, clock: Clock) -> None:
    _works(health, clock)
    clock.now += 181


def _never_began(health: Health, clock: Clock) -> None:
    health.leads()
    clock.now += 181


@pytest.mark.parametrize(
    ("story", "alive", "ready"),
    [
        pytest.param(_nothing, (True, "standing by"), (True, "standing by"), id="standby"),
        pytest.param(_leads, (True, "leading"), (False, "nothing is compiled yet"), id="leads, and has to begin"),
        pytest.param(_works, (True, "leading"), (True, "leading"), id="works"),
        pytest.param(_stuck, (False, "no configuration was compiled for 181 s"), (True, "leading"), id="stuck"),
        pytest.param(
            _never_began,
            (False, "no configuration was compiled for 181 s"),
            (False, "nothing is compiled yet"),
            id="never began",
        ),
    ],
)
def test_the_probes(story: Callable[[Health, Clock], None], alive: tuple[bool, str], ready: tuple[bool, str]) -> None:
    """A leader that misses three resyncs is restarted; a standby never is."""
    clock = Clock()
    health = Health(resync_seconds=60, clock=clock)
    story(health, clock)
    assert (health.liveness(), health.readiness(heard=True)) == (alive, ready)


def test_a_standby_that_reaches_nothing_is_not_ready() -> None:
    """A rollout with a wrong address stops before the last working operator is gone."""
    assert Health(resync_seconds=60, clock=Clock()).readiness(heard=False)[0] is False


async def test_over_http() -> None:
    """200 and 503 for the probes, Prometheus' text for metrics."""
    clock = Clock()
    health, metrics = Health(resync_seconds=60, clock=clock), Metrics()
    async with TestClient(TestServer(application(health, metrics=metrics, heard=lambda: False))) as client:
        assert (await client.get("/healthz")).status == 200
        answer = await client.get("/readyz")
        assert (answer.status, await answer.text()) == (503, "the cluster has not answered yet\n")
        _stuck(health, clock)
        assert (await client.get("/healthz")).status == 503
        scraped = await client.get("/metrics")
        assert scraped.headers["Content-Type"].startswith("text/plain; version=")
        assert "understudy_operator_leader 0.0" in await scraped.text()


def test_objects_are_counted_by_kind_and_standing() -> None:
    """All series exist from the start, and go back to zero."""
    metrics = Metrics()

    def count(verdict: str) -> float | None:
        labels = {"kind": "LLMRoute", "verdict": verdict}
        return metrics.registry.get_sample_value("understudy_operator_objects", labels)

    assert [count(verdict) for verdict in ("serving", "degraded", "out")] == [0, 0, 0]
    metrics.count_objects([serving("a"), serving("b"), degraded("c"), refused("d")])
    assert [count(verdict) for verdict in ("serving", "degraded", "out")] == [2, 1, 1]
    metrics.count_objects([])
    assert [count(verdict) for verdict in ("serving", "degraded", "out")] == [0, 0, 0]


@pytest.mark.parametrize(("draw", "share"), [(0.0, 0.5), (1.0, 1.0)], ids=["least", "most"])
def test_backoff(draw: float, share: float) -> None:
    """Waits double up to their bound, are never in step with others, and begin anew after a success."""
    backoff = Backoff(base_seconds=0.2, max_seconds=5.0, draw=lambda: draw)
    waits = [backoff.failed() for _ in range(100)]
    assert [round(wait / share, 6) for wait in waits[:7]] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert waits[-1] == 5.0 * share
    backoff.succeeded()
    assert backoff.failed() == 0.2 * share
