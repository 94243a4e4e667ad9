"""What the operator asks of a cluster: a small protocol over plain dicts, and what can go wrong.

`kube.KubeCluster` answers it with a real API server. Nothing here knows HTTP, and nothing above it knows the
Kubernetes client, so that the logic of the operator is tested with a cluster that is a dictionary.

    ClusterError
    ├── Unavailable   nobody answered, or the answer was "later": try again
    ├── Forbidden     the operator has no right to do this
    ├── NotFound      no such object, or no such kind
    ├── Conflict      the object is not the one that was read
    ├── Expired       a list or a watch cannot go on from where it was
    └── Refused       the API server will not take this, now or later
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from understudy_api.v1alpha1 import GROUP, PLURALS, VERSION

FIELD_MANAGER = "understudy-operator"
"""Who owns what is applied."""

Manifest = dict[str, Any]
"""A Kubernetes object as plain decoded JSON."""
NamespacedName = tuple[str, str]
"""(namespace, name)"""


class ClusterError(Exception):
    """A request to the cluster did not succeed; the message says what was asked and what came of it."""


class Unavailable(ClusterError):
    """Nobody answered, or the answer was 429 or 5xx."""


class Forbidden(ClusterError):
    """401 or 403."""


class NotFound(ClusterError):
    """404."""


class Conflict(ClusterError):
    """409."""


class Expired(ClusterError):
    """410: a page token or a resourceVersion is too old."""


class Refused(ClusterError):
    """Any other 4xx."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of object and where the API server keeps it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As manifests name it."""
        return f"{self.group}/{self.version}" if self.group else self.version


CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap")
SECRETS = ResourceType("", "v1", "secrets", "Secret")
PODS = ResourceType("", "v1", "pods", "Pod")
NAMESPACES = ResourceType("", "v1", "namespaces", "Namespace", namespaced=False)
LEASES = ResourceType("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = ResourceType("events.k8s.io", "v1", "events", "Event")
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
OBJECTS = {kind: ResourceType(GROUP, VERSION, plural, kind) for kind, plural in PLURALS.items()}
"""The kinds that users write."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which objects.

    Attributes:
        type: Their kind.
        namespace: Where; None is everywhere.
        name: One of them by name, or all.
        labels: A label selector; "" selects all.
        metadata_only: Leave out everything but metadata, so that a Secret's content never travels.
    """

    type: ResourceType
    namespace: str | None = None
    name: str | None = None
    labels: str = ""
    metadata_only: bool = False


class EventType(StrEnum):
    """What a watch tells of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One event of a watch, with the object as it is now (or was, when deleted)."""

    type: EventType
    object: Manifest


class Cluster(Protocol):
    """A cluster. Every call may raise `ClusterError`; none retries by itself."""

    async def find(self, query: Query) -> list[Manifest]:
        """All that match, read afresh and whole: a read that breaks off raises."""
        ...

    async def get(self, query: Query) -> Manifest:
        """The object that the query names. Raises `NotFound`."""
        ...

    def watch(self, query: Query) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """What matches now, as `ADDED`, and then every change, until the server or the network ends it.

        Entering opens it: no change that comes later is missed while it lasts. Between one watch and the next there
        is a gap, so look for yourself after entering.
        """
        ...

    async def create(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """Create; raises `Conflict` when it exists."""
        ...

    async def apply(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """Server-side apply: what is not there is created.

        With a resourceVersion in the manifest it replaces exactly that one (`Conflict`), or nothing.
        """
        ...

    async def apply_status(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """Server-side apply of the status alone. Raises `NotFound` when there is no such object."""
        ...

    async def delete(self, type_: ResourceType, name: NamespacedName) -> None:
        """Delete; that it is gone already is fine."""
        ...


def name_of(manifest: Mapping[str, Any]) -> NamespacedName:
    """(namespace, name) of an object; "" for a cluster-scoped one's namespace."""
    metadata = manifest.get("metadata") or {}
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def version_of(manifest: Mapping[str, Any]) -> str:
    """The resourceVersion: differs whenever the object does."""
    return str((manifest.get("metadata") or {}).get("resourceVersion", ""))
