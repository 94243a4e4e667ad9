"""A Kubernetes API server with bad days: the few calls that a proxy makes, answered as the real one answers them.

It drops, delays and forgets on request, which the real one cannot be made to do. `tests/apiserver` has the real one.
"""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from yarl import URL

from harness.snapshots import files_of
from understudy_api.config import Snapshot, encode
from understudy_api.config.shards import HEAD_KEY, Slot
from understudy_proxy.config.api_client import Access, ApiClient
from understudy_proxy.config.api_fetch import ShardFetch
from understudy_proxy.config.api_watch import HeadWatch, Pace
from understudy_proxy.config.published import Api

NAMESPACE = "understudy"
PREFIX = "understudy"
HEAD = f"{PREFIX}-config"
QUICK = Pace(watch_seconds=30.0, inactivity_seconds=5.0, first_retry_seconds=0.01, most_retry_seconds=0.05)


@dataclass
class FakeApi:
    """The server, as an async context manager. `asked` is every call, oldest first."""

    token: str = ""
    """The one token that is let in; empty lets in everybody."""
    asked: list[str] = field(default_factory=list)
    broken: int | None = None
    """A status that every call gets."""
    silent: bool = False
    """Watches are accepted and told nothing."""
    _objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _version: int = 0
    _watchers: set[asyncio.Queue[dict[str, Any] | None]] = field(default_factory=set)
    _runner: web.AppRunner | None = None
    _port: int = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, where it listened before."""
        app = web.Application()
        app.router.add_get("/api/v1/namespaces/{namespace}/{plural}", self._list_or_watch)
        app.router.add_get("/api/v1/namespaces/{namespace}/{plural}/{name}", self._get)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut every connection; new ones are refused."""
        self.drop_watches()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def access(self) -> Access:
        """How to reach it."""
        return Access(URL(f"http://127.0.0.1:{self._port}"), token_file=None, ca_file=None, namespace=NAMESPACE)

    def api(self, *, access: Access | None = None, pace: Pace = QUICK) -> Api:
        """What a proxy reads it with, in quick steps."""
        client = ApiClient(access or self.access)
        watch = HeadWatch(
            client,
            namespace=NAMESPACE,
            prefix=PREFIX,
            draw=lambda: 0.5,
            timer=asyncio.get_running_loop().time,
            pace=pace,
        )
        return Api(client, watch, ShardFetch(client, namespace=NAMESPACE, prefix=PREFIX))

    @property
    def watching(self) -> int:
        """Watches that are open."""
        return len(self._watchers)

    def publish(self, snapshot: Snapshot, *, slot: Slot = "a") -> None:
        """Write a configuration as the operator does: the shards, then the head."""
        files = files_of(encode(snapshot, slot=slot))
        head = files.pop(HEAD_KEY)
        for key, data in files.items():
            self.write_shard(key, data)
        self.write_head(head.decode())

    def write_shard(self, key: str, data: bytes) -> None:
        """Write the object of one shard."""
        kind, held = ("configmaps", "binaryData") if key.startswith("config-") else ("secrets", "data")
        self._write(kind, f"{PREFIX}-{key}", {held: {key: base64.b64encode(data).decode()}})

    def write_head(self, head: str) -> None:
        """Write the head, and tell everybody who watches."""
        item = self._write("configmaps", HEAD, {"data": {HEAD_KEY: head}})
        self._tell({"type": "MODIFIED", "object": item})

    def delete_head(self) -> None:
        """Delete the head."""
        self._tell({"type": "DELETED", "object": self._objects.pop(("configmaps", HEAD))})

    def drop_watches(self) -> None:
        """End every watch."""
        for watcher in list(self._watchers):
            watcher.put_nowait(None)

    def expire_watches(self) -> None:
        """End every watch as the server does when its history is compacted."""
        status = {"kind": "Status", "status": "Failure", "code": 410, "message": "too old resource version: 1 (9)"}
        for watcher in list(self._watchers):
            watcher.put_nowait({"type": "ERROR", "object": status})
            watcher.put_nowait(None)

    def _write(self, plural: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        item = {"metadata": {"name": name, "resourceVersion": str(self._version)}, **fields}
        self._objects[plural, name] = item
        return item

    def _tell(self, event: dict[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.put_nowait(event)

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.asked.append(str(request.rel_url))
        if self.broken is not None:
            return _status(self.broken, "this is a bad day")
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized")
        return None

    async def _get(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        plural, name = request.match_info["plural"], request.match_info["name"]
        item = self._objects.get((plural, name))
        return web.json_response(item) if item else _status(404, f'{plural} "{name}" not found')

    async def _list_or_watch(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        plural = request.match_info["plural"]
        name = request.query["fieldSelector"].removeprefix("metadata.name=")
        if request.query.get("watch") == "true":
            return await self._watch(request, plural, name, int(request.query["resourceVersion"]))
        item = self._objects.get((plural, name))
        return web.json_response({"metadata": {"resourceVersion": str(self._version)}, "items": [item] if item else []})

    async def _watch(self, request: web.Request, plural: str, name: str, since: int) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        item = self._objects.get((plural, name))
        if item is not None and int(item["metadata"]["resourceVersion"]) > since:
            events.put_nowait({"type": "MODIFIED", "object": item})
        self._watchers.add(events)
        try:
            while (event := await events.get()) is not None:
                if not self.silent:
                    await response.write(json.dumps(event).encode() + b"\n")
        finally:
            self._watchers.discard(events)
        return response


def _status(code: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "status": "Failure", "code": code, "message": message}, status=code)
