"""One whole, fresh look at the cluster: everything that compile needs, or an error, never a part.

Nothing is kept between two looks. What was deleted while a watch was interrupted is simply not there any more.
"""

import logging
from collections.abc import Iterable, Mapping

from understudy_operator.cluster import (
    CONFIG_MAPS,
    NAMESPACES,
    OBJECTS,
    SECRETS,
    Cluster,
    ClusterError,
    Forbidden,
    Manifest,
    NamespacedName,
    NotFound,
    Query,
    ResourceType,
    name_of,
)
from understudy_operator.compile import Inputs, references
from understudy_operator.together import together

log = logging.getLogger(__name__)

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""Set by Kubernetes on every namespace; all that is known of one that may not be read."""


class Incomplete(ClusterError):
    """Something that must be there for a whole read is not: the message says what to do about it."""


class Reader:
    """Reads what compile needs, in some namespaces or in all."""

    def __init__(self, cluster: Cluster, *, watch_namespaces: tuple[str, ...]) -> None:
        self._cluster = cluster
        self._scopes: tuple[str | None, ...] = watch_namespaces or (None,)
        self._denied: set[str] = set()

    async def read(self) -> Inputs:
        """Everything, read now.

        Raises:
            ClusterError: A part could not be read, so there is no whole.
        """
        listed = await together(self._list(type_, scope) for type_ in OBJECTS.values() for scope in self._scopes)
        objects = tuple(item for items in listed for item in items)
        named = references(objects)
        secrets = await self._get_all(SECRETS, named.secrets)
        config_maps = await self._get_all(CONFIG_MAPS, named.config_maps)
        namespaces = await self._namespaces({name_of(item)[0] for item in objects})
        return Inputs(objects=objects, secrets=secrets, config_maps=config_maps, namespaces=namespaces)

    async def _list(self, type_: ResourceType, namespace: str | None) -> list[Manifest]:
        try:
            return await self._cluster.find(Query(type_, namespace=namespace))
        except NotFound as error:
            raise Incomplete(
                f"the API server does not know {type_.plural}.{type_.group}: install the CRDs (kubectl apply -f crds/)"
            ) from error

    async def _get_all(
        self, type_: ResourceType, names: Iterable[NamespacedName]
    ) -> Mapping[NamespacedName, Manifest | None]:
        ordered = sorted(names)
        found = await together(self._get(type_, name) for name in ordered)
        return dict(zip(ordered, found, strict=True))

    async def _get(self, type_: ResourceType, name: NamespacedName) -> Manifest | None:
        try:
            return await self._cluster.get(Query(type_, namespace=name[0], name=name[1]))
        except NotFound:
            return None
        except Forbidden as error:
            # An answer, not an interruption: one namespace that denies its Secrets must not stop all others.
            self._tell_denied(f"{type_.plural} {name[0]}/{name[1]}", error)
            return None

    async def _namespaces(self, used: set[str]) -> Mapping[str, Mapping[str, str]]:
        try:
            found = await self._list_namespaces(used)
        except Forbidden as error:
            self._tell_denied("namespaces", error)
            found = []
        labels = {name: {NAMESPACE_LABEL: name} for name in used}
        return labels | {item["metadata"]["name"]: dict(item["metadata"].get("labels") or {}) for item in found}

    async def _list_namespaces(self, used: set[str]) -> list[Manifest]:
        if self._scopes == (None,):
            return await self._cluster.find(Query(NAMESPACES, metadata_only=True))
        found = await together(self._namespace(name) for name in sorted(used))
        return [item for item in found if item is not None]

    async def _namespace(self, name: str) -> Manifest | None:
        try:
            return await self._cluster.get(Query(NAMESPACES, name=name, metadata_only=True))
        except NotFound:
            return None

    def _tell_denied(self, what: str, error: ClusterError) -> None:
        if what not in self._denied:
            self._denied.add(what)
            log.warning("not allowed to read, so taken as absent", extra={"what": what, "error": str(error)})
