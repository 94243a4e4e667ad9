"""A cluster that is a dictionary, for the operator's logic: what the API server does about versions, and nothing else.

It can fail at any call, and tells of each one.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from understudy_operator.cluster import (
    Conflict,
    EventType,
    Manifest,
    NamespacedName,
    NotFound,
    Query,
    ResourceType,
    WatchEvent,
    name_of,
    version_of,
)

Key = tuple[ResourceType, str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its verb, the kind, and (namespace, name), either of which may be ""."""

    verb: str
    type: ResourceType
    name: NamespacedName


class MemoryCluster:
    """Implements `Cluster`.

    Attributes:
        calls: Every call so far.
        before: Awaited before each call takes effect; what it raises, the caller gets, and nothing happens.
        after: Awaited after each call took effect; what it raises, the caller gets all the same.
    """

    def __init__(self, *manifests: Manifest) -> None:
        self.calls: list[Call] = []
        self.before: Callable[[Call], Awaitable[None]] = _nothing
        self.after: Callable[[Call], Awaitable[None]] = _nothing
        self._objects: dict[Key, Manifest] = {}
        self._version = 0
        self._watches: list[tuple[Query, asyncio.Queue[WatchEvent | None]]] = []
        for manifest in manifests:
            self.put(manifest)

    def put(self, manifest: Manifest) -> Manifest:
        """Create or replace an object as a user would."""
        type_ = _type_of(manifest)
        old = self._objects.get((type_, *name_of(manifest)))
        new = copy.deepcopy(manifest)
        new["metadata"].setdefault("uid", old["metadata"]["uid"] if old else f"uid-{self._version + 1}")
        if old and "status" in old:
            new.setdefault("status", old["status"])
        changed = old is None or old.get("spec") != new.get("spec")
        new["metadata"]["generation"] = (old["metadata"]["generation"] if old else 0) + changed
        return self._store(type_, new)

    def remove(self, type_: ResourceType, namespace: str, name: str) -> None:
        """Delete an object as a user would."""
        old = self._objects.pop((type_, namespace, name))
        self._tell(EventType.DELETED, type_, old)

    def look(self, type_: ResourceType, namespace: str, name: str) -> Manifest | None:
        """An object as it is, without a call."""
        return copy.deepcopy(self._objects.get((type_, namespace, name)))

    def names(self, type_: ResourceType) -> set[str]:
        """The names of all objects of a kind."""
        return {name for kept, _, name in self._objects if kept == type_}

    def writes(self) -> list[Call]:
        """The calls that changed something, or tried to."""
        return [call for call in self.calls if call.verb not in ("find", "get", "watch")]

    def cut_watches(self) -> None:
        """End all watches, as a server does from time to time."""
        for _, queue in self._watches:
            queue.put_nowait(None)

    async def find(self, query: Query) -> list[Manifest]:
        """See `Cluster.find`."""
        async with self._call("find", query.type, (query.namespace or "", "")):
            return [copy.deepcopy(item) for item in self._matching(query)]

    async def get(self, query: Query) -> Manifest:
        """See `Cluster.get`."""
        name = (query.namespace or "", query.name or "")
        async with self._call("get", query.type, name):
            if (query.type, *name) not in self._objects:
                raise NotFound(f"GET {query.type.plural} {name}: 404")
            return copy.deepcopy(self._objects[query.type, *name])

    @asynccontextmanager
    async def watch(self, query: Query) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """See `Cluster.watch`."""
        async with self._call("watch", query.type, (query.namespace or "", query.name or "")):
            queue: asyncio.Queue[WatchEvent | None] = asyncio.Queue()
        for item in self._matching(query):
            queue.put_nowait(WatchEvent(EventType.ADDED, copy.deepcopy(item)))
        self._watches.append((query, queue))
        try:
            yield _until_none(queue)
        finally:
            self._watches.remove((query, queue))

    async def create(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        async with self._call("create", type_, name_of(manifest)):
            if (type_, *name_of(manifest)) in self._objects:
                raise Conflict(f"{name_of(manifest)} exists")
            return self.put(manifest)

    async def apply(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """See `Cluster.apply`."""
        async with self._call("apply", type_, name_of(manifest)):
            old = self._objects.get((type_, *name_of(manifest)))
            wanted = version_of(manifest)
            if wanted and old is not None and version_of(old) != wanted:
                raise Conflict(f"{name_of(manifest)} is at another version")
            if old is not None and _content(old) == _content(manifest):
                return copy.deepcopy(old)
            return self.put(manifest)

    async def apply_status(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """See `Cluster.apply_status`."""
        async with self._call("apply_status", type_, name_of(manifest)):
            old = self._objects.get((type_, *name_of(manifest)))
            if old is None:
                raise NotFound(f"{name_of(manifest)} is gone")
            return self._store(type_, old | {"status": copy.deepcopy(manifest["status"])})

    async def delete(self, type_: ResourceType, name: NamespacedName) -> None:
        """See `Cluster.delete`."""
        async with self._call("delete", type_, name):
            if (type_, *name) in self._objects:
                self.remove(type_, *name)

    @asynccontextmanager
    async def _call(self, verb: str, type_: ResourceType, name: NamespacedName) -> AsyncIterator[None]:
        call = Call(verb, type_, name)
        self.calls.append(call)
        await asyncio.sleep(0)
        await self.before(call)
        yield
        await self.after(call)

    def _matching(self, query: Query) -> list[Manifest]:
        return [item for (type_, _, _), item in self._objects.items() if type_ == query.type and _matches(query, item)]

    def _store(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        self._version += 1
        key = (type_, *name_of(manifest))
        event = EventType.MODIFIED if key in self._objects else EventType.ADDED
        manifest = manifest | {"metadata": manifest["metadata"] | {"resourceVersion": str(self._version)}}
        self._objects[key] = manifest
        self._tell(event, type_, manifest)
        return copy.deepcopy(manifest)

    def _tell(self, event: EventType, type_: ResourceType, manifest: Manifest) -> None:
        for query, queue in self._watches:
            if query.type == type_ and _matches(query, manifest):
                queue.put_nowait(WatchEvent(event, copy.deepcopy(manifest)))


async def _nothing(_call: Call) -> None:
    return


async def _until_none(queue: asyncio.Queue[WatchEvent | None]) -> AsyncIterator[WatchEvent]:
    while (event := await queue.get()) is not None:
        yield event


def _matches(query: Query, manifest: Manifest) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    wanted = [pair.split("=", 1) for pair in query.labels.split(",") if pair]
    return (
        query.namespace in (None, manifest["metadata"].get("namespace"))
        and query.name in (None, manifest["metadata"]["name"])
        and all(labels.get(key) == value for key, value in wanted)
    )


def _content(manifest: Manifest) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key in ("spec", "data", "binaryData")}


def _type_of(manifest: Manifest) -> ResourceType:
    group, _, version = manifest["apiVersion"].rpartition("/")
    kind = manifest["kind"]
    return ResourceType(group, version, f"{kind.lower()}s", kind, namespaced="namespace" in manifest["metadata"])
