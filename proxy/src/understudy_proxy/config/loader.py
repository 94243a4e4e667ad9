"""The one way to a new `Runtime`: validate -> build -> swap, whatever source the configuration came from.

A configuration that cannot be served changes nothing: the last good one goes on, and the refusal shows in `/config`,
in readiness, in metrics and in one log line.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from understudy_api.config import Snapshot
from understudy_proxy.config.build import build
from understudy_proxy.config.holder import Rejection, RuntimeHolder
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.config.source import Origin
from understudy_proxy.config.validate import Invalid, check

_log = logging.getLogger(__name__)


class LoadObserver(Protocol):
    """Who wants to know of loads: metrics, and the filter that keeps secrets out of logs."""

    def loading(self, snapshot: Snapshot) -> None:
        """`snapshot` is about to be made ready: its secrets may show up in errors from now on."""

    def loaded(self, runtime: Runtime, seconds: float) -> None:
        """`runtime` serves; validating and building took `seconds`."""

    def refused(self, rejection: Rejection) -> None:
        """A configuration was refused for the first time, or for a new reason."""


class Loader:
    """The sink of all sources; one at a time, in the order in which they came."""

    def __init__(
        self,
        holder: RuntimeHolder,
        *,
        observer: LoadObserver,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        """Swap into `holder`, tell `observer`; `clock` gives seconds since the epoch, `timer` monotonic ones."""
        self.states: dict[Origin, str] = {}
        """How each source fares, in a few words."""
        self._holder = holder
        self._observer = observer
        self._clock = clock
        self._timer = timer
        self._one_at_a_time = asyncio.Lock()

    async def offer(self, snapshot: Snapshot, *, origin: Origin) -> bool:
        """Serve `snapshot` from now on; False when it was refused."""
        async with self._one_at_a_time:
            current = self._holder.current
            if current is not None and current.revision == snapshot.config.revision:
                self._holder.confirm(origin)
                return True
            return await self._load(snapshot, origin)

    def refuse(self, revision: str, message: str, *, origin: Origin) -> None:
        """Keep what serves, and show why `revision` does not."""
        known = self._holder.rejected
        if known is not None and (known.revision, known.message) == (revision, message):
            return
        rejection = Rejection(revision=revision, message=message, at=self._clock())
        self._holder.reject(rejection)
        self._observer.refused(rejection)
        serving = self._holder.current.revision if self._holder.current else "nothing"
        _log.error(
            "configuration refused: %s",
            message,
            extra={"revision": revision, "origin": origin.value, "serving": serving},
        )

    def state(self, origin: Origin, state: str) -> None:
        """Remember how a source fares; say so once for each change."""
        if self.states.get(origin) != state:
            self.states[origin] = state
            _log.info("configuration source: %s", state, extra={"origin": origin.value})

    async def _load(self, snapshot: Snapshot, origin: Origin) -> bool:
        revision = snapshot.config.revision
        started = self._timer()
        self._observer.loading(snapshot)
        try:
            # A thread, so that requests go on in between: 1,000 routes take some 20 ms.
            runtime = await asyncio.to_thread(self._prepare, snapshot)
            self._holder.swap(runtime, origin=origin)
        except Invalid as error:
            self.refuse(revision, str(error), origin=origin)
            return False
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a new configuration, the last one serves
            self.refuse(revision, f"it cannot be built ({type(error).__name__}): please report this", origin=origin)
            _log.warning("building failed", exc_info=True)
            return False
        seconds = self._timer() - started
        self._observer.loaded(runtime, seconds)
        _log.info("configuration loaded", extra=_summary(runtime, origin, seconds))
        return True

    def _prepare(self, snapshot: Snapshot) -> Runtime:
        check(snapshot)
        return build(snapshot, now=self._clock())


def _summary(runtime: Runtime, origin: Origin, seconds: float) -> dict[str, object]:
    summary: dict[str, object] = {
        "revision": runtime.revision,
        "origin": origin.value,
        "targets": len(runtime.targets),
        "providers": len(runtime.upstreams),
        "ms": round(seconds * 1000, 1),
    }
    return {**summary, "out": dict(runtime.out)} if runtime.out else summary
