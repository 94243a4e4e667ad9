"""Whatever an object names is watched, so that a rotated key is noticed at once; nothing more is, and not too much."""

import asyncio
from collections.abc import Awaitable, Callable

from harness import virtual_time
from harness.manifests import secret
from harness.memory_cluster import Call, MemoryCluster
from understudy_operator.cluster import SECRETS, Forbidden, Manifest, NamespacedName, Query, Unavailable, version_of
from understudy_operator.watching import Reference, ReferenceWatches, follow, reference_versions


class Bell:
    """Counts its rings."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        """One more."""
        self.rings += 1


def reference(name: str) -> Reference:
    """A Secret of namespace ai."""
    return (SECRETS, "ai", name)


def versions(cluster: MemoryCluster, *names: str) -> dict[Reference, str]:
    """What a fresh look at these Secrets shows."""
    return {
        reference(name): version_of(manifest) if (manifest := cluster.look(SECRETS, "ai", name)) else ""
        for name in names
    }


def watched(cluster: MemoryCluster) -> set[str]:
    """The names of all Secrets that a watch is open for."""
    return {query.name or "" for query, _ in cluster._watches}


def play(
    script: Callable[[MemoryCluster, ReferenceWatches, Bell], Awaitable[None]], *names: str, limit: int = 8
) -> None:
    """Watch these Secrets, which exist, in virtual time while `script` acts."""

    async def scenario() -> None:
        cluster = MemoryCluster(*(secret(name, namespace="ai", key="1") for name in names))
        bell = Bell()
        watches = ReferenceWatches(cluster, limit=limit, changed=bell.ring)
        watches.keep(versions(cluster, *names))
        await asyncio.sleep(0.1)
        await script(cluster, watches, bell)
        await watches.close()
        assert watched(cluster) == set()

    virtual_time.run(scenario())


def test_what_did_not_change_does_not_ring() -> None:
    """A watch begins by telling what there is, which is known already."""

    async def script(cluster: MemoryCluster, watches: ReferenceWatches, bell: Bell) -> None:
        assert watched(cluster) == {"a", "b"}
        assert len(watches) == 2
        await asyncio.sleep(600)
        assert bell.rings == 0

    play(script, "a", "b")


def test_a_rotated_secret_rings() -> None:
    """The new key is noticed the moment it is written."""

    async def script(cluster: MemoryCluster, _watches: ReferenceWatches, bell: Bell) -> None:
        cluster.put(secret("a", namespace="ai", key="2"))
        await asyncio.sleep(0.01)
        assert bell.rings == 1

    play(script, "a")


def test_a_secret_that_comes_and_goes_rings() -> None:
    """A Secret that an object names before it exists is noticed when it is created, and when it is deleted."""

    async def script(cluster: MemoryCluster, watches: ReferenceWatches, bell: Bell) -> None:
        watches.keep(versions(cluster, "later"))
        await asyncio.sleep(0.1)
        cluster.put(secret("later", namespace="ai", key="1"))
        await asyncio.sleep(0.01)
        assert bell.rings == 1
        watches.keep(versions(cluster, "later"))
        cluster.remove(SECRETS, "ai", "later")
        await asyncio.sleep(0.01)
        assert bell.rings == 2

    play(script)


def test_a_deletion_between_two_watches_is_noticed() -> None:
    """A watch that begins anew tells nothing of what is gone; it is looked for."""

    async def script(cluster: MemoryCluster, _watches: ReferenceWatches, bell: Bell) -> None:
        cluster.cut_watches()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cluster._objects.clear()  # unseen by any watch
        await asyncio.sleep(5)
        assert bell.rings >= 1

    play(script, "a")


def test_watches_follow_what_is_named() -> None:
    """A reference that is gone is watched no more; one that stays keeps its watch."""

    async def script(cluster: MemoryCluster, watches: ReferenceWatches, _bell: Bell) -> None:
        cluster.calls.clear()
        watches.keep(versions(cluster, "b", "c"))
        await asyncio.sleep(0.1)
        assert watched(cluster) == {"b", "c"}
        assert [call.name[1] for call in cluster.calls if call.verb == "watch"] == ["c"]

    play(script, "a", "b")


def test_watches_are_bounded() -> None:
    """Beyond the limit the resync has to do; those watched already are not displaced, and room that frees is used."""

    async def script(cluster: MemoryCluster, watches: ReferenceWatches, _bell: Bell) -> None:
        watches.keep(versions(cluster, "b", "c", "d"))
        await asyncio.sleep(0.1)
        watches.keep(versions(cluster, "a", "b", "c", "d", "e"))
        await asyncio.sleep(0.1)
        assert watched(cluster) == {"b", "c", "d"}
        assert watches.unwatched == 2
        watches.keep(versions(cluster, "a", "c", "e"))
        await asyncio.sleep(0.1)
        assert watched(cluster) == {"a", "c", "e"}
        assert watches.unwatched == 0

    play(script, "a", "b", "c", "d", "e", limit=3)


def test_an_interrupted_watch_goes_on() -> None:
    """Whatever happens to the connection, changes are noticed again within seconds."""

    async def script(cluster: MemoryCluster, _watches: ReferenceWatches, bell: Bell) -> None:
        async def fail(_call: Call) -> None:
            raise Unavailable("connection refused")

        cluster.before = fail
        cluster.cut_watches()
        await asyncio.sleep(60)
        cluster.put(secret("a", namespace="ai", key="2"))
        cluster.before = _fine
        await asyncio.sleep(6)
        assert bell.rings >= 1

    play(script, "a")


def test_a_denied_watch_is_asked_for_rarely() -> None:
    """Without the right to watch, the API server is asked once a minute, and the bell stays still."""

    async def script(cluster: MemoryCluster, _watches: ReferenceWatches, bell: Bell) -> None:
        async def deny(call: Call) -> None:
            if call.verb == "watch":
                raise Forbidden("403")

        cluster.before = deny
        cluster.cut_watches()
        cluster.calls.clear()
        await asyncio.sleep(600)
        assert len(cluster.calls) <= 11
        assert bell.rings == 0

    play(script, "a")


def test_a_server_that_ends_every_watch_is_not_hammered() -> None:
    """A watch that ends at once begins anew after a pause."""

    async def scenario() -> None:
        cluster = MemoryCluster(secret("a", namespace="ai", key="1"))
        told: list[tuple[NamespacedName, Manifest | None]] = []

        async def cut(call: Call) -> None:
            if call.verb == "get":
                cluster.cut_watches()

        cluster.after = cut
        query = Query(SECRETS, "ai", "a", metadata_only=True)
        task = asyncio.create_task(follow(cluster, query, lambda name, item: told.append((name, item))))
        await asyncio.sleep(10)
        task.cancel()
        assert 20 <= len([call for call in cluster.calls if call.verb == "watch"]) <= 100
        assert {name for name, _ in told} == {("ai", "a")}

    virtual_time.run(scenario())


def test_versions_of_what_was_read() -> None:
    """Absent is a version too: appearing is a change."""
    found = {"metadata": {"resourceVersion": "7"}}
    assert reference_versions({("ai", "a"): found, ("ai", "b"): None}, {}) == {reference("a"): "7", reference("b"): ""}


async def _fine(_call: Call) -> None:
    return
