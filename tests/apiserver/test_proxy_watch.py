"""A proxy beside a real API server: the few rights it has are enough, and all of them are needed."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from yarl import URL

from harness.apiserver import ApiServer
from harness.raw_http import eventually
from harness.snapshots import a_snapshot, files_of
from understudy_api.config import Snapshot, encode, shard_key
from understudy_api.config.shards import HEAD_KEY, MAX_SHARDS, Part, Slot
from understudy_proxy.config.api_client import Access, ApiClient
from understudy_proxy.config.api_fetch import ShardFetch
from understudy_proxy.config.api_watch import HeadWatch, Pace
from understudy_proxy.config.published import Api, Published
from understudy_proxy.config.source import Origin

PREFIX = "understudy"
ACCOUNT = "proxy"
FIRST, SECOND = a_snapshot(route="first"), a_snapshot(route="second")


@dataclass
class Place:
    """A namespace with a proxy's ServiceAccount and its token."""

    server: ApiServer
    namespace: str
    token: Path

    def apply(self, kind: str, name: str, **fields: Any) -> None:
        """Write an object there."""
        api = "rbac.authorization.k8s.io/v1" if kind.startswith("Role") else "v1"
        metadata = {"name": name, "namespace": self.namespace}
        self.server.kubectl.apply({"apiVersion": api, "kind": kind, "metadata": metadata, **fields})

    def allow(self, rules: list[dict[str, Any]]) -> None:
        """Give the account these rights and no others."""
        self.apply("Role", ACCOUNT, rules=rules)
        self.apply(
            "RoleBinding",
            ACCOUNT,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
            subjects=[{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.namespace}],
        )

    def publish(self, snapshot: Snapshot, *, slot: Slot = "a") -> None:
        """Write a configuration as the operator does."""
        files = files_of(encode(snapshot, slot=slot))
        head = files.pop(HEAD_KEY).decode()
        for key, data in files.items():
            text = {key: base64.b64encode(data).decode()}
            if key.startswith("config-"):
                self.apply("ConfigMap", f"{PREFIX}-{key}", binaryData=text)
            else:
                self.apply("Secret", f"{PREFIX}-{key}", data=text)
        self.apply("ConfigMap", f"{PREFIX}-config", data={HEAD_KEY: head})

    def api(self) -> Api:
        """The API as a pod with this account reaches it."""
        access = Access(URL(self.server.url), self.token, self.server.ca, self.namespace)
        client = ApiClient(access)
        pace = Pace(inactivity_seconds=2.0, first_retry_seconds=0.05, most_retry_seconds=0.2)
        watch = HeadWatch(
            client, namespace=self.namespace, prefix=PREFIX, draw=lambda: 0.5, timer=time.monotonic, pace=pace
        )
        return Api(client, watch, ShardFetch(client, namespace=self.namespace, prefix=PREFIX))


@dataclass
class Seen:
    """A sink that takes everything."""

    taken: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    async def offer(self, snapshot: Snapshot, *, origin: Origin) -> bool:
        """Remember it."""
        assert origin is Origin.API
        self.taken.append(snapshot.config.revision)
        return True

    def refuse(self, revision: str, message: str, *, origin: Origin) -> None:
        """Nothing here is to be refused."""
        self.states.append(f"{origin}: refused {revision}: {message}")

    def state(self, origin: Origin, state: str) -> None:
        """Remember it, if it is another."""
        assert origin is Origin.API
        if self.states[-1:] != [state]:
            self.states.append(state)

    async def takes(self, snapshot: Snapshot) -> None:
        """Wait until it is taken."""
        await eventually(lambda: snapshot.config.revision in self.taken)


def rules(*, without: str = "") -> list[dict[str, Any]]:
    """The chart's Role for a proxy, or one that lacks a right (`VERB RESOURCE`)."""
    parts: dict[str, tuple[Part, list[str]]] = {
        "configmaps": ("config", [f"{PREFIX}-config"]),
        "secrets": ("credentials", []),
    }
    made: list[dict[str, Any]] = []
    for resource, (part, names) in parts.items():
        shards = [f"{PREFIX}-{shard_key(part, slot, at)}" for slot in ("a", "b") for at in range(MAX_SHARDS)]
        for of, verbs in ((names, ["list", "watch"]), (shards, ["get"])):
            left = [verb for verb in verbs if f"{verb} {resource}" != without]
            if of and left:
                made.append({"apiGroups": [""], "resources": [resource], "resourceNames": of, "verbs": left})
    return made


@pytest.fixture
def place(apiserver: ApiServer, tmp_path: Path) -> Iterator[Place]:
    """A namespace for one test."""
    namespace = f"proxy-{uuid4().hex[:8]}"
    apiserver.kubectl("create", "namespace", namespace)
    apiserver.kubectl("create", "serviceaccount", ACCOUNT, "--namespace", namespace)
    token = tmp_path / "token"
    token.write_text(apiserver.kubectl("create", "token", ACCOUNT, "--namespace", namespace))
    yield Place(apiserver, namespace, token)
    apiserver.kubectl("delete", "configmaps,secrets", "--all", "--namespace", namespace)


@asynccontextmanager
async def following(place: Place) -> AsyncIterator[Seen]:
    """A proxy's source, running."""
    seen = Seen()
    source = Published(api=place.api(), volume=None, timer=time.monotonic, draw=lambda: 0.5)
    task = asyncio.create_task(source.run(seen))
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # TLS takes leave in the background; a loop that ends first leaves sockets open (aiohttp's own advice).
        await asyncio.sleep(0.25)


async def test_its_rights_suffice(place: Place) -> None:
    """With rights on its own objects by name, and no others, a proxy takes every publication."""
    place.allow(rules())
    place.publish(FIRST)
    async with following(place) as seen:
        await seen.takes(FIRST)
        await asyncio.to_thread(place.publish, SECOND, slot="b")
        await seen.takes(SECOND)
    assert seen.states == ["connected"]


@pytest.mark.parametrize("right", ["list configmaps", "watch configmaps", "get configmaps", "get secrets"])
async def test_each_right_is_needed(place: Place, right: str) -> None:
    """A Role that lacks a right is told by the API server's own words, which name it."""
    place.allow(rules(without=right))
    place.publish(FIRST)
    verb, resource = right.split()
    async with following(place) as seen:
        await eventually(lambda: any(f'cannot {verb} resource "{resource}"' in state for state in seen.states))


async def test_sees_nothing_else(place: Place) -> None:
    """A proxy that is taken over reads no other Secret of its namespace."""
    place.allow(rules())
    place.apply("Secret", "of-somebody-else", data={"key": "c2VjcmV0"})
    client = place.api().client
    try:
        with pytest.raises(Exception, match='secrets "of-somebody-else" is forbidden'):
            await client.get(f"/api/v1/namespaces/{place.namespace}/secrets/of-somebody-else")
        with pytest.raises(Exception, match='cannot list resource "secrets"'):
            await client.get(f"/api/v1/namespaces/{place.namespace}/secrets")
    finally:
        await client.close()


async def test_outlives_the_api_server(place: Place) -> None:
    """It goes away and comes back: the proxy finds it again, and what was written since."""
    place.allow(rules())
    place.publish(FIRST)
    async with following(place) as seen:
        await seen.takes(FIRST)
        await asyncio.to_thread(place.server.stop)
        try:
            await eventually(lambda: seen.states[-1].startswith("not connected"))
        finally:
            await asyncio.to_thread(place.server.start)
        await asyncio.to_thread(place.publish, SECOND, slot="b")
        await seen.takes(SECOND)
    assert seen.states[-1] == "connected"


async def test_notices_an_api_server_that_hangs(place: Place) -> None:
    """It accepts and says nothing: the proxy lets go of the connection and finds its way back."""
    place.allow(rules())
    place.publish(FIRST)
    async with following(place) as seen:
        await seen.takes(FIRST)
        place.server.pause()
        try:
            await eventually(lambda: "does not answer in time" in seen.states[-1])
        finally:
            place.server.resume()
        await asyncio.to_thread(place.publish, SECOND, slot="b")
        await seen.takes(SECOND)


async def test_finds_out_when_nothing_was_published_yet(place: Place) -> None:
    """A proxy that comes before the first publication waits for it; that is no error."""
    place.allow(rules())
    async with following(place) as seen:
        await eventually(lambda: seen.states == ["connected"])
        await asyncio.to_thread(place.publish, FIRST)
        await seen.takes(FIRST)
    assert seen.states == ["connected"]
