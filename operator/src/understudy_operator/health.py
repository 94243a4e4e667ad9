"""Whether this process is well, for probes, and its metrics: one small server."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from understudy_operator.metrics import Metrics

STALE_RESYNCS = 3
"""A leader that has missed so many resyncs does not work any more."""


class Health:
    """What the probes are told. All times are the loop's.

    A standby is well as long as it runs; a leader is well while its cycles succeed.
    """

    def __init__(self, *, resync_seconds: float, clock: Callable[[], float]) -> None:
        self._bound = STALE_RESYNCS * resync_seconds
        self._clock = clock
        self._leading_since: float | None = None
        self._last_success: float | None = None

    def leads(self) -> None:
        """From now on cycles are expected to succeed."""
        self._leading_since = self._clock()

    def succeeded(self) -> None:
        """A cycle was completed."""
        self._last_success = self._clock()

    def liveness(self) -> tuple[bool, str]:
        """Whether to let the process go on, and why."""
        if self._leading_since is None:
            return True, "standing by"
        since = self._clock() - max(self._last_success or 0.0, self._leading_since)
        if since < self._bound:
            return True, "leading"
        return False, f"no configuration was compiled for {since:.0f} s"

    def readiness(self, *, heard: bool) -> tuple[bool, str]:
        """Whether the process does its part; `heard` says whether the cluster has answered yet."""
        if self._leading_since is not None:
            return (self._last_success is not None), "leading" if self._last_success else "nothing is compiled yet"
        return heard, "standing by" if heard else "the cluster has not answered yet"


def application(health: Health, *, metrics: Metrics, heard: Callable[[], bool]) -> web.Application:
    """`/healthz`, `/readyz` and `/metrics`."""

    async def healthz(_request: web.Request) -> web.Response:
        return _answer(*health.liveness())

    async def readyz(_request: web.Request) -> web.Response:
        return _answer(*health.readiness(heard=heard()))

    async def scrape(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", scrape)
    return app


def _answer(well: bool, why: str) -> web.Response:
    return web.Response(text=f"{why}\n", status=200 if well else 503)
