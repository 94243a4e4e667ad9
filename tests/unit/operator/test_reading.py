"""A read of the cluster is whole and fresh, or it is an error."""

import itertools

import pytest

from harness.manifests import provider, route, secret
from harness.memory_cluster import Call, MemoryCluster
from understudy_operator.cluster import NAMESPACES, OBJECTS, SECRETS, ClusterError, Forbidden, NotFound, Unavailable
from understudy_operator.reading import Incomplete, Reader


def namespace(name: str, **labels: str) -> dict[str, object]:
    """A Namespace with labels."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def cluster() -> MemoryCluster:
    """Two namespaces with a provider each; only one of them has its Secret."""
    return MemoryCluster(
        namespace("ai", team="a"),
        namespace("lab", team="b"),
        secret("key", namespace="ai", key="sk-1"),
        provider("main", namespace="ai", secret_name="key"),
        provider("other", namespace="lab", secret_name="gone"),
        route("chat", namespace="ai"),
    )


async def test_everything_is_there() -> None:
    """Objects of all kinds, what they name, and the labels of all namespaces."""
    inputs = await Reader(cluster(), watch_namespaces=()).read()
    assert sorted(item["metadata"]["name"] for item in inputs.objects) == ["chat", "main", "other"]
    assert inputs.secrets.keys() == {("ai", "key"), ("lab", "gone")}
    assert inputs.secrets["lab", "gone"] is None
    assert inputs.namespaces == {"ai": {"team": "a"}, "lab": {"team": "b"}}


async def test_only_the_watched_namespaces() -> None:
    """Restricted to a namespace, nothing else is listed, read or needed."""
    memory = cluster()
    inputs = await Reader(memory, watch_namespaces=("ai",)).read()
    assert sorted(item["metadata"]["name"] for item in inputs.objects) == ["chat", "main"]
    assert inputs.namespaces == {"ai": {"team": "a"}}
    assert {call.name[0] for call in memory.calls if call.type is not NAMESPACES} == {"ai"}
    assert not [call for call in memory.calls if call.type is NAMESPACES and call.verb == "find"]


@pytest.mark.parametrize("fatal", range(1, 8))
async def test_an_interrupted_read_is_no_read(fatal: int) -> None:
    """Whichever request fails, nothing is returned: half of the objects would be a wrong configuration."""
    memory = cluster()
    asked = itertools.count(1)

    async def fail(_call: Call) -> None:
        if next(asked) == fatal:
            raise Unavailable("connection reset")

    memory.before = fail
    with pytest.raises(Unavailable, match="connection reset"):
        await Reader(memory, watch_namespaces=()).read()


async def test_a_missing_crd_says_what_to_do() -> None:
    """Without its CRD a kind is not empty but unknown, and everything keeps serving."""
    memory = cluster()

    async def unknown(call: Call) -> None:
        if call.type is OBJECTS["Persona"]:
            raise NotFound("404")

    memory.before = unknown
    with pytest.raises(Incomplete, match=r"does not know personas\.understudy\.dev: install the CRDs"):
        await Reader(memory, watch_namespaces=()).read()


async def test_a_denied_secret_counts_as_absent(caplog: pytest.LogCaptureFixture) -> None:
    """A namespace that lets nobody read its Secrets does not stop the others, and is logged once."""
    memory = cluster()

    async def deny(call: Call) -> None:
        if call.type is SECRETS and call.name[0] == "lab":
            raise Forbidden("403")

    memory.before = deny
    reader = Reader(memory, watch_namespaces=())
    inputs = await reader.read()
    await reader.read()
    assert inputs.secrets["lab", "gone"] is None
    assert inputs.secrets["ai", "key"] is not None
    assert [getattr(record, "what", "") for record in caplog.records] == ["secrets lab/gone"]


@pytest.mark.parametrize("watch_namespaces", [(), ("ai", "lab")], ids=["the whole cluster", "some namespaces"])
async def test_without_rights_on_namespaces_their_names_are_known(watch_namespaces: tuple[str, ...]) -> None:
    """A selector by the label that every namespace has still works."""
    memory = cluster()

    async def deny(call: Call) -> None:
        if call.type is NAMESPACES:
            raise Forbidden("403")

    memory.before = deny
    inputs = await Reader(memory, watch_namespaces=watch_namespaces).read()
    assert inputs.namespaces == {
        "ai": {"kubernetes.io/metadata.name": "ai"},
        "lab": {"kubernetes.io/metadata.name": "lab"},
    }


def test_incomplete_is_an_error_of_the_cluster() -> None:
    """So that the loop treats it as any other read that did not succeed."""
    assert issubclass(Incomplete, ClusterError)
