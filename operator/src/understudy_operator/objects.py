"""The doorbells: kopf watches the four kinds and rings when something that matters is different.

Of kopf only the stateless `on.event` handler is used: no index, no create or update handlers, no daemons, no peering,
no finalizers, and nothing is ever written to a user's object. kopf treats every task of its event loop as its own and
cancels it at the end, and it takes over the signals of the main thread; so it has a thread and a loop of its own.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import kopf
from kubernetes.aio.client import Configuration

from understudy_operator.cluster import OBJECTS, NamespacedName, name_of
from understudy_operator.kube import load_configuration
from understudy_operator.settings import Settings

_RETRY_SECONDS = (0.2, 0.5, *[1.0, 2.0] * 30)
"""Waits between attempts to reach the API server: short, because a change goes unseen for the last of them."""

Fingerprint = tuple[object, ...]
ObjectName = tuple[str, NamespacedName]
"""(kind, (namespace, name))"""


def fingerprint(manifest: Mapping[str, Any]) -> Fingerprint:
    """What of an object can change what it compiles to. Its status cannot: writing it must not ring the bell."""
    metadata = manifest.get("metadata") or {}
    marks = (metadata.get(key) or {} for key in ("labels", "annotations"))
    return (
        metadata.get("uid"),
        metadata.get("generation"),
        metadata.get("deletionTimestamp"),
        *(tuple(sorted(mark.items())) for mark in marks),
    )


class News:
    """Tells an event that shows something new from an echo of what the last read has shown already.

    `read` is called in one thread and `is_new` in another; the one assignment between them is atomic.
    """

    def __init__(self) -> None:
        self._seen: Mapping[ObjectName, Fingerprint] = {}

    def read(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """These, and no others, are what was last read."""
        self._seen = {_object_name(manifest): fingerprint(manifest) for manifest in objects}

    def is_new(self, event_type: str | None, manifest: Mapping[str, Any]) -> bool:
        """Whether the event shows something that was not there when the cluster was last read.

        A deletion always is: the read that saw the object may not have been handed in yet.
        """
        return event_type == "DELETED" or fingerprint(manifest) != self._seen.get(_object_name(manifest))


class ObjectWatches:
    """kopf in a thread; `ring` is called in that thread for every event that is news."""

    def __init__(self, settings: Settings, *, news: News, ring: Callable[[], None]) -> None:
        self._settings = settings
        self._news = news
        self._ring = ring
        self._stop = threading.Event()

    async def run(self) -> None:
        """Watch until `stop`, or until kopf gives up, which raises what it gave up for."""
        await asyncio.to_thread(self._run_kopf)

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stop.set()

    def _run_kopf(self) -> None:
        namespaces = self._settings.watch_namespaces
        asyncio.run(
            kopf.operator(
                registry=self._registry(),
                settings=kopf_settings(),
                clusterwide=not namespaces,
                namespaces=namespaces,
                # Left to itself kopf asks for the user's name, which a container's user does not have.
                identity=self._settings.identity,  # type: ignore[arg-type] # a NewType of str that it does not export
                stop_flag=self._stop,
            )
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        async def login(**_: Any) -> kopf.ConnectionInfo:
            return await connection_info(await load_configuration(self._settings.kubeconfig))

        async def ring(event: kopf.RawEvent, **_: Any) -> None:
            if self._news.is_new(event["type"], event["object"]):
                self._ring()

        kopf.on.login(id="login", registry=registry)(login)
        for type_ in OBJECTS.values():
            kopf.on.event(type_.group, type_.version, type_.plural, id=f"ring-{type_.plural}", registry=registry)(ring)
        return registry


def kopf_settings() -> kopf.OperatorSettings:
    """Kopf reduced to watches that recover quickly."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    # Seeing CRDs come and go takes rights on all of them; kopf is started when they are there.
    settings.scanning.disabled = True
    settings.watching.server_timeout = 300
    settings.watching.inactivity_timeout = 80  # the API server sends a bookmark every minute
    settings.watching.connect_timeout = 5
    settings.networking.connect_timeout = 5
    settings.networking.request_timeout = 60
    settings.networking.error_backoffs = _RETRY_SECONDS
    # This process has its own way to end; kopf's last resort is a SIGKILL.
    settings.process.ultimate_exiting_timeout = None
    return settings


async def connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    """The same way to the cluster that `kube` takes, as kopf wants it told."""
    header = await configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        token=header.split(" ", 1)[-1] or None,
        proxy_url=configuration.proxy,
    )


def _object_name(manifest: Mapping[str, Any]) -> ObjectName:
    return str(manifest.get("kind", "")), name_of(manifest)
