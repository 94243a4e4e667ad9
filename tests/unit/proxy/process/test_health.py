"""Alive, ready, well: three questions, three answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from harness.raw_http import Answer, exchange
from harness.runtimes import a_runtime
from understudy_proxy.config.holder import Rejection, RuntimeHolder
from understudy_proxy.config.source import Origin
from understudy_proxy.doors.admin import admin_errors
from understudy_proxy.doors.health import HealthDoors
from understudy_proxy.lifecycle import Lifecycle
from understudy_proxy.listening import listen
from understudy_proxy.server import Server
from understudy_proxy.telemetry.outcomes import Outcomes


@dataclass
class Told:
    """What the doors answer from."""

    holder: RuntimeHolder = field(default_factory=RuntimeHolder)
    outcomes: Outcomes = field(default_factory=Outcomes)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    now: float = 0.0
    port: int = 0

    async def ask(self, path: str) -> Answer:
        """Ask over HTTP, as a probe does."""
        return await exchange(self.port, "GET", path)


@asynccontextmanager
async def _served() -> AsyncIterator[Told]:
    told = Told()
    doors = HealthDoors(
        holder=told.holder,
        outcomes=told.outcomes,
        lifecycle=told.lifecycle,
        clock=lambda: 1_700_000_000 + told.now,
        timer=lambda: told.now,
    )
    server = Server(doors.routes(admin_errors), errors=admin_errors)
    await server.start(listen("127.0.0.1", 0))
    told.port = server.port
    yield told
    await server.close()


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """Doors on a port."""
    async with _served() as told:
        yield told


async def test_a_new_gateway_is_alive_and_not_ready(told: Told) -> None:
    """A probe does not kill a gateway that waits for its first configuration, and nobody sends it requests."""
    assert (await told.ask("/health/live")).status == 200
    ready = await told.ask("/health/ready")
    assert ready.status == 503
    assert ready.json()["status"] == "not ready"
    assert ready.json()["checks"]["configuration"] == {"ok": False, "detail": "none has been loaded yet"}


async def test_ready_with_a_configuration(told: Told) -> None:
    """It says which one."""
    told.holder.swap(a_runtime(), origin=Origin.API)
    ready = await told.ask("/health/ready")
    assert (ready.status, ready.json()["status"]) == (200, "ready")
    assert ready.json()["checks"]["configuration"] == {"ok": True, "detail": "revision r1"}


async def test_not_ready_while_draining(told: Told) -> None:
    """A gateway that is ending gets nothing new; it is alive all the same."""
    told.holder.swap(a_runtime(), origin=Origin.API)
    told.lifecycle.draining = True
    ready = await told.ask("/health/ready")
    assert (ready.status, ready.json()["checks"]["accepting"]) == (503, {"ok": False, "detail": "shutting down"})
    assert (await told.ask("/health/live")).status == 200


async def test_a_refused_update_shows_and_does_not_take_it_out_of_service(told: Told) -> None:
    """The last good configuration serves; taking the whole fleet out would be the outage."""
    told.holder.swap(a_runtime(), origin=Origin.API)
    told.holder.reject(Rejection("r2", "a name leads nowhere", 1.0))
    ready = await told.ask("/health/ready")
    assert ready.status == 200
    assert ready.json()["checks"]["update"]["detail"] == "revision r2 is refused: a name leads nowhere"


async def test_degraded_while_most_requests_fail(told: Told) -> None:
    """`/health` says so for as long as the last minute was bad; a liveness probe does not care."""
    assert (await told.ask("/health")).json()["status"] == "healthy"
    for _ in range(20):
        told.outcomes.record(failed=True, now=0.0)
    degraded = await told.ask("/health")
    assert (degraded.status, degraded.json()["status"]) == (503, "degraded")
    assert degraded.json()["last_minute"] == {"requests": 20, "failed": 20}
    assert (await told.ask("/health/live")).status == 200
    told.now = 61.0
    healthy = await told.ask("/health")
    assert (healthy.status, healthy.json()["service"]) == (200, "understudy")


async def test_answers_are_not_kept(told: Told) -> None:
    """A cache in between must not answer for a gateway."""
    assert (await told.ask("/health")).headers["cache-control"] == "no-store"


async def test_how_long_it_has_been_up(told: Told) -> None:
    """Monitors tell a gateway that was started again by it."""
    told.now = 61.5
    health = (await told.ask("/health")).json()
    assert (61, "2023-11-14T22:14:21+00:00") == (health["uptime_seconds"], health["timestamp"])
