"""A cycle: what the objects say is what is published, and whatever goes wrong, the last good configuration stays."""

import asyncio
import random
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from harness import virtual_time
from harness.manifests import provider, route, secret
from harness.memory_cluster import Call, MemoryCluster
from harness.scripted_servers import ScriptedServers
from understudy_api.config import Snapshot, decode, read_head, shard_key
from understudy_api.config.shards import HEAD_KEY, Part
from understudy_operator.cluster import CONFIG_MAPS, OBJECTS, SECRETS, Forbidden, Unavailable
from understudy_operator.discovery import Poller
from understudy_operator.doorbell import Doorbell
from understudy_operator.follower import Target
from understudy_operator.metrics import Metrics
from understudy_operator.objects import News
from understudy_operator.publish import Place, Publisher
from understudy_operator.reading import Reader
from understudy_operator.reconcile import Parts, Reconciler
from understudy_operator.status import Unpublished
from understudy_operator.watching import ReferenceWatches

NAMESPACE = "gateway"


@dataclass
class Operator:
    """A reconciler on a cluster that is a dictionary, with what came of its cycles."""

    cluster: MemoryCluster
    reconciler: Reconciler
    bell: Doorbell
    metrics: Metrics
    targets: list[Target]
    successes: list[float]
    servers: ScriptedServers
    leads: bool = True

    def published(self) -> Snapshot | None:
        """What a proxy that starts now loads."""
        raw = self.cluster.look(CONFIG_MAPS, NAMESPACE, "understudy-config")
        if raw is None:
            return None
        head = read_head(raw["data"][HEAD_KEY])

        def shard(part: Part, index: int) -> bytes:
            key = shard_key(part, head.slot, index)
            type_, field = (CONFIG_MAPS, "binaryData") if part == "config" else (SECRETS, "data")
            found = self.cluster.look(type_, NAMESPACE, f"understudy-{key}")
            assert found is not None
            return b64decode(found[field][key])

        return decode(head, shard)

    def metric(self, name: str, **labels: str) -> float | None:
        """A metric's value."""
        return self.metrics.registry.get_sample_value(f"understudy_operator_{name}", labels)


def operator(cluster: MemoryCluster | None = None) -> Operator:
    """An operator of a cluster; without one, of one with a provider, its key and a route."""
    cluster = cluster or MemoryCluster(
        secret("key", namespace="ai", key="sk-1"),
        provider("main", namespace="ai", secret_name="key"),
        route("chat", namespace="ai"),
    )
    servers = ScriptedServers()
    metrics, bell = Metrics(), Doorbell(quiet_seconds=0.1, patience_seconds=1.0)
    clock = asyncio.get_running_loop().time
    targets: list[Target] = []
    parts = Parts(
        reader=Reader(cluster, watch_namespaces=()),
        publisher=Publisher(cluster, Place(NAMESPACE, "understudy"), metrics=metrics),
        references=ReferenceWatches(cluster, limit=16, changed=bell.ring),
        poller=Poller(servers, changed=bell.ring, draw=lambda: 0.5),
        news=News(),
        bell=bell,
        metrics=metrics,
        track=targets.append,
        succeeded=lambda: made.successes.append(clock()),
        may_write=lambda: made.leads,
    )
    reconciler = Reconciler(parts, resync_seconds=60.0)
    made = Operator(cluster, reconciler, bell, metrics, targets, successes=[], servers=servers)
    return made


def play(script: Callable[[Operator], Awaitable[None]], cluster: MemoryCluster | None = None) -> None:
    """Run an operator in virtual time while `script` acts."""

    async def scenario() -> None:
        made = operator(cluster)
        task = asyncio.create_task(made.reconciler.run())
        try:
            await script(made)
            assert not task.done(), "the loop never ends"
        finally:
            task.cancel()

    virtual_time.run(scenario())


def test_objects_become_a_configuration() -> None:
    """Provider, route and key are published, and the follower is given a verdict for each object."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(1)
        snapshot = made.published()
        assert snapshot is not None
        assert snapshot.config.providers.keys() == {"ai/main"}
        assert list(snapshot.credentials.values.values()) == ["sk-1"]
        (target,) = made.targets
        assert target.published == snapshot.config.revision
        assert {str(key) for key in target.subjects} == {"LLMProvider ai/main", "LLMRoute ai/chat"}
        assert made.metric("objects", kind="LLMRoute", verdict="serving") == 1
        assert made.reconciler.first_read.is_set()

    play(script)


def test_objects_of_users_are_never_written() -> None:
    """Neither metadata nor spec, no annotation, no finalizer: what users own is read and nothing else."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(200)
        written = {(call.verb, call.type) for call in made.cluster.writes()}
        assert not {type_ for _, type_ in written} & set(OBJECTS.values())
        names = {call.name for call in made.cluster.writes()}
        assert ("ai", "key") not in names

    play(script)


def test_a_rotated_key_is_published_within_a_cycle() -> None:
    """The watch on the Secret rings, and the new key is in the next configuration."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(1)
        made.cluster.put(secret("key", namespace="ai", key="sk-2"))
        await asyncio.sleep(0.5)
        snapshot = made.published()
        assert snapshot is not None
        assert list(snapshot.credentials.values.values()) == ["sk-2"]

    play(script)


def test_what_no_event_told_of_is_found_at_the_resync() -> None:
    """An object that vanished in a watch gap is gone within a minute."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(1)
        made.cluster.remove(OBJECTS["LLMRoute"], "ai", "chat")
        await asyncio.sleep(61)
        snapshot = made.published()
        assert snapshot is not None
        assert snapshot.config.targets == {}
        assert made.metric("cycles_total", trigger="resync") == 2

    play(script)


def test_a_resync_without_news_writes_nothing() -> None:
    """An idle operator reads once a minute, and that is all."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(1)
        before = len(made.cluster.writes())
        await asyncio.sleep(600)
        assert len(made.cluster.writes()) == before
        assert len(made.targets) == 11

    play(script)


@pytest.mark.parametrize("verb", ["find", "get"])
def test_nothing_is_published_from_an_interrupted_read(verb: str) -> None:
    """While the API server answers only half of what is asked, the last good configuration stays; then it goes on."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(1)
        good = made.published()
        made.cluster.put(route("new", namespace="ai"))

        async def fail(call: Call) -> None:
            if call.verb == verb and call.type in (OBJECTS["LLMProvider"], SECRETS):
                raise Unavailable("connection reset")

        made.cluster.before = fail
        made.bell.ring()
        await asyncio.sleep(300)
        assert made.published() == good
        assert len(made.successes) == 1
        made.cluster.before = _fine
        await asyncio.sleep(6)
        snapshot = made.published()
        assert snapshot is not None
        assert "LLMRoute/ai/new" in snapshot.config.targets

    play(script)


def test_retries_are_patient() -> None:
    """An API server that is down is asked every few seconds and not hammered."""

    async def script(made: Operator) -> None:
        async def fail(_call: Call) -> None:
            raise Unavailable("connection refused")

        made.cluster.before = fail
        await asyncio.sleep(300)
        attempts = made.metric("cycle_failures_total", error="Unavailable")
        assert attempts is not None
        assert 60 <= attempts <= 140

    play(script)


def test_what_is_too_large_is_told_and_not_published() -> None:
    """The last good configuration serves, and the follower gets the reason for the authors."""

    async def script(made: Operator) -> None:
        await asyncio.sleep(1)
        good = made.published()
        noise = (provider(f"p{number}", namespace="ai", headers={"set": _noise(number)}) for number in range(200))
        for manifest in noise:
            made.cluster.put(manifest)
        made.bell.ring()
        await asyncio.sleep(2)
        assert made.published() == good
        told = made.targets[-1].published
        assert isinstance(told, Unpublished)
        assert told.reason == "TooLarge"
        assert "there are 8" in told.message

    play(script)


def _noise(seed: int) -> dict[str, str]:
    draw = random.Random(seed)  # noqa: S311 - only to be incompressible
    return {f"x-{number}": draw.randbytes(2000).hex() for number in range(16)}


def test_without_rights_to_publish_the_authors_hear_of_it() -> None:
    """A forgotten role binding shows in the statuses, and is asked for again at the resync."""

    async def script(made: Operator) -> None:
        async def deny(call: Call) -> None:
            if call.verb in ("apply", "create"):
                raise Forbidden("configmaps is forbidden")

        made.cluster.before = deny
        await asyncio.sleep(1)
        told = made.targets[-1].published
        assert isinstance(told, Unpublished)
        assert (told.reason, "configmaps is forbidden" in told.message) == ("NotPublished", True)
        made.cluster.before = _fine
        await asyncio.sleep(61)
        assert made.published() is not None

    play(script)


def test_a_standby_does_not_begin() -> None:
    """While this process does not know that it leads, it reads and writes nothing."""

    async def script(made: Operator) -> None:
        made.leads = False
        await asyncio.sleep(100)
        assert made.cluster.calls == []
        made.leads = True
        await asyncio.sleep(2)
        assert made.published() is not None

    play(script)


def test_an_unforeseen_error_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    """Something that should not be is logged, and the next cycle works again."""

    async def script(made: Operator) -> None:
        async def break_(_call: Call) -> None:
            raise ZeroDivisionError

        made.cluster.before = break_
        await asyncio.sleep(3)
        made.cluster.before = _fine
        await asyncio.sleep(6)
        assert made.published() is not None

    play(script)
    assert "a cycle failed for a reason that should not be" in caplog.messages


OWN = ("ai", "own")


def _discovering(**spec: str) -> dict[str, Any]:
    return provider("own", namespace="ai", type="VLLM", models=[], discovery={"interval": "10s"}, **spec)


def _models(made: Operator) -> set[str]:
    snapshot = made.published()
    assert snapshot is not None
    return set(snapshot.config.providers["ai/own"].models)


def test_what_a_server_lists_is_served() -> None:
    """Its models are published as soon as it has answered, and again when they change, within its interval."""

    async def script(made: Operator) -> None:
        made.servers.models[OWN] = ("small",)
        await asyncio.sleep(0.5)
        assert _models(made) == {"small"}
        made.servers.models[OWN] = ("small", "large")
        await asyncio.sleep(11.5)
        assert _models(made) == {"small", "large"}
        assert made.metric("publishes_total") == 3

    play(script, MemoryCluster(_discovering()))


def test_a_server_that_is_gone_takes_nothing_with_it() -> None:
    """What it listed last stays, for this operator and for the next leader, and the object says what is wrong."""
    cluster = MemoryCluster(_discovering())

    async def first(made: Operator) -> None:
        made.servers.models[OWN] = ("small",)
        await asyncio.sleep(5)
        made.servers.models.clear()
        await asyncio.sleep(60)
        assert _models(made) == {"small"}

    async def second(made: Operator) -> None:
        published: list[set[str]] = []
        made.bell.ring()
        for _ in range(60):
            await asyncio.sleep(0.5)
            published.append(_models(made))
        assert published == [{"small"}] * 60
        (verdict,) = [subject.verdict for subject in made.targets[-1].subjects.values()]
        assert verdict.accepted.message == (
            "spec.discovery: http://127.0.0.1:9/v1 cannot be connected to; it is asked again every 10s, and the models "
            "that it listed before are kept"
        )

    play(first, cluster)
    play(second, cluster)


def test_nobody_is_asked_for_a_provider_that_is_gone() -> None:
    """Without its object a server is left alone, and what it said is forgotten."""

    async def script(made: Operator) -> None:
        made.servers.models[OWN] = ("small",)
        await asyncio.sleep(5)
        made.cluster.remove(OBJECTS["LLMProvider"], "ai", "own")
        made.bell.ring()
        await asyncio.sleep(1)
        asked = len(made.servers.asked)
        await asyncio.sleep(100)
        assert asked == len(made.servers.asked)
        made.servers.models.clear()
        made.cluster.put(_discovering())
        made.bell.ring()
        await asyncio.sleep(2)
        assert _models(made) == set()

    play(script, MemoryCluster(_discovering()))


async def _fine(_call: Call) -> None:
    return
