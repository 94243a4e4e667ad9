"""States that are looked up when somebody asks, rather than counted when they change."""

import os
from collections.abc import Callable

from understudy_proxy.config.holder import Rejection, RuntimeHolder
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.mesh.registry import Registry
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Samples
from understudy_proxy.telemetry.logs import LogWriter
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.telemetry.process import count_process


class Gauges:
    """Brings the book up to date, and gives all of it."""

    def __init__(
        self,
        book: Book,
        *,
        metrics: Metrics,
        holder: RuntimeHolder,
        board: HealthBoard,
        registry: Registry,
        writer: LogWriter,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        """Look at these; `clock` gives seconds since the epoch, `timer` monotonic ones."""
        self._book = book
        self._metrics = metrics
        self._holder = holder
        self._board = board
        self._registry = registry
        self._writer = writer
        self._timer = timer
        self._started = clock()
        self.process = f"{os.getpid()}-{self._started}"
        """Tells this process from the one before it in the same place."""

    def loaded(self, _runtime: Runtime, seconds: float) -> None:
        """A configuration was loaded within `seconds`."""
        self._book.distribution(families.CONFIG_LOAD_SECONDS).observe(seconds)

    def refused(self, _rejection: Rejection) -> None:
        """A configuration was refused."""
        self._book.tally(families.CONFIG_REJECTIONS).value += 1

    def samples(self) -> Samples:
        """Every number, as of now."""
        book = self._book
        book.tally(families.IN_FLIGHT).value = self._metrics.in_flight
        book.tally(families.LOG_DROPPED).value = self._writer.dropped
        book.tally(families.WORKERS).value = 1
        book.tally(families.CONFIG_REJECTIONS)
        book.tally(families.CONFIG_REJECTED).value = float(self._holder.rejected is not None)
        self._configuration(book)
        now = self._timer()
        agents = self._registry.counts(now=now)
        book.replace(families.MESH_AGENTS, {(status.value,): float(count) for status, count in agents.items()})
        out = self._board.out(now=now)
        book.replace(
            families.ENDPOINTS_OUT,
            {(change.endpoint, change.model or "", change.standing.value): 1.0 for change in out},
        )
        count_process(book, started=self._started)
        return book.samples()

    def _configuration(self, book: Book) -> None:
        runtime, origin = self._holder.current, self._holder.origin
        if runtime is not None and origin is not None:
            book.replace(families.CONFIG_INFO, {(runtime.revision, origin.value): 1.0})
            book.tally(families.CONFIG_LOADED).value = runtime.loaded_at
            book.tally(families.PROVIDERS_OUT).value = len(runtime.out)
