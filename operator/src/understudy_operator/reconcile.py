"""The one loop that makes the fleet run what the objects say: read, compile, publish, follow.

Every cycle starts from nothing but a fresh look at the cluster. One that fails changes nothing and is tried again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from understudy_api.config import Snapshot
from understudy_api.config.shards import TooLarge
from understudy_operator.backoff import Backoff
from understudy_operator.cluster import ClusterError, Forbidden, Refused, name_of
from understudy_operator.compile import Compiled, Inputs, ObjectKey, compile_objects
from understudy_operator.discovery import Poller, recalled
from understudy_operator.doorbell import Doorbell
from understudy_operator.follower import Target
from understudy_operator.metrics import Metrics, Trigger
from understudy_operator.objects import News
from understudy_operator.publish import Publisher
from understudy_operator.reading import Reader
from understudy_operator.report import Subject
from understudy_operator.status import ProgrammedReason, Unpublished
from understudy_operator.watching import ReferenceWatches, reference_versions

log = logging.getLogger(__name__)

HELD_LOOK_SECONDS = 0.5
"""How often to look whether the Lease is renewed, while it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a cycle works with."""

    reader: Reader
    publisher: Publisher
    references: ReferenceWatches
    poller: Poller
    news: News
    bell: Doorbell
    metrics: Metrics
    track: Callable[[Target], None]
    succeeded: Callable[[], None]
    may_write: Callable[[], bool]


class Reconciler:
    """Runs cycles: after a ring, at each resync, and again after a failure."""

    def __init__(self, parts: Parts, *, resync_seconds: float) -> None:
        self._parts = parts
        self._resync_seconds = resync_seconds
        self._backoff = Backoff(base_seconds=0.2, max_seconds=5.0)
        self.first_read = asyncio.Event()
        """Set once the cluster has been read whole: the CRDs are there, so watching them makes sense."""
        self.namespaces: Mapping[str, Mapping[str, str]] = {}
        """Labels of the namespaces as last read."""

    async def run(self) -> None:
        """Run cycles; never returns."""
        trigger, changed_at = Trigger.RESYNC, asyncio.get_running_loop().time()
        while True:
            await self._until_leading()
            self._parts.metrics.cycles.labels(trigger).inc()
            if await self._try_cycle(changed_at):
                self._backoff.succeeded()
                rung_at = await self._parts.bell.answered(within_seconds=self._resync_seconds)
                trigger = Trigger.RESYNC if rung_at is None else Trigger.DOORBELL
                changed_at = rung_at or asyncio.get_running_loop().time()
            else:
                trigger = Trigger.RETRY
                await asyncio.sleep(self._backoff.failed())

    async def cycle(self, *, changed_at: float) -> None:
        """Read, compile, publish, and hand the outcome to the follower.

        Args:
            changed_at: When the change behind this cycle was noticed, by the loop's clock.

        Raises:
            ClusterError: Something could not be read or written; nothing was published, or all of it.
        """
        parts = self._parts
        read_at = asyncio.get_running_loop().time()
        inputs = await parts.reader.read()
        if not self.first_read.is_set():
            await self._recall()
        inputs = replace(inputs, discovered=parts.poller.known)
        parts.news.read(inputs.objects)
        self.namespaces = inputs.namespaces
        self._watch_references(inputs)
        self.first_read.set()
        with parts.metrics.compile_seconds.time():
            # In a thread, so that the Lease is renewed and probes are answered meanwhile.
            compiled = await asyncio.to_thread(compile_objects, inputs)
        parts.metrics.count_objects(compiled.verdicts)
        parts.poller.keep(compiled.inquiries)
        published, written = await self._publish(compiled)
        parts.track(
            Target(
                published=published,
                written=written,
                subjects=_subjects(compiled, inputs),
                read_at=read_at,
                changed_at=changed_at,
            )
        )

    async def _publish(self, compiled: Compiled) -> tuple[str | Unpublished, bool]:
        snapshot = Snapshot(config=compiled.config, credentials=compiled.credentials)
        try:
            publication = await self._parts.publisher.publish(snapshot)
        except TooLarge as error:
            self._failed(error)
            return Unpublished(ProgrammedReason.TOO_LARGE, f"The last good configuration serves: {error}"), False
        except (Forbidden, Refused) as error:
            # It will not get better by itself, so the authors are told; the resync tries again.
            self._failed(error)
            return Unpublished(ProgrammedReason.NOT_PUBLISHED, f"The last good configuration serves: {error}"), False
        return publication.revision, publication.written

    async def _try_cycle(self, changed_at: float) -> bool:
        try:
            await self.cycle(changed_at=changed_at)
        except ClusterError as error:
            self._failed(error)
            return False
        except Exception as error:
            self._parts.metrics.failures.labels(type(error).__name__).inc()
            log.exception("a cycle failed for a reason that should not be")
            return False
        self._parts.metrics.last_success.set_to_current_time()
        self._parts.succeeded()
        return True

    def _failed(self, error: Exception) -> None:
        self._parts.metrics.failures.labels(type(error).__name__).inc()
        log.warning("nothing published", extra={"error": f"{type(error).__name__}: {error}"})

    async def _recall(self) -> None:
        """Begin with what is live, so that a new leader takes out no model that a server has told another one of."""
        try:
            live = await self._parts.publisher.published()
        except (Forbidden, Refused) as error:  # which publishing will meet as well, and tell the authors of
            log.warning("what is published cannot be read", extra={"error": str(error)})
            return
        if live is not None:
            self._parts.poller.recall(recalled(live))

    def _watch_references(self, inputs: Inputs) -> None:
        references, metrics = self._parts.references, self._parts.metrics
        references.keep(reference_versions(inputs.secrets, inputs.config_maps))
        metrics.watches.set(len(references))
        metrics.unwatched.set(references.unwatched)

    async def _until_leading(self) -> None:
        while not self._parts.may_write():  # noqa: ASYNC110 - it becomes false by the clock alone
            await asyncio.sleep(HELD_LOOK_SECONDS)


def _subjects(compiled: Compiled, inputs: Inputs) -> Mapping[ObjectKey, Subject]:
    manifests = {(manifest.get("kind"), name_of(manifest)): manifest for manifest in inputs.objects}
    return {
        verdict.object: Subject(verdict=verdict, manifest=manifest)
        for verdict in compiled.verdicts
        if (manifest := manifests.get((verdict.object.kind, (verdict.object.namespace, verdict.object.name))))
    }
