"""Who leads: one of several operators, by a Lease that it keeps renewing.

The client library's election lets a lost connection end the process, keeps the Lease when a leader leaves in good
order, and writes local time as UTC; this one is as small and does not. Clocks of different machines are never compared:
a Lease has run out when it has looked the same for as long as it says, by this process's own clock.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from understudy_operator.cluster import LEASES, Cluster, ClusterError, Conflict, Manifest, NotFound, Query, version_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """A Lease's name and times.

    Attributes:
        namespace: Where it is.
        name: What it is called.
        identity: Who asks for it.
        lease_seconds: How long others wait for a holder that is gone.
        renew_seconds: How long a holder that cannot renew may go on writing; less than `lease_seconds`.
        retry_seconds: How often to renew or to try.
    """

    namespace: str
    name: str
    identity: str
    lease_seconds: float
    renew_seconds: float
    retry_seconds: float


class Leadership:
    """Acquire, keep, and release a Lease."""

    def __init__(
        self, cluster: Cluster, terms: Terms, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._cluster = cluster
        self._terms = terms
        self._now = now
        self._renewed_at: float | None = None
        self._seen_version = ""
        self._seen_at = 0.0
        self.heard = False
        """Whether the cluster has answered at least once."""

    @property
    def held(self) -> bool:
        """Whether this process leads for sure: it holds the Lease and has renewed it not long ago."""
        return self._renewed_at is not None and _clock() - self._renewed_at < self._terms.renew_seconds

    async def acquire(self) -> None:
        """Wait until this process leads."""
        while not await self._try():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(self._terms.retry_seconds)
        log.info("leading", extra={"identity": self._terms.identity})

    async def keep(self) -> None:
        """Renew until somebody else leads; then return.

        While the API server cannot be reached nobody can take the Lease, so this goes on trying; `held` is False
        meanwhile.
        """
        while True:
            await asyncio.sleep(self._terms.retry_seconds)
            before = self._renewed_at
            if not await self._try() and self._renewed_at is None and before is not None:
                log.error("another operator leads now", extra={"identity": self._terms.identity})
                return

    async def release(self) -> None:
        """Let go of the Lease, so that the next one need not wait for it to run out."""
        if not self.held:
            return
        self._renewed_at = None
        try:
            lease = await self._get()
            if lease is not None and _holder(lease) == self._terms.identity:
                await self._cluster.apply(LEASES, self._manifest(lease, holder=""))
        except ClusterError as error:
            log.info("the lease is left to run out", extra={"error": str(error)})

    async def _try(self) -> bool:
        """Take or renew the Lease; False when it could not be done now."""
        asked_at = _clock()
        try:
            async with asyncio.timeout(self._terms.renew_seconds / 2):
                return await self._take(asked_at)
        except Conflict:
            return False
        except (ClusterError, TimeoutError) as error:
            log.warning("the lease cannot be reached", extra={"error": str(error) or type(error).__name__})
            return False

    async def _take(self, asked_at: float) -> bool:
        lease = await self._get()
        self.heard = True
        if lease is None:
            await self._cluster.create(LEASES, self._manifest(None, holder=self._terms.identity))
        elif self._is_free(lease, asked_at):
            await self._cluster.apply(LEASES, self._manifest(lease, holder=self._terms.identity))
        else:
            self._renewed_at = None
            return False
        self._renewed_at = asked_at
        return True

    async def _get(self) -> Manifest | None:
        try:
            return await self._cluster.get(Query(LEASES, self._terms.namespace, self._terms.name))
        except NotFound:
            return None

    def _is_free(self, lease: Manifest, asked_at: float) -> bool:
        """Whether this process may take it: its own, nobody's, or run out."""
        if _holder(lease) in ("", self._terms.identity):
            return True
        if version_of(lease) != self._seen_version:
            self._seen_version = version_of(lease)
            self._seen_at = asked_at
            return False
        seconds = (lease.get("spec") or {}).get("leaseDurationSeconds") or self._terms.lease_seconds
        return asked_at - self._seen_at >= float(seconds)

    def _manifest(self, lease: Manifest | None, *, holder: str) -> Manifest:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = (lease or {}).get("spec") or {}
        same = spec.get("holderIdentity") == holder
        manifest: Manifest = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"namespace": self._terms.namespace, "name": self._terms.name},
            "spec": {
                "holderIdentity": holder,
                # Whole seconds, at least one, is what the API takes.
                "leaseDurationSeconds": max(1, round(self._terms.lease_seconds)) if holder else 1,
                "acquireTime": spec.get("acquireTime", now) if same else now,
                "renewTime": now,
                "leaseTransitions": int(spec.get("leaseTransitions") or 0) + (0 if same or not holder else 1),
            },
        }
        if lease is not None:
            manifest["metadata"]["resourceVersion"] = version_of(lease)
        return manifest


def _holder(lease: Manifest) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def _clock() -> float:
    return asyncio.get_running_loop().time()
