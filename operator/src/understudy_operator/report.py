"""Telling the authors: statuses by server-side apply, and an event when an object gets ready, degraded, or neither."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from understudy_operator.cluster import (
    EVENTS,
    FIELD_MANAGER,
    OBJECTS,
    Cluster,
    ClusterError,
    Conflict,
    Manifest,
    NotFound,
    Refused,
)
from understudy_operator.compile import ObjectKey, RawObject, Verdict
from understudy_operator.metrics import Metrics
from understudy_operator.status import ConditionType, Programming, ReadyReason, Status, condition_of, desired_status
from understudy_operator.together import together

log = logging.getLogger(__name__)

MAX_EVENTS = 50
"""Events posted at a time: statuses say it all, and thousands of events would push out those of others."""
MAX_NOTE = 1024
"""The API server's bound on an event's note."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An object as it was read, with what compile says of it."""

    verdict: Verdict
    manifest: RawObject

    @property
    def uid(self) -> str:
        """Tells the object from one that came to its name later."""
        return str(self.manifest["metadata"].get("uid", ""))


@dataclass(frozen=True, slots=True)
class Written:
    """A status that was written, and when by the loop's clock."""

    at: float
    status: Status


class Reporter:
    """Writes the statuses that are not yet what they should be.

    Args:
        identity: Which operator process the events come from.
        clock: The loop's clock, which also timed the reading of the subjects.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        metrics: Metrics,
        identity: str,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._identity = identity
        self._clock = clock
        self._now = now
        self._written: dict[str, Written] = {}

    async def report(self, subjects: Mapping[ObjectKey, Subject], programming: Programming, *, read_at: float) -> int:
        """Write what is new.

        Args:
            subjects: All objects.
            programming: What became of the configuration they were compiled to.
            read_at: When reading them began, by the loop's clock.

        Returns:
            How many statuses were written.

        Raises:
            ClusterError: Some could not be written; what is missing is written the next time.
        """
        now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        uids = {subject.uid for subject in subjects.values()}
        self._written = {uid: written for uid, written in self._written.items() if uid in uids}
        due: list[tuple[Subject, Status, Mapping[str, Any]]] = []
        for subject in subjects.values():
            current = self._current(subject, read_at)
            if status := desired_status(subject.verdict, programming, current, now=now):
                due.append((subject, status, current))
        written = await together(self._write(subject, status) for subject, status, _ in due)
        await self._post_events([entry for entry, success in zip(due, written, strict=True) if success])
        return sum(written)

    def _current(self, subject: Subject, read_at: float) -> Mapping[str, Any]:
        """The object's status: as it was read, or as it was written since."""
        written = self._written.get(subject.uid)
        if written and written.at >= read_at:
            return written.status
        status = subject.manifest.get("status")
        return status if isinstance(status, dict) else {}

    async def _write(self, subject: Subject, status: Status) -> bool:
        key = subject.verdict.object
        type_ = OBJECTS[key.kind]
        manifest: Manifest = {
            "apiVersion": type_.api_version,
            "kind": type_.kind,
            # The API server ignores a uid here. An object that came to this name meanwhile rang the bell: should it
            # get this status, the next cycle finds that its digest is another.
            "metadata": {"namespace": key.namespace, "name": key.name},
            "status": status,
        }
        try:
            await self._cluster.apply_status(type_, manifest)
        except (NotFound, Conflict):
            self._metrics.status_writes.labels("gone").inc()
            return False
        except Refused as error:
            self._metrics.status_writes.labels("refused").inc()
            log.warning("a status was refused", extra={"object": str(key), "error": str(error)})
            return False
        self._written[subject.uid] = Written(at=self._clock(), status=status)
        self._metrics.status_writes.labels("written").inc()
        return True

    async def _post_events(self, written: list[tuple[Subject, Status, Mapping[str, Any]]]) -> None:
        turned = [(subject, status) for subject, status, before in written if _ready_turned(before, status)]
        if len(turned) > MAX_EVENTS:
            log.info("more objects turned than get an event", extra={"turned": len(turned), "events": MAX_EVENTS})
        try:
            await together(self._post(subject, status) for subject, status in turned[:MAX_EVENTS])
        except ClusterError as error:
            log.info("events are not posted", extra={"error": str(error)})

    async def _post(self, subject: Subject, status: Status) -> None:
        ready = condition_of(status, ConditionType.READY)
        if ready is None:
            return
        key = subject.verdict.object
        await self._cluster.create(
            EVENTS,
            {
                "apiVersion": EVENTS.api_version,
                "kind": EVENTS.kind,
                "metadata": {"namespace": key.namespace, "name": f"{key.name[:200]}.{secrets.token_hex(8)}"},
                "eventTime": self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "reportingController": f"understudy.dev/{FIELD_MANAGER}",
                "reportingInstance": self._identity[:128],
                "action": "Program",
                "type": "Normal" if ready["reason"] == ReadyReason.READY else "Warning",
                "reason": ready["reason"],
                "note": ready["message"][:MAX_NOTE],
                "regarding": {
                    "apiVersion": OBJECTS[key.kind].api_version,
                    "kind": key.kind,
                    "namespace": key.namespace,
                    "name": key.name,
                    "uid": subject.uid,
                },
            },
        )


def _ready_turned(before: Mapping[str, Any], after: Status) -> bool:
    """Whether the object became ready, degraded, or neither; a new one that is merely pending has not turned yet."""
    old, new = condition_of(before, ConditionType.READY), condition_of(after, ConditionType.READY)
    if new is None or (old is not None and _standing(old) == _standing(new)):
        return False
    return not (old is None and new["reason"] == "Pending")


def _standing(ready: Mapping[str, Any]) -> tuple[Any, bool]:
    """What an event tells apart; the many reasons for which an object is not ready are in its status."""
    return ready.get("status"), ready.get("reason") == ReadyReason.DEGRADED
