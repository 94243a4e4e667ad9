"""Watches that never end: of one object by name, or of all of a kind.

They only tell that something is different; what it is now is read afresh when the configuration is compiled. So a watch
asks for metadata alone, and the content of a Secret never passes through one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from understudy_operator.backoff import Backoff
from understudy_operator.cluster import (
    CONFIG_MAPS,
    SECRETS,
    Cluster,
    ClusterError,
    EventType,
    Forbidden,
    Manifest,
    NamespacedName,
    NotFound,
    Query,
    ResourceType,
    name_of,
    version_of,
)

log = logging.getLogger(__name__)

DENIED_SECONDS = 60.0
"""How soon to ask again for what RBAC denies: rights are granted by people."""

Changed = Callable[[NamespacedName, Manifest | None], None]
"""Called with the metadata of an object that exists, or None when it does not (any more)."""
Reference = tuple[ResourceType, str, str]
"""(type, namespace, name) of something that an object names."""


async def follow(cluster: Cluster, query: Query, changed: Changed) -> None:
    """Tell of everything that matches, whenever a watch begins and after every change; never returns.

    An object may be told of again without having changed: compare its resourceVersion. A deletion between two watches
    is noticed when the query names one object.
    """
    backoff = Backoff(base_seconds=0.2, max_seconds=5.0)
    while True:
        try:
            await _follow_once(cluster, query, changed)
            backoff.succeeded()
            wait = backoff.failed()  # a server that ends every watch at once must not be hammered
        except Forbidden as error:
            log.warning("watch denied, changes are seen at the next resync only", extra={"error": str(error)})
            wait = DENIED_SECONDS
        except ClusterError as error:
            wait = backoff.failed()
            log.info("watch interrupted", extra={"error": str(error), "retry_seconds": round(wait, 1)})
        await asyncio.sleep(wait)


async def _follow_once(cluster: Cluster, query: Query, changed: Changed) -> None:
    async with cluster.watch(query) as events:
        if query.name is not None:
            changed((query.namespace or "", query.name), await _look(cluster, query))
        async for event in events:
            changed(name_of(event.object), None if event.type is EventType.DELETED else event.object)


async def _look(cluster: Cluster, query: Query) -> Manifest | None:
    try:
        return await cluster.get(query)
    except NotFound:
        return None


class ReferenceWatches:
    """One watch for each Secret and ConfigMap that objects name, so that a rotated key is live at once.

    Beyond `limit` of them the periodic resync has to do.
    """

    def __init__(self, cluster: Cluster, *, limit: int, changed: Callable[[], None]) -> None:
        self._cluster = cluster
        self._limit = limit
        self._changed = changed
        self._known: Mapping[Reference, str] = {}
        self._tasks: dict[Reference, asyncio.Task[None]] = {}
        self.unwatched = 0

    def __len__(self) -> int:
        """How many references are watched."""
        return len(self._tasks)

    def keep(self, versions: Mapping[Reference, str]) -> None:
        """Watch exactly these, given with the resourceVersion ("" when absent) that was last compiled."""
        self._known = versions
        # Those watched already come first, so that a newcomer beyond the limit never displaces one.
        wanted = sorted(versions, key=lambda reference: (reference not in self._tasks, _order(reference)))
        kept = set(wanted[: self._limit])
        for reference in [reference for reference in self._tasks if reference not in kept]:
            self._tasks.pop(reference).cancel()
        for reference in kept - self._tasks.keys():
            self._tasks[reference] = asyncio.create_task(self._watch(reference), name=f"watch {_order(reference)}")
        self._tell_unwatched(len(wanted) - len(kept))

    async def close(self) -> None:
        """End all watches."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, reference: Reference) -> None:
        type_, namespace, name = reference

        def compare(_name: NamespacedName, manifest: Manifest | None) -> None:
            if (version_of(manifest) if manifest else "") != self._known.get(reference):
                self._changed()

        query = Query(type_, namespace=namespace, name=name, metadata_only=True)
        await follow(self._cluster, query, compare)

    def _tell_unwatched(self, count: int) -> None:
        if count and not self.unwatched:
            log.warning(
                "more Secrets and ConfigMaps are named than are watched; the rest is read at each resync",
                extra={"watched": len(self._tasks), "unwatched": count},
            )
        self.unwatched = count


def reference_versions(
    secrets: Mapping[NamespacedName, Mapping[str, Any] | None],
    config_maps: Mapping[NamespacedName, Mapping[str, Any] | None],
) -> dict[Reference, str]:
    """What `ReferenceWatches.keep` takes, from what was read."""
    return {
        (type_, namespace, name): version_of(manifest) if manifest else ""
        for type_, found in ((SECRETS, secrets), (CONFIG_MAPS, config_maps))
        for (namespace, name), manifest in found.items()
    }


def _order(reference: Reference) -> str:
    type_, namespace, name = reference
    return f"{type_.plural} {namespace}/{name}"
