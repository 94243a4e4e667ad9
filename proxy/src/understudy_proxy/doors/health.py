"""Whether this gateway is alive, ready and well: three questions with three answers.

- `/health/live` is for a probe that restarts the process: it answers as long as the process can.
- `/health/ready` is for who sends it requests: it needs a configuration, and says no while the process is ending.
- `/health` is for people and monitors: it says `degraded` while most requests fail.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

import orjson

from understudy_proxy.config.holder import RuntimeHolder
from understudy_proxy.doors.door import Answer, ErrorFormat, Request, Route
from understudy_proxy.lifecycle import Lifecycle
from understudy_proxy.telemetry.outcomes import Outcomes

_SERVICE = "understudy"
_NEVER_STORED = (("cache-control", "no-store"),)


class HealthDoors:
    """The three answers."""

    def __init__(
        self,
        *,
        holder: RuntimeHolder,
        outcomes: Outcomes,
        lifecycle: Lifecycle,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        """Answer from these; `clock` gives seconds since the epoch, `timer` monotonic ones."""
        self._holder = holder
        self._outcomes = outcomes
        self._lifecycle = lifecycle
        self._clock = clock
        self._timer = timer
        self._started = timer()

    def routes(self, errors: ErrorFormat) -> tuple[Route, ...]:
        """Where they are asked."""
        return (
            Route("/health", {"GET": self.health}, errors),
            Route("/health/ready", {"GET": self.ready}, errors),
            Route("/health/live", {"GET": self.live}, errors),
        )

    async def health(self, _request: Request) -> Answer:
        """How the last minute went. Agents of a mesh ask here as well, as they ask a registry."""
        now = self._timer()
        served, failed = self._outcomes.counts(now=now)
        degraded = self._outcomes.degraded(now=now)
        return _answer(
            503 if degraded else 200,
            {
                "status": "degraded" if degraded else "healthy",
                "service": _SERVICE,
                "version": _version(),
                "uptime_seconds": int(now - self._started),
                "timestamp": datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds"),
                "last_minute": {"requests": served, "failed": failed},
            },
        )

    async def ready(self, _request: Request) -> Answer:
        """Whether to send requests here."""
        current, rejected = self._holder.current, self._holder.rejected
        checks: dict[str, Any] = {
            "configuration": {"ok": True, "detail": f"revision {current.revision}"}
            if current is not None
            else {"ok": False, "detail": "none has been loaded yet"},
            "accepting": {"ok": False, "detail": "shutting down"} if self._lifecycle.draining else {"ok": True},
        }
        ready = all(check["ok"] for check in checks.values())
        if rejected is not None:
            # No reason to be taken out of service: the last good configuration serves.
            checks["update"] = {"ok": False, "detail": f"revision {rejected.revision} is refused: {rejected.message}"}
        return _answer(200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": checks})

    async def live(self, _request: Request) -> Answer:
        """That the process answers."""
        return _answer(200, {"status": "alive"})


@cache
def _version() -> str:
    return version("understudy")


def _answer(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, orjson.dumps(body), headers=_NEVER_STORED)
