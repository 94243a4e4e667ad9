"""Publishing: a configuration becomes ConfigMaps and Secrets such that nobody can ever load half of one.

The shards go into the slot that the head does not name, then the head is flipped under an optimistic lock; see
`understudy_api.config.shards`. A crash between any two writes leaves the old slot and the head as they were. When two
operators write at once, one loses at the head and begins anew; should their shards have mingled before that, readers
see that hash or revision do not match and keep what they have, and the winner, finding objects that it did not write,
publishes once more.
"""

import asyncio
import logging
import random
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from understudy_api.config import Config
from understudy_api.config.shards import (
    HEAD_KEY,
    MAX_SHARDS,
    Head,
    NotWhole,
    Part,
    Published,
    ShardError,
    Slot,
    Snapshot,
    decode,
    encode,
    head_json,
    read_head,
    shard_key,
)
from understudy_operator.cluster import (
    CONFIG_MAPS,
    SECRETS,
    Cluster,
    Conflict,
    Manifest,
    NotFound,
    Query,
    ResourceType,
    version_of,
)
from understudy_operator.metrics import Metrics
from understudy_operator.together import together

log = logging.getLogger(__name__)

MAX_TRIES = 5
"""Publications begun anew in one cycle because somebody else was writing."""
_TYPES: dict[Part, ResourceType] = {"config": CONFIG_MAPS, "credentials": SECRETS}
_FIELDS: dict[Part, str] = {"config": "binaryData", "credentials": "data"}

Shard = tuple[Part, Slot, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are published: a namespace, a prefix of their names, and who owns them."""

    namespace: str
    prefix: str
    owners: tuple[Manifest, ...] = ()

    @property
    def head_name(self) -> str:
        """The name of the head's ConfigMap."""
        return f"{self.prefix}-config"

    def shard_name(self, shard: Shard) -> str:
        """The name of a shard's object."""
        return f"{self.prefix}-{shard_key(*shard)}"

    def head_manifest(self, head: Head, *, resource_version: str) -> Manifest:
        """The head as an object; with a resourceVersion it replaces exactly that one."""
        manifest = self._manifest(CONFIG_MAPS, self.head_name) | {"data": {HEAD_KEY: head_json(head)}}
        if resource_version:
            manifest["metadata"]["resourceVersion"] = resource_version
        return manifest

    def shard_manifest(self, shard: Shard, content: bytes) -> Manifest:
        """A shard as an object."""
        content_field = {_FIELDS[shard[0]]: {shard_key(*shard): b64encode(content).decode()}}
        return self._manifest(_TYPES[shard[0]], self.shard_name(shard)) | content_field

    def _manifest(self, type_: ResourceType, name: str) -> Manifest:
        labels = {
            "app.kubernetes.io/name": "understudy",
            "app.kubernetes.io/instance": self.prefix,
            "app.kubernetes.io/component": "configuration",
            "app.kubernetes.io/managed-by": "understudy-operator",
        }
        metadata: Manifest = {"name": name, "namespace": self.namespace, "labels": labels}
        if self.owners:
            metadata["ownerReferences"] = list(self.owners)
        return {"apiVersion": type_.api_version, "kind": type_.kind, "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Publication:
    """What came of publishing: the revision that is live, and whether anything had to be written."""

    revision: str
    written: bool


class Publisher:
    """Makes what is published be what was compiled, writing only when it is not.

    It remembers the resourceVersions of what it wrote or checked, so that a look costs one small read per object.
    """

    def __init__(
        self, cluster: Cluster, place: Place, *, metrics: Metrics, draw: Callable[[], float] = random.random
    ) -> None:
        self._cluster = cluster
        self._place = place
        self._metrics = metrics
        self._draw = draw
        self._checked: dict[Shard, str] = {}
        self._existing: set[Shard] | None = None
        self.head_version = ""
        """The resourceVersion of the head as last read or written; "" when there is none."""

    async def publish(self, snapshot: Snapshot) -> Publication:
        """Make `snapshot` what is published.

        Raises:
            TooLarge: It does not fit; what was published before stays.
            ClusterError: A read or a write failed; readers have the old configuration or the new one.
        """
        for attempt in range(MAX_TRIES):
            try:
                return await self._publish_once(snapshot)
            except Conflict:
                self._metrics.conflicts.inc()
                self._forget()
                log.info("somebody else publishes too; beginning anew", extra={"attempt": attempt + 1})
                await asyncio.sleep(self._draw() * 0.2 * (attempt + 1))
        return await self._publish_once(snapshot)

    async def published(self) -> Config | None:
        """The configuration that is live; None when there is none, or none that this version can read.

        Raises:
            ClusterError: It could not be read.
        """
        head = _head_in(await self._read_head())
        snapshot = await self._load(head) if head else None
        return snapshot.config if snapshot else None

    async def _publish_once(self, snapshot: Snapshot) -> Publication:
        raw = await self._read_head()
        head = _head_in(raw)
        revision = snapshot.config.revision
        if head and head.revision == revision:
            if await self._is_intact(head):
                return Publication(revision, written=False)
            log.warning("what was published has been changed by someone else; repairing", extra={"revision": revision})
            self._metrics.repairs.inc()
        slot: Slot = "b" if _slot_in(raw) == "a" else "a"
        with self._metrics.publish_seconds.time():
            published = await asyncio.to_thread(encode, snapshot, slot=slot)
            await self._write_shards(published)
            await self._flip(published.head, old=raw)
        self._metrics.publishes.inc()
        shards = _shards_of(published.head)
        log.info("published", extra={"revision": revision, "slot": slot, "shards": len(shards)})
        await self._delete_unused(keep={*shards, *(_shards_of(head) if head else ())})
        return Publication(revision, written=True)

    async def _read_head(self) -> Manifest | None:
        try:
            raw = await self._cluster.get(Query(CONFIG_MAPS, self._place.namespace, self._place.head_name))
        except NotFound:
            self.head_version = ""
            return None
        self.head_version = version_of(raw)
        return raw

    async def _is_intact(self, head: Head) -> bool:
        """Whether every shard that the head names is there, unchanged since it was written or checked."""
        shards = _shards_of(head)
        versions = await together(self._version(shard) for shard in shards)
        found = dict(zip(shards, versions, strict=True))
        if all(found[shard] and found[shard] == self._checked.get(shard) for shard in shards):
            return True
        return all(found.values()) and await self._load(head) is not None

    async def _load(self, head: Head) -> Snapshot | None:
        """Read everything the head names, as a proxy does, and remember what was read as checked."""
        shards = _shards_of(head)
        try:
            raws = dict(zip(shards, await together(self._read(shard) for shard in shards), strict=True))
            contents = {shard: _content(raw, shard) for shard, raw in raws.items()}
            snapshot = await asyncio.to_thread(decode, head, lambda part, index: contents[part, head.slot, index])
        except (NotFound, ShardError):
            return None
        self._checked.update({shard: version_of(raw) for shard, raw in raws.items()})
        return snapshot

    async def _read(self, shard: Shard) -> Manifest:
        return await self._cluster.get(Query(_TYPES[shard[0]], self._place.namespace, self._place.shard_name(shard)))

    async def _version(self, shard: Shard) -> str:
        name = self._place.shard_name(shard)
        try:
            query = Query(_TYPES[shard[0]], self._place.namespace, name, metadata_only=True)
            return version_of(await self._cluster.get(query))
        except NotFound:
            return ""

    async def _write_shards(self, published: Published) -> None:
        parts: tuple[tuple[Part, tuple[bytes, ...]], ...] = (
            ("config", published.config),
            ("credentials", published.credentials),
        )
        contents = {
            (part, published.head.slot, index): content
            for part, shards in parts
            for index, content in enumerate(shards)
        }
        await together(self._write_shard(shard, content) for shard, content in contents.items())

    async def _write_shard(self, shard: Shard, content: bytes) -> None:
        self._checked.pop(shard, None)
        written = await self._cluster.apply(_TYPES[shard[0]], self._place.shard_manifest(shard, content))
        self._checked[shard] = version_of(written)
        if self._existing is not None:
            self._existing.add(shard)

    async def _flip(self, head: Head, *, old: Manifest | None) -> None:
        """Name the new slot, unless the head is no longer the one that was read."""
        if old is None:
            written = await self._cluster.create(CONFIG_MAPS, self._place.head_manifest(head, resource_version=""))
        else:
            manifest = self._place.head_manifest(head, resource_version=version_of(old))
            written = await self._cluster.apply(CONFIG_MAPS, manifest)
        self.head_version = version_of(written)

    async def _delete_unused(self, *, keep: set[Shard]) -> None:
        if self._existing is None:
            self._existing = await self._look_for_all()
        unused = sorted(self._existing - keep)
        await together(self._delete(shard) for shard in unused)

    async def _look_for_all(self) -> set[Shard]:
        shards = tuple(_all_shards())
        versions = await together(self._version(shard) for shard in shards)
        return {shard for shard, version in zip(shards, versions, strict=True) if version}

    async def _delete(self, shard: Shard) -> None:
        self._checked.pop(shard, None)
        await self._cluster.delete(_TYPES[shard[0]], (self._place.namespace, self._place.shard_name(shard)))
        if self._existing is not None:
            self._existing.discard(shard)

    def _forget(self) -> None:
        self._checked.clear()
        self._existing = None


def _all_shards() -> Iterable[Shard]:
    parts: tuple[Part, ...] = ("config", "credentials")
    slots: tuple[Slot, ...] = ("a", "b")
    return ((part, slot, index) for part in parts for slot in slots for index in range(MAX_SHARDS))


def _shards_of(head: Head) -> tuple[Shard, ...]:
    config: tuple[Shard, ...] = tuple(("config", head.slot, index) for index in range(head.config_shards))
    return config + tuple(("credentials", head.slot, index) for index in range(head.credential_shards))


def _head_in(raw: Manifest | None) -> Head | None:
    """The head, or None when there is none that this version can read."""
    text = ((raw or {}).get("data") or {}).get(HEAD_KEY)
    if not isinstance(text, str):
        return None
    try:
        return read_head(text)
    except ShardError as error:
        log.warning("the published head cannot be read and will be replaced", extra={"error": str(error)})
        return None


def _slot_in(raw: Manifest | None) -> Slot | None:
    """The slot that readers may be reading: also that of a head which only a newer version understands."""
    text = str(((raw or {}).get("data") or {}).get(HEAD_KEY, ""))
    try:
        return Head.model_validate_json(text).slot
    except ValueError:  # pydantic's ValidationError is one
        return None


def _content(raw: Manifest, shard: Shard) -> bytes:
    key = shard_key(*shard)
    try:
        return b64decode((raw.get(_FIELDS[shard[0]]) or {})[key], validate=True)
    except (KeyError, ValueError) as error:  # binascii.Error is a ValueError
        raise NotWhole(f"the shard {key} holds no content") from error
