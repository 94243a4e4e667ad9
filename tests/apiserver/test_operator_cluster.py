"""`Cluster` means on a real API server what the logic above it relies on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from kubernetes.aio.client import ApiClient

from harness.apiserver import ApiServer
from harness.control_plane import install_crds
from harness.manifests import route, secret
from understudy_operator import kube
from understudy_operator.cluster import (
    CONFIG_MAPS,
    LEASES,
    NAMESPACES,
    OBJECTS,
    PODS,
    SECRETS,
    Conflict,
    EventType,
    Expired,
    Forbidden,
    Manifest,
    NotFound,
    Query,
    Refused,
    Unavailable,
    version_of,
)
from understudy_operator.kube import KubeCluster, load_configuration

ROUTES = OBJECTS["LLMRoute"]


@asynccontextmanager
async def connected(apiserver: ApiServer, *, user: str = "admin") -> AsyncIterator[tuple[KubeCluster, str]]:
    """A client of the API server, and a namespace of its own."""
    namespace = f"cluster-{uuid4().hex[:8]}"
    await asyncio.to_thread(apiserver.kubectl, "create", "namespace", namespace)
    async with ApiClient(await load_configuration(str(apiserver.kubeconfig_of(user)))) as client:
        yield KubeCluster(client), namespace


def config_map(name: str, *, namespace: str, **data: str) -> Manifest:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "test"}},
        "data": data,
    }


async def test_create_get_apply_delete(apiserver: ApiServer) -> None:
    """The life of an object; deleting what is gone is fine."""
    async with connected(apiserver) as (cluster, namespace):
        created = await cluster.create(CONFIG_MAPS, config_map("a", namespace=namespace, x="1"))
        assert created == await cluster.get(Query(CONFIG_MAPS, namespace, "a"))
        with pytest.raises(Conflict):
            await cluster.create(CONFIG_MAPS, config_map("a", namespace=namespace))
        applied = await cluster.apply(CONFIG_MAPS, config_map("a", namespace=namespace, x="2"))
        assert applied["data"] == {"x": "2"}
        again = await cluster.apply(CONFIG_MAPS, config_map("a", namespace=namespace, x="2"))
        assert version_of(again) == version_of(applied), "applying the same changes nothing"
        await cluster.delete(CONFIG_MAPS, (namespace, "a"))
        await cluster.delete(CONFIG_MAPS, (namespace, "a"))
        with pytest.raises(NotFound):
            await cluster.get(Query(CONFIG_MAPS, namespace, "a"))


async def test_a_conditional_apply_replaces_what_was_read_and_nothing_else(apiserver: ApiServer) -> None:
    """The optimistic lock that the head and the Lease rely on, also after an object was created anew."""
    async with connected(apiserver) as (cluster, namespace):
        first = await cluster.create(CONFIG_MAPS, config_map("head", namespace=namespace, x="1"))
        mine = config_map("head", namespace=namespace, x="mine")
        mine["metadata"]["resourceVersion"] = version_of(first)
        await cluster.apply(CONFIG_MAPS, config_map("head", namespace=namespace, x="theirs"))
        with pytest.raises(Conflict):
            await cluster.apply(CONFIG_MAPS, mine)
        await cluster.delete(CONFIG_MAPS, (namespace, "head"))
        await cluster.create(CONFIG_MAPS, config_map("head", namespace=namespace, x="anew"))
        with pytest.raises(Conflict):
            await cluster.apply(CONFIG_MAPS, mine)
        await cluster.delete(CONFIG_MAPS, (namespace, "head"))
        created = await cluster.apply(CONFIG_MAPS, mine)
        assert created["data"] == {"x": "mine"}, "with none there, there is nothing to overwrite"


async def test_the_status_of_what_is_gone_is_not_found(apiserver: ApiServer) -> None:
    """Applying a status never creates the object."""
    await asyncio.to_thread(install_crds, apiserver)
    async with connected(apiserver) as (cluster, namespace):
        await cluster.create(ROUTES, route("chat", namespace=namespace))
        mine = route("chat", namespace=namespace) | {"status": {"observedGeneration": 1}}
        assert (await cluster.apply_status(ROUTES, mine))["status"] == {"observedGeneration": 1}
        await cluster.delete(ROUTES, (namespace, "chat"))
        with pytest.raises(NotFound):
            await cluster.apply_status(ROUTES, mine)


async def test_a_lease_without_a_holder_is_accepted(apiserver: ApiServer) -> None:
    """Letting go of a Lease is writing nobody into it."""
    async with connected(apiserver) as (cluster, namespace):
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "l", "namespace": namespace},
            "spec": {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": "2026-11-21T10:00:00.000000Z"},
        }
        assert (await cluster.apply(LEASES, lease))["spec"]["holderIdentity"] == ""


async def test_finding_is_paged_and_whole(apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages it takes, all objects come, each with its kind, and only the metadata when that is enough."""
    monkeypatch.setattr(kube, "PAGE", 3)
    async with connected(apiserver) as (cluster, namespace):
        names = {f"cm-{number}" for number in range(10)}
        for name in names:
            await cluster.create(CONFIG_MAPS, config_map(name, namespace=namespace, x="1"))
        found = await cluster.find(Query(CONFIG_MAPS, namespace, labels="app=test"))
        assert {item["metadata"]["name"] for item in found} == names
        assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "ConfigMap")}
        light = await cluster.find(Query(CONFIG_MAPS, namespace, labels="app=test", metadata_only=True))
        assert len(light) == 10
        assert not any("data" in item for item in light)
        assert [item["metadata"]["name"] for item in await cluster.find(Query(CONFIG_MAPS, namespace, "cm-3"))] == [
            "cm-3"
        ]


async def test_a_list_that_expires_between_pages_begins_anew(apiserver: ApiServer) -> None:
    """An expired page token never makes half a list: it is read again, and given up after a few times."""

    class Expiring(KubeCluster):
        def __init__(self, client: ApiClient, *, times: int) -> None:
            super().__init__(client)
            self.times = times

        async def _list_pages(self, query: Query) -> list[Manifest]:
            self.times -= 1
            if self.times >= 0:
                raise Expired("410")
            return await super()._list_pages(query)

    async with ApiClient(await load_configuration(str(apiserver.kubeconfig))) as client:
        found = await Expiring(client, times=2).find(Query(NAMESPACES))
        assert "default" in {item["metadata"]["name"] for item in found}
        with pytest.raises(Unavailable, match="kept expiring"):
            await Expiring(client, times=3).find(Query(NAMESPACES))


async def test_a_watch_by_name_tells_of_that_object_alone(apiserver: ApiServer) -> None:
    """What there is, then every change, without the content of the Secret."""
    async with connected(apiserver) as (cluster, namespace):
        await cluster.apply(SECRETS, secret("mine", namespace=namespace, key="1"))
        query = Query(SECRETS, namespace, "mine", metadata_only=True)
        async with cluster.watch(query) as events, asyncio.timeout(30):
            await cluster.apply(SECRETS, secret("other", namespace=namespace, key="1"))
            await cluster.apply(SECRETS, secret("mine", namespace=namespace, key="2"))
            await cluster.delete(SECRETS, (namespace, "mine"))
            seen = [await anext(events) for _ in range(3)]
        assert [event.type for event in seen] == [EventType.ADDED, EventType.MODIFIED, EventType.DELETED]
        assert not any("data" in event.object for event in seen)
        assert {event.object["metadata"]["name"] for event in seen} == {"mine"}


async def test_refusals_are_told_apart(apiserver: ApiServer) -> None:
    """Denied, unknown and invalid are three things to the one who has to act on them."""
    async with connected(apiserver, user="alice") as (cluster, namespace):
        with pytest.raises(Forbidden, match="alice"):
            await cluster.find(Query(SECRETS, namespace))
        with pytest.raises(Forbidden):
            async with cluster.watch(Query(SECRETS, namespace, "x")):
                pass
    async with connected(apiserver) as (cluster, namespace):
        with pytest.raises(NotFound):
            await cluster.apply_status(
                PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "no", "namespace": namespace}}
            )
        with pytest.raises(Refused, match="Invalid value"):
            await cluster.create(CONFIG_MAPS, config_map("NOT A NAME", namespace=namespace))


async def test_what_the_server_says_of_a_secret_is_not_repeated(apiserver: ApiServer) -> None:
    """It may quote the value that it refuses."""
    async with connected(apiserver) as (cluster, namespace):
        broken = secret("a", namespace=namespace) | {"data": {"key": "sk-canary not base64"}}
        with pytest.raises(Refused) as refused:
            await cluster.create(SECRETS, broken)
        assert "sk-canary" not in str(refused.value)


async def test_a_server_that_is_gone_is_unavailable(apiserver: ApiServer) -> None:
    """Nobody listens: an error that says so, for every verb."""
    configuration = await load_configuration(str(apiserver.kubeconfig))
    configuration.host = "https://127.0.0.1:1"
    async with ApiClient(configuration) as client:
        cluster = KubeCluster(client)
        with pytest.raises(Unavailable, match="Cannot connect"):
            await cluster.find(Query(OBJECTS["LLMRoute"]))
        with pytest.raises(Unavailable, match="Cannot connect"):
            async with cluster.watch(Query(OBJECTS["LLMRoute"])):
                pass
