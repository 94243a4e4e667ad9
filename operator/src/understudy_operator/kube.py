"""`Cluster` over the Kubernetes client: thin, plain dicts both ways, every wait bounded.

Of the client only configuration, authentication and transport are used: its generated models would parse every object
into classes that nobody here needs.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import ApiClient, Configuration

from understudy_operator.cluster import (
    FIELD_MANAGER,
    SECRETS,
    ClusterError,
    Conflict,
    EventType,
    Expired,
    Forbidden,
    Manifest,
    NamespacedName,
    NotFound,
    Query,
    Refused,
    ResourceType,
    Unavailable,
    WatchEvent,
)

PAGE = 500
"""Objects per page of a list."""
MAX_RELISTS = 3
"""How often a list that expires between its pages begins anew before it counts as unavailable."""
MAX_REQUESTS = 16
"""Requests at a time, watches apart."""
MAX_MESSAGE = 512
"""Characters kept of what the API server says."""
WATCH_SECONDS = 300
"""After this the server ends a watch, and the next one may reach another, less busy, server."""
SILENCE_SECONDS = 80
"""The API server sends a bookmark every minute: a watch that is silent for longer is dead."""

_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5)
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS)
_METADATA = "application/json;as={};g=meta.k8s.io;v=v1"
_EVENT_TYPES = frozenset(EventType)
_ERRORS: Mapping[int, type[ClusterError]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    429: Unavailable,
}


async def load_configuration(kubeconfig: str | None) -> Configuration:
    """How to reach the cluster: the kubeconfig file, or the ServiceAccount of the pod this runs in.

    Raises:
        kube_config.ConfigException: There is neither, or the file is not a kubeconfig.
    """
    configuration = Configuration()
    if kubeconfig:
        await _load_file(kubeconfig, configuration)
    else:
        kube_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    # Every reference watch holds a connection; requests are bounded here instead.
    configuration.connection_pool_maxsize = 0
    return configuration


async def _load_file(path: str, configuration: Configuration) -> None:
    try:
        await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=path, client_configuration=configuration
        )
    except kube_config.ConfigException:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file breaks its parser in many ways, and holds secrets
        raise kube_config.ConfigException(f"{path} is not a kubeconfig: {type(error).__name__}") from None


class KubeCluster:
    """A cluster behind an API server."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._slots = asyncio.Semaphore(MAX_REQUESTS)

    async def find(self, query: Query) -> list[Manifest]:
        """See `Cluster.find`; pages, and begins anew when the pages no longer belong together."""
        for _ in range(MAX_RELISTS):
            try:
                return await self._list_pages(query)
            except Expired:
                continue
        raise Unavailable(f"listing {query.type.plural} kept expiring between its pages")

    async def get(self, query: Query) -> Manifest:
        """See `Cluster.get`."""
        accept = _METADATA.format("PartialObjectMetadata") if query.metadata_only else "application/json"
        return await self._request("GET", query.type, _path(query.type, query.namespace, query.name), accept=accept)

    @asynccontextmanager
    async def watch(self, query: Query) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """See `Cluster.watch`."""
        parameters = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", str(WATCH_SECONDS)),
            *_selectors(query),
        ]
        accept = _METADATA.format("PartialObjectMetadata") if query.metadata_only else "application/json"
        path = _path(query.type, query.namespace)
        response = await self._send("GET", path, parameters=parameters, accept=accept, timeout=_WATCH_TIMEOUT)
        try:
            if response.status != 200:
                raise await _error(response, f"watching {path}", query.type)
            yield _events(response, path)
        finally:
            response.close()

    async def create(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """See `Cluster.create`."""
        path = _path(type_, manifest["metadata"].get("namespace"))
        return await self._request("POST", type_, path, parameters=[("fieldManager", FIELD_MANAGER)], body=manifest)

    async def apply(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """See `Cluster.apply`."""
        return await self._apply(type_, manifest, subresource="")

    async def apply_status(self, type_: ResourceType, manifest: Manifest) -> Manifest:
        """See `Cluster.apply_status`."""
        return await self._apply(type_, manifest, subresource="/status")

    async def delete(self, type_: ResourceType, name: NamespacedName) -> None:
        """See `Cluster.delete`."""
        try:
            await self._request("DELETE", type_, _path(type_, *name))
        except NotFound:
            return

    async def _list_pages(self, query: Query) -> list[Manifest]:
        accept = _METADATA.format("PartialObjectMetadataList") if query.metadata_only else "application/json"
        path = _path(query.type, query.namespace)
        items: list[Manifest] = []
        token = ""
        while True:
            parameters = [("limit", str(PAGE)), *_selectors(query)]
            if token:
                parameters.append(("continue", token))
            page = await self._request("GET", query.type, path, parameters=parameters, accept=accept)
            # Items of a list leave out what the list says once; compile and apply want it on each.
            common = {"apiVersion": query.type.api_version, "kind": query.type.kind}
            items.extend(common | item for item in page.get("items") or [])
            token = str((page.get("metadata") or {}).get("continue") or "")
            if not token:
                return items

    async def _apply(self, type_: ResourceType, manifest: Manifest, *, subresource: str) -> Manifest:
        metadata = manifest["metadata"]
        return await self._request(
            "PATCH",
            type_,
            _path(type_, metadata.get("namespace"), metadata["name"]) + subresource,
            parameters=[("fieldManager", FIELD_MANAGER), ("force", "true")],
            body=manifest,
            content_type="application/apply-patch+yaml",
        )

    async def _request(
        self,
        method: str,
        type_: ResourceType,
        path: str,
        *,
        parameters: list[tuple[str, str]] | None = None,
        body: Manifest | None = None,
        accept: str = "application/json",
        content_type: str = "application/json",
    ) -> Manifest:
        async with self._slots:
            response = await self._send(
                method, path, parameters=parameters, body=body, accept=accept, content_type=content_type
            )
            what = f"{method} {path}"
            if response.status >= 300:
                raise await _error(response, what, type_)
            return _object(await _read(response, what), what)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        parameters: list[tuple[str, str]] | None = None,
        body: Manifest | None = None,
        accept: str,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout = _REQUEST_TIMEOUT,  # noqa: ASYNC109 - a bound per phase, not one in all
    ) -> aiohttp.ClientResponse:
        try:
            method, url, headers, content, _ = await self._client.param_serialize(
                method,
                path,
                query_params=parameters,
                header_params={"Accept": accept, "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = await self._client.call_api(method, url, headers, content, _request_timeout=timeout)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"{method} {path}: {_describe(error)}") from error
        response: aiohttp.ClientResponse = answer.response
        return response


def _path(type_: ResourceType, namespace: str | None = None, name: str | None = None) -> str:
    base = f"/apis/{type_.group}/{type_.version}" if type_.group else f"/api/{type_.version}"
    where = f"/namespaces/{quote(namespace, safe='')}" if type_.namespaced and namespace else ""
    which = f"/{quote(name, safe='')}" if name else ""
    return f"{base}{where}/{type_.plural}{which}"


def _selectors(query: Query) -> list[tuple[str, str]]:
    selectors = [("fieldSelector", f"metadata.name={query.name}")] if query.name else []
    return [*selectors, ("labelSelector", query.labels)] if query.labels else selectors


async def _events(response: aiohttp.ClientResponse, path: str) -> AsyncIterator[WatchEvent]:
    try:
        async for line in response.content:
            event = _object(line, f"watching {path}")
            kind = str(event.get("type"))
            if kind == "ERROR":
                raise Expired(f"watching {path}: {_said(event.get('object') or {})}")
            if kind in _EVENT_TYPES:  # a bookmark only shows that the connection lives
                yield WatchEvent(EventType(kind), event["object"])
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:  # ValueError: a line beyond the buffer
        raise Unavailable(f"watching {path}: {_describe(error)}") from error


async def _error(response: aiohttp.ClientResponse, what: str, type_: ResourceType) -> ClusterError:
    status = response.status
    try:
        said = _said(json.loads(await _read(response, what)))
    except (ValueError, Unavailable):
        said = response.reason or "no reason given"
    # The API server may quote what it refuses, and that must not reach a log when it is a Secret.
    about = "" if type_ is SECRETS and status not in (403, 404) else f": {said}"
    return _ERRORS.get(status, Unavailable if status >= 500 else Refused)(f"{what}: {status}{about}")


async def _read(response: aiohttp.ClientResponse, what: str) -> bytes:
    try:
        return await response.read()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable(f"{what}: {_describe(error)}") from error


def _object(data: bytes, what: str) -> Manifest:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise Unavailable(f"{what}: the answer is not JSON") from error
    if not isinstance(value, dict):
        raise Unavailable(f"{what}: the answer is not an object")
    return value


def _said(status: Any) -> str:
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or "no reason given")[:MAX_MESSAGE]


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".strip()[:MAX_MESSAGE]
