"""Following a configuration until the fleet runs it, and telling the authors how far it is.

One task does this for the newest configuration only: a newer one supersedes the older between two looks, never in the
middle of writing statuses, so that however fast the edits come, the statuses get written.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from understudy_operator.backoff import Backoff
from understudy_operator.cluster import ClusterError
from understudy_operator.compile import ObjectKey
from understudy_operator.metrics import Metrics
from understudy_operator.report import Reporter, Subject
from understudy_operator.rollout import Fleet, Rollout, tally
from understudy_operator.status import Programming, Unpublished, programmed_statement

log = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 0.05
"""A proxy that watches the head has loaded a small configuration after this time."""
SLOWER = 1.5
SLOWEST_LOOK_SECONDS = 0.5
OVERDUE_LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 1.0
"""Confirmed within this, an object gets one status write instead of two."""


class NotLeading(ClusterError):
    """Writing has to wait until the Lease is renewed."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the fleet should run, and whose authors want to know.

    Attributes:
        published: The revision, or why there is none.
        written: The revision was written just now, so that the proxies need a moment.
        subjects: All objects.
        read_at: When reading them began, by the loop's clock.
        changed_at: When the change was first noticed, by the loop's clock; None when nothing was.
    """

    published: str | Unpublished
    written: bool
    subjects: Mapping[ObjectKey, Subject]
    read_at: float
    changed_at: float | None


class Follower:
    """Looks at the fleet until it runs the newest target, and reports.

    Args:
        may_write: Whether this process still leads.
        confirm_seconds: After this a rollout is overdue: reported as lagging and looked at less often.
    """

    def __init__(
        self,
        fleet: Fleet,
        reporter: Reporter,
        *,
        metrics: Metrics,
        may_write: Callable[[], bool],
        confirm_seconds: float,
    ) -> None:
        self._fleet = fleet
        self._reporter = reporter
        self._metrics = metrics
        self._may_write = may_write
        self._confirm_seconds = confirm_seconds
        self._target: Target | None = None
        self._new = asyncio.Event()
        self._changed_at: float | None = None
        self._unreported_since: float | None = None
        self._rolling: tuple[str, float] = ("", 0.0)
        """The revision that was last looked for, and since when."""

    def track(self, target: Target) -> None:
        """Follow this from now on, instead of what came before."""
        self._target = target
        if target.written and self._changed_at is None:
            self._changed_at = target.changed_at
        self._new.set()

    async def run(self) -> None:
        """Follow each target; never returns."""
        backoff = Backoff(base_seconds=0.2, max_seconds=5.0)
        while True:
            await self._new.wait()
            self._new.clear()
            target = self._target
            if target is None:
                continue
            try:
                await self._see_through(target)
                backoff.succeeded()
            except ClusterError as error:
                wait = backoff.failed()
                log.warning(
                    "the rollout or its report is interrupted", extra={"error": str(error), "retry_seconds": wait}
                )
                self._new.set()  # the same target once more, unless a newer one comes
                await asyncio.sleep(wait)

    async def _see_through(self, target: Target) -> None:
        if isinstance(target.published, Unpublished):
            await self._report(target, target.published)
            return
        wait = FIRST_LOOK_SECONDS
        reported: Rollout | None = None
        if target.written:
            await self._pause(wait)
        while not self._new.is_set():
            overdue = self._looked_for(target.published) >= self._confirm_seconds
            rollout = await self._look(target.published, overdue=overdue)
            if rollout.live:
                self._confirmed(rollout)
            if self._is_worth_a_word(rollout, reported):
                await self._report(target, rollout)
                reported = rollout
            if rollout.live:
                return
            wait = OVERDUE_LOOK_SECONDS if overdue else min(wait * SLOWER, SLOWEST_LOOK_SECONDS)
            await self._pause(wait)

    def _looked_for(self, revision: str) -> float:
        """For how many seconds this revision has been looked for, resyncs in between included."""
        now = asyncio.get_running_loop().time()
        if self._rolling[0] != revision:
            self._rolling = (revision, now)
        return now - self._rolling[1]

    async def _look(self, revision: str, *, overdue: bool) -> Rollout:
        rollout = tally(revision, await self._fleet.ask(), overdue=overdue)
        self._metrics.count_pods(
            confirmed=rollout.confirmed, lagging=len(rollout.lagging), refused=len(rollout.refused)
        )
        return rollout

    def _is_worth_a_word(self, rollout: Rollout, reported: Rollout | None) -> bool:
        """Whether to write statuses now: when all is done, when it takes long, and when why it does is different."""
        if rollout.live:
            return True
        if reported is not None:
            return programmed_statement(rollout).reason != programmed_statement(reported).reason
        now = asyncio.get_running_loop().time()
        if self._unreported_since is None:
            self._unreported_since = now
        return now - self._unreported_since >= PATIENCE_SECONDS

    async def _report(self, target: Target, programming: Programming) -> None:
        if not self._may_write():
            raise NotLeading("this process does not know that it leads, so it writes nothing")
        await self._reporter.report(target.subjects, programming, read_at=target.read_at)
        self._unreported_since = None

    def _confirmed(self, rollout: Rollout) -> None:
        if self._changed_at is None:
            return
        seconds = asyncio.get_running_loop().time() - self._changed_at
        self._changed_at = None
        self._metrics.confirm_seconds.observe(seconds)
        log.info(
            "every proxy runs it",
            extra={"revision": rollout.revision, "proxies": rollout.total, "seconds": round(seconds, 3)},
        )

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until there is a newer target."""
        try:
            async with asyncio.timeout(seconds):
                await self._new.wait()
        except TimeoutError:
            return
