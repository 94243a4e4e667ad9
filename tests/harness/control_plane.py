"""A control plane on a real API server, in a namespace of its own: operators as processes, proxies as fakes."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from kubernetes.aio.client import ApiClient

from harness.apiserver import ApiServer
from harness.fleet import FakeFleet, FakeProxy, read_published
from harness.process import Process
from understudy_api.config import Snapshot, read_head
from understudy_api.config.shards import HEAD_KEY
from understudy_operator.cluster import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    OBJECTS,
    PODS,
    SECRETS,
    Cluster,
    ClusterError,
    Manifest,
    Query,
    name_of,
)
from understudy_operator.kube import KubeCluster, load_configuration

CRDS = Path(__file__).parents[2] / "crds"
_TYPES = {type_.kind: type_ for type_ in (CONFIG_MAPS, SECRETS, NAMESPACES, PODS, *OBJECTS.values())}
_with_crds: set[str] = set()


class Operator:
    """One operator process and what it says."""

    def __init__(self, process: Process) -> None:
        self.process = process

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.process.log.read_text().splitlines()]

    @property
    def port(self) -> int:
        """Where its health and metrics are."""
        return int(next(line["port"] for line in self.lines if line["message"] == "started"))

    def logged(self, message: str) -> int:
        """How often it logged this."""
        return sum(line["message"] == message for line in self.lines)

    async def fetch(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.status, await answer.text()

    async def metric(self, series: str) -> float:
        """The value of a series, written as Prometheus does."""
        _, text = await self.fetch("/metrics")
        values = [line.rsplit(" ", 1) for line in text.splitlines()]
        return next(float(value) for name, value in values if name == f"understudy_operator_{series}")

    async def reaches(self, series: str, value: float, *, within_seconds: float = 60.0) -> None:
        """Wait until a series is at least this."""
        deadline = time.monotonic() + within_seconds
        while (now := await self.metric(series)) < value:
            assert time.monotonic() < deadline, f"{series} is {now} and not {value}"
            await asyncio.sleep(0.05)


class ControlPlane:
    """A namespace with a fleet of fake proxies, and as many operators as a test starts."""

    def __init__(self, apiserver: ApiServer, cluster: Cluster, fleet: FakeFleet, *, namespace: str) -> None:
        self.apiserver = apiserver
        self.cluster = cluster
        self.fleet = fleet
        self.namespace = namespace
        self.operators: list[Operator] = []

    @property
    def proxies(self) -> list[FakeProxy]:
        """The fake proxies."""
        return self.fleet.proxies

    async def start_operator(self, **settings: str) -> Operator:
        """Start one more operator; it watches this namespace alone unless told otherwise."""
        name = f"operator-{len(self.operators)}"
        given = {
            "namespace": self.namespace,
            "watch_namespaces": self.namespace,
            "kubeconfig": str(self.apiserver.kubeconfig),
            "admin_port": str(self.fleet.port),
            "http_host": "127.0.0.1",
            "http_port": "0",
            "identity": name,
            **settings,
        }
        process = Process(
            [sys.executable, "-m", "understudy_operator"],
            log=self.apiserver.folder / f"{self.namespace}-{name}.log",
            environment={f"UNDERSTUDY_{key.upper()}": value for key, value in given.items()},
        )
        operator = Operator(process)
        self.operators.append(operator)
        await asyncio.to_thread(process.start)
        await self.until(lambda: operator.logged("started") > 0, what=f"{name} has started")
        return operator

    async def apply(self, *manifests: Manifest) -> float:
        """Apply objects one after the other as `kubectl apply` would; when the last was written (monotonic)."""
        for manifest in manifests:
            await self.cluster.apply(_TYPES[manifest["kind"]], manifest)
        return time.monotonic()

    async def delete(self, manifest: Manifest) -> None:
        """Delete an object."""
        await self.cluster.delete(_TYPES[manifest["kind"]], name_of(manifest))

    async def status(self, manifest: Manifest) -> dict[str, Any]:
        """An object's status."""
        namespace, name = name_of(manifest)
        found = await self.cluster.get(Query(_TYPES[manifest["kind"]], namespace, name))
        status: dict[str, Any] = found.get("status") or {}
        return status

    async def says(
        self, manifest: Manifest, condition: str, expected: str, *, within_seconds: float = 30.0
    ) -> dict[str, Any]:
        """Wait until a condition of the object's newest generation is `STATUS REASON`, and return it."""
        deadline = time.monotonic() + within_seconds
        said: dict[str, Any] = {}
        while time.monotonic() < deadline:
            namespace, name = name_of(manifest)
            found = await self.cluster.get(Query(_TYPES[manifest["kind"]], namespace, name))
            for said in (found.get("status") or {}).get("conditions", ()):
                current = said.get("observedGeneration") == found["metadata"]["generation"]
                if said["type"] == condition and current and f"{said['status']} {said['reason']}" == expected:
                    return said
            await asyncio.sleep(0.01)
        raise AssertionError(f"{manifest['kind']} {name_of(manifest)} is {await self.status(manifest)}, not {expected}")

    async def all_ready(self, kind: str, count: int, *, within_seconds: float = 60.0) -> None:
        """Wait until so many objects of a kind are there and ready."""
        deadline = time.monotonic() + within_seconds
        ready = 0
        while ready < count:
            assert time.monotonic() < deadline, f"{ready} of {count} {kind} are ready"
            found = await self.cluster.find(Query(_TYPES[kind], self.namespace))
            said = [condition for item in found for condition in (item.get("status") or {}).get("conditions", ())]
            ready = sum(condition["type"] == "Ready" and condition["status"] == "True" for condition in said)

    async def posted(self, manifest: Manifest, expected: str, *, within_seconds: float = 30.0) -> None:
        """Wait for an event `TYPE REASON` about an object."""
        deadline = time.monotonic() + within_seconds
        posted: set[str] = set()
        while expected not in posted:
            assert time.monotonic() < deadline, f"about {name_of(manifest)} there is {posted}, not {expected}"
            events = await self.cluster.find(Query(EVENTS, self.namespace))
            about = [item for item in events if item["regarding"]["name"] == name_of(manifest)[1]]
            posted = {f"{item['type']} {item['reason']}" for item in about}
            await asyncio.sleep(0.02)

    async def published(self) -> Snapshot:
        """What a proxy that starts now loads."""
        raw = await self.cluster.get(Query(CONFIG_MAPS, self.namespace, "understudy-config"))
        head = read_head(raw["data"][HEAD_KEY])
        return await read_published(self.cluster, head, namespace=self.namespace)

    async def until(self, condition: Callable[[], bool], *, what: str, within_seconds: float = 20.0) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + within_seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_seconds} s: {what}"
            await asyncio.sleep(0.01)

    async def until_live(self, keys: Sequence[str], *, within_seconds: float = 20.0) -> None:
        """Wait until every proxy holds these credentials."""
        await self.until(
            lambda: all(
                proxy.loaded and {*keys} <= {*proxy.loaded[-1].credentials.values.values()} for proxy in self.proxies
            ),
            what=f"every proxy runs with {keys}",
            within_seconds=within_seconds,
        )


@asynccontextmanager
async def control_plane(
    apiserver: ApiServer, *, proxies: int = 3, operator: bool = True
) -> AsyncIterator[ControlPlane]:
    """A new namespace with proxies and, usually, one operator; everything ends with the block."""
    await asyncio.to_thread(install_crds, apiserver)
    namespace = f"gateway-{uuid4().hex[:8]}"
    async with ApiClient(await load_configuration(str(apiserver.kubeconfig))) as client:
        cluster = KubeCluster(client)
        await cluster.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        made: ControlPlane | None = None
        try:
            async with FakeFleet(cluster, namespace=namespace, size=proxies) as fleet:
                made = ControlPlane(apiserver, cluster, fleet, namespace=namespace)
                if operator:
                    await made.start_operator()
                yield made
        finally:
            for started in made.operators if made is not None else ():
                await asyncio.to_thread(started.process.kill)
            await _clean(cluster, namespace)


def install_crds(apiserver: ApiServer) -> None:
    """Install the CRDs, once for an API server."""
    if apiserver.url not in _with_crds:
        apiserver.kubectl("apply", "--server-side", "-f", str(CRDS))
        apiserver.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        _with_crds.add(apiserver.url)


async def _clean(cluster: Cluster, namespace: str) -> None:
    """Leave no objects to other tests that look at the whole cluster."""
    for type_ in OBJECTS.values():
        for item in await cluster.find(Query(type_, namespace)):
            try:
                await cluster.delete(type_, name_of(item))
            except ClusterError:
                continue
