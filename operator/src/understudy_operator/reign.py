"""One time of leading: all the parts put together, and running until the first of them ends."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import aiohttp

from understudy_operator.cluster import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    Cluster,
    ClusterError,
    Manifest,
    NamespacedName,
    Query,
    version_of,
)
from understudy_operator.discovery import Poller, Servers
from understudy_operator.doorbell import Doorbell
from understudy_operator.follower import Follower
from understudy_operator.health import Health
from understudy_operator.lease import Leadership
from understudy_operator.metrics import Metrics
from understudy_operator.objects import News, ObjectWatches
from understudy_operator.publish import Place, Publisher
from understudy_operator.reading import Reader
from understudy_operator.reconcile import Parts, Reconciler
from understudy_operator.report import Reporter
from understudy_operator.rollout import PodFleet
from understudy_operator.settings import Settings
from understudy_operator.watching import ReferenceWatches, follow

log = logging.getLogger(__name__)

HEAL_SECONDS = 0.5
"""An event about the head may come before the answer to the write that caused it; look again after this."""
CLOSE_SECONDS = 5.0


class Reign:
    """The work of a leader.

    Args:
        cluster: The cluster.
        session: For asking the proxies.
        leadership: Held already.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        cluster: Cluster,
        session: aiohttp.ClientSession,
        leadership: Leadership,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._session = session
        self._leadership = leadership
        self._metrics = metrics
        self._health = health
        self._loop = asyncio.get_running_loop()
        self._bell = Doorbell(quiet_seconds=settings.quiet_seconds, patience_seconds=settings.patience_seconds)
        self._news = News()
        self._objects = ObjectWatches(settings, news=self._news, ring=self._ring_from_thread)
        self._references = ReferenceWatches(cluster, limit=settings.reference_watches, changed=self._bell.ring)
        self._servers = Servers()
        self._poller = Poller(self._servers.ask, changed=self._bell.ring)

    async def run(self) -> str:
        """Work until a part ends, and end the others.

        Returns:
            Which part ended, for the log; none of them should.
        """
        place = Place(self._settings.namespace, self._settings.prefix, owners=await self._owners())
        publisher = Publisher(self._cluster, place, metrics=self._metrics)
        follower = self._follower()
        reconciler = self._reconciler(publisher, follower)
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "lease": self._leadership.keep(),
            "cycles": reconciler.run(),
            "rollout": follower.run(),
            "objects": self._watch_objects(reconciler),
            "head": self._watch_head(publisher, place),
        }
        if not self._settings.watch_namespaces:
            parts["namespaces"] = self._watch_namespaces(reconciler)
        async with self._servers:
            try:
                return await first_to_end(parts)
            finally:
                self._objects.stop()
                await self._references.close()
                await self._poller.close()

    async def _owners(self) -> tuple[Manifest, ...]:
        name = self._settings.owner_deployment
        if not name:
            return ()
        try:
            owner = await self._cluster.get(Query(DEPLOYMENTS, self._settings.namespace, name, metadata_only=True))
        except ClusterError as error:
            log.warning("the owner cannot be read, so what is published has none", extra={"error": str(error)})
            return ()
        uid = owner["metadata"]["uid"]
        return ({"apiVersion": DEPLOYMENTS.api_version, "kind": DEPLOYMENTS.kind, "name": name, "uid": uid},)

    def _follower(self) -> Follower:
        settings = self._settings
        reporter = Reporter(self._cluster, metrics=self._metrics, identity=settings.identity, clock=self._loop.time)
        fleet = PodFleet(
            self._cluster,
            self._session,
            namespace=settings.namespace,
            selector=settings.proxy_selector,
            admin_port=settings.admin_port,
        )
        return Follower(
            fleet,
            reporter,
            metrics=self._metrics,
            may_write=self._may_write,
            confirm_seconds=settings.confirm_seconds,
        )

    def _reconciler(self, publisher: Publisher, follower: Follower) -> Reconciler:
        parts = Parts(
            reader=Reader(self._cluster, watch_namespaces=self._settings.watch_namespaces),
            publisher=publisher,
            references=self._references,
            poller=self._poller,
            news=self._news,
            bell=self._bell,
            metrics=self._metrics,
            track=follower.track,
            succeeded=self._health.succeeded,
            may_write=self._may_write,
        )
        return Reconciler(parts, resync_seconds=self._settings.resync_seconds)

    async def _watch_objects(self, reconciler: Reconciler) -> None:
        await reconciler.first_read.wait()
        await self._objects.run()

    async def _watch_head(self, publisher: Publisher, place: Place) -> None:
        """Ring when somebody else changes or deletes the head."""
        latest = ""

        def compare() -> None:
            if latest != publisher.head_version:
                self._bell.ring()

        def changed(_name: NamespacedName, manifest: Manifest | None) -> None:
            nonlocal latest
            latest = version_of(manifest) if manifest else ""
            if latest != publisher.head_version:
                self._loop.call_later(HEAL_SECONDS, compare)

        query = Query(CONFIG_MAPS, place.namespace, place.head_name, metadata_only=True)
        await follow(self._cluster, query, changed)

    async def _watch_namespaces(self, reconciler: Reconciler) -> None:
        """Ring when a namespace's labels change, for selectors."""
        await reconciler.first_read.wait()

        def changed(name: NamespacedName, manifest: Manifest | None) -> None:
            labels = manifest["metadata"].get("labels") or {} if manifest else None
            if labels != reconciler.namespaces.get(name[1]):
                self._bell.ring()

        await follow(self._cluster, Query(NAMESPACES, metadata_only=True), changed)

    def _may_write(self) -> bool:
        return self._leadership.held

    def _ring_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._bell.ring)


async def first_to_end(parts: dict[str, Coroutine[Any, Any, None]]) -> str:
    """Run all until one ends, end the others, and name the one; what it failed with is logged."""
    tasks = {asyncio.create_task(part, name=name) for name, part in parts.items()}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
    ended = min(done, key=lambda task: task.exception() is None)
    if error := ended.exception():
        log.error("a part failed", extra={"part": ended.get_name()}, exc_info=error)
    return ended.get_name()
