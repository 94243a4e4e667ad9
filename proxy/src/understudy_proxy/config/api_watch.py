"""The head of the configuration, followed through the Kubernetes API by name.

Each connection begins with a fresh list of that one object and watches from there. Nothing is resumed from an earlier
connection: the list is one small object, and after an API server was restored from a backup an old resource version
would watch in silence for a future that has been.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from understudy_api.config.shards import HEAD_KEY
from understudy_proxy.config.api_client import ApiClient, ApiError, Refused
from understudy_proxy.config.backoff import Backoff

_HEALTHY_SECONDS = 30.0
"""A connection that lasted this long ended by plan or by chance; a shorter one counts as a failure."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits of a watch."""

    watch_seconds: float = 300.0
    """The server ends a watch after this long and up to half as long again, so that a fleet does not return as one."""
    inactivity_seconds: float = 90.0
    """Bookmarks come every minute; a connection that is silent for longer is dead without saying so."""
    first_retry_seconds: float = 0.25
    most_retry_seconds: float = 5.0
    """A fleet of 100 pods asks an API server that is away 20 times a second, and finds it again within 5 s."""


class Follower(Protocol):
    """Who follows the head."""

    def heard(self) -> None:
        """The API server gave a sign of life."""

    def lost(self, why: str) -> None:
        """The API server cannot be followed at the moment."""

    def head(self, data: str) -> None:
        """What the head says now."""


class HeadWatch:
    """Follows the head ConfigMap `PREFIX-config`."""

    def __init__(
        self,
        client: ApiClient,
        *,
        namespace: str,
        prefix: str,
        draw: Callable[[], float],
        timer: Callable[[], float],
        pace: Pace = Pace(),
    ) -> None:
        self._client = client
        self._path = f"/api/v1/namespaces/{namespace}/configmaps"
        self._name = f"{prefix}-config"
        self._draw = draw
        self._timer = timer
        self._pace = pace

    async def run(self, follower: Follower) -> None:
        """Tell `follower` of the head, now and at each change, until cancelled."""
        backoff = Backoff(self._pace.first_retry_seconds, self._pace.most_retry_seconds, self._draw)
        while True:
            started = self._timer()
            try:
                await self._follow(follower)
            except Refused as refusal:
                follower.lost(str(refusal) if refusal.status != 410 else "the watch was too old and begins anew")
            except ApiError as error:
                follower.lost(str(error))
            if self._timer() - started >= _HEALTHY_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def _follow(self, follower: Follower) -> None:
        selector = {"fieldSelector": f"metadata.name={self._name}"}
        listed = await self._client.get(self._path, selector)
        follower.heard()
        for item in listed.get("items") or ():
            _tell(follower, item)
        watch = {
            **selector,
            "resourceVersion": str(_metadata(listed).get("resourceVersion", "")),
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(round(self._pace.watch_seconds * (1 + self._draw() / 2))),
        }
        seconds = self._pace.inactivity_seconds
        async with aclosing(self._client.watch(self._path, watch, inactivity_seconds=seconds)) as events:
            async for event in events:
                follower.heard()
                if event.get("type") in {"ADDED", "MODIFIED"}:
                    _tell(follower, event.get("object"))
                # DELETED changes nothing: a configuration that is gone is no reason to stop serving.


def _metadata(item: Any) -> dict[str, Any]:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _tell(follower: Follower, item: Any) -> None:
    data = item.get("data") if isinstance(item, dict) else None
    head = data.get(HEAD_KEY) if isinstance(data, dict) else None
    if isinstance(head, str):
        follower.head(head)
