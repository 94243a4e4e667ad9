"""Proxies as the operator sees them, without a proxy: pods that are ready, and what each says on its admin port.

Each one watches the head by name and loads what it names with the reader of `understudy_api.config`, as a real one
does: a configuration that is half there would show in it.
"""

import asyncio
import contextlib
import json
from base64 import b64decode
from types import TracebackType
from typing import Self

from aiohttp import web

from understudy_api.config import Head, Snapshot, decode, read_head, shard_key
from understudy_api.config.shards import HEAD_KEY, NotWhole, Part
from understudy_operator.cluster import (
    CONFIG_MAPS,
    PODS,
    SECRETS,
    Cluster,
    ClusterError,
    Conflict,
    EventType,
    NotFound,
    Query,
)

SELECTOR_LABELS = {"app.kubernetes.io/name": "understudy", "app.kubernetes.io/component": "proxy"}


async def read_published(cluster: Cluster, head: Head, *, namespace: str, prefix: str = "understudy") -> Snapshot:
    """Load what a head names, as a proxy does.

    Raises:
        NotWhole: Head and shards do not belong together.
    """
    counts: tuple[tuple[Part, int], ...] = (("config", head.config_shards), ("credentials", head.credential_shards))
    shards = {
        (part, index): await _read_shard(cluster, part, shard_key(part, head.slot, index), f"{namespace}/{prefix}")
        for part, count in counts
        for index in range(count)
    }
    return decode(head, lambda part, index: shards[part, index])


async def _read_shard(cluster: Cluster, part: Part, key: str, where: str) -> bytes:
    namespace, prefix = where.split("/")
    type_, field = (CONFIG_MAPS, "binaryData") if part == "config" else (SECRETS, "data")
    try:
        raw = await cluster.get(Query(type_, namespace, f"{prefix}-{key}"))
    except NotFound as error:
        raise NotWhole(str(error)) from error
    return b64decode(raw[field][key])


class FakeProxy:
    """One proxy: an address, what it has loaded, and how it misbehaves.

    Attributes:
        refuses: A message with which it refuses every new revision, or "".
        deaf: It does not look at new revisions.
        loaded: Every snapshot it has loaded, in order.
    """

    def __init__(self, cluster: Cluster, *, namespace: str, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.refuses = ""
        self.deaf = False
        self.loaded: list[Snapshot] = []
        self._cluster = cluster
        self._namespace = namespace
        self._rejected: dict[str, str] | None = None

    @property
    def revision(self) -> str | None:
        """What it runs."""
        return self.loaded[-1].config.revision if self.loaded else None

    async def answer(self, _request: web.Request) -> web.Response:
        """`GET /config`."""
        body: dict[str, object] = {"revision": self.revision}
        if self._rejected:
            body["rejected"] = self._rejected
        return web.json_response(text=json.dumps(body))

    async def watch(self) -> None:
        """Load whatever the head names; never returns."""
        query = Query(CONFIG_MAPS, self._namespace, "understudy-config")
        while True:
            try:
                async with self._cluster.watch(query) as events:
                    async for event in events:
                        if event.type is not EventType.DELETED:
                            await self._load(read_head(event.object["data"][HEAD_KEY]))
            except (ClusterError, NotWhole):
                await asyncio.sleep(0.1)

    async def _load(self, head: Head) -> None:
        if self.deaf or head.revision == self.revision:
            return
        if self.refuses:
            self._rejected = {"revision": head.revision, "message": self.refuses}
            return
        self.loaded.append(await read_published(self._cluster, head, namespace=self._namespace))
        self._rejected = None


class FakeFleet:
    """Some proxies, with pods that say they are ready; an async context manager."""

    def __init__(self, cluster: Cluster, *, namespace: str, size: int = 3) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.port = 0
        self.proxies = [
            FakeProxy(cluster, namespace=namespace, name=f"proxy-{index}", address=f"127.0.0.{index + 2}")
            for index in range(size)
        ]
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Listen, watch, and be ready."""
        for proxy in self.proxies:
            await self._listen(proxy)
            self._tasks.append(asyncio.create_task(proxy.watch()))
            await self._create_pod(proxy)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End everything; the pods are the namespace's to lose."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for runner in self._runners:
            await runner.cleanup()

    async def _listen(self, proxy: FakeProxy) -> None:
        app = web.Application()
        app.router.add_get("/config", proxy.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, proxy.address, self.port).start()
        self.port = runner.addresses[0][1]  # all share the first one's, as pods do

    async def _create_pod(self, proxy: FakeProxy) -> None:
        metadata = {"name": proxy.name, "namespace": self._namespace}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata | {"labels": SELECTOR_LABELS},
            "spec": {"containers": [{"name": "proxy", "image": "none"}]},
        }
        with contextlib.suppress(Conflict):
            await self._cluster.create(PODS, pod)
        status = {"podIP": proxy.address, "conditions": [{"type": "Ready", "status": "True"}]}
        ready = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}
        await self._cluster.apply_status(PODS, ready)
