"""Whatever happens while a configuration is published, a reader gets the old one or the new one, never half."""

import asyncio
import contextlib
import functools
import random
from base64 import b64decode, b64encode
from typing import Any

import pytest

from harness import virtual_time
from harness.memory_cluster import Call, Key, MemoryCluster
from understudy_api.config import Config, Credentials, Head, Provider, Snapshot, decode, read_head, with_revision
from understudy_api.config.shards import HEAD_KEY, MAX_SHARDS, NotWhole, Part, TooLarge, shard_key
from understudy_operator.cluster import CONFIG_MAPS, SECRETS, Conflict, Manifest, Unavailable
from understudy_operator.metrics import Metrics
from understudy_operator.publish import Place, Publication, Publisher

NAMESPACE = "gateway"
PLACE = Place(NAMESPACE, "understudy")


@functools.cache
def snapshot(name: str, *, size: int = 0) -> Snapshot:
    """A configuration that differs by name, of at least `size` bytes however it is compressed."""
    noise = b64encode(random.Random(name).randbytes(size)).decode()  # noqa: S311 - only to be incompressible
    provider = Provider(
        namespace="ai", name=name, type="OpenAI", system="openai", dialect="openai", base_url=noise, models={}
    )
    config = with_revision(Config(providers={f"ai/{name}": provider}))
    return Snapshot(config, Credentials(revision=config.revision, values={f"ai/{name}": f"key of {name} {noise}"}))


def publisher(cluster: MemoryCluster, *, place: Place = PLACE) -> Publisher:
    """One operator's publisher; a second one of the same cluster is another process."""
    return Publisher(cluster, place, metrics=Metrics(), draw=lambda: 0.5)


def head_of(cluster: MemoryCluster) -> Head | None:
    """The head as a reader sees it."""
    raw = cluster.look(CONFIG_MAPS, NAMESPACE, "understudy-config")
    return read_head(raw["data"][HEAD_KEY]) if raw else None


def shard_of(cluster: MemoryCluster, head: Head, part: Part, index: int) -> bytes:
    """A shard as a reader sees it."""
    key = shard_key(part, head.slot, index)
    type_, field = (CONFIG_MAPS, "binaryData") if part == "config" else (SECRETS, "data")
    raw = cluster.look(type_, NAMESPACE, f"understudy-{key}")
    if raw is None:
        raise NotWhole(f"{key} is missing")
    return b64decode(raw[field][key])


def read(cluster: MemoryCluster) -> Snapshot | None:
    """What a proxy that starts now loads."""
    head = head_of(cluster)
    return decode(head, lambda part, index: shard_of(cluster, head, part, index)) if head else None


async def test_a_first_publication_can_be_read() -> None:
    """What is published is what was compiled, credentials apart in Secrets."""
    cluster = MemoryCluster()
    assert await publisher(cluster).publish(snapshot("one")) == Publication(
        snapshot("one").config.revision, written=True
    )
    assert read(cluster) == snapshot("one")
    assert cluster.names(CONFIG_MAPS) == {"understudy-config", "understudy-config-a-0"}
    assert cluster.names(SECRETS) == {"understudy-credentials-a-0"}


async def test_the_same_again_writes_nothing() -> None:
    """An unchanged configuration costs reads only, for this operator and for one that has just started."""
    cluster = MemoryCluster()
    first = publisher(cluster)
    await first.publish(snapshot("one"))
    before = len(cluster.writes())
    assert not (await first.publish(snapshot("one"))).written
    assert not (await publisher(cluster).publish(snapshot("one"))).written
    assert len(cluster.writes()) == before


async def test_it_reads_contents_once_and_versions_after_that() -> None:
    """Checking what was published does not read megabytes every time."""
    cluster = MemoryCluster()
    await publisher(cluster).publish(snapshot("one"))
    fresh = publisher(cluster)
    await fresh.publish(snapshot("one"))
    cluster.calls.clear()
    await fresh.publish(snapshot("one"))
    assert len(cluster.calls) == 3  # head, one shard of each part


async def test_the_next_one_goes_into_the_other_slot() -> None:
    """The slot that readers use is not touched."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("one"))
    old_head = head_of(cluster)
    assert old_head is not None
    await one.publish(snapshot("two"))
    assert read(cluster) == snapshot("two")
    assert decode(old_head, lambda part, index: shard_of(cluster, old_head, part, index)) == snapshot("one")


def _damage(cluster: MemoryCluster, what: str) -> None:
    if what == "head deleted":
        cluster.remove(CONFIG_MAPS, NAMESPACE, "understudy-config")
    elif what == "head garbled":
        raw = cluster.look(CONFIG_MAPS, NAMESPACE, "understudy-config")
        assert raw is not None
        cluster.put(raw | {"data": {HEAD_KEY: "{"}})
    elif what == "shard deleted":
        cluster.remove(CONFIG_MAPS, NAMESPACE, "understudy-config-a-0")
    elif what == "credentials deleted":
        cluster.remove(SECRETS, NAMESPACE, "understudy-credentials-a-0")
    else:
        type_ = SECRETS if "credentials" in what else CONFIG_MAPS
        name = "understudy-credentials-a-0" if type_ is SECRETS else "understudy-config-a-0"
        raw = cluster.look(type_, NAMESPACE, name)
        assert raw is not None
        contents: dict[str, Any] = {"data": {}, "binaryData": {}} if "emptied" in what else {"data": {"x": "!"}}
        cluster.put(raw | contents | ({} if type_ is SECRETS else {"binaryData": {"config-a-0": "AAAA"}}))


@pytest.mark.parametrize(
    "what",
    [
        "head deleted",
        "head garbled",
        "shard deleted",
        "shard edited",
        "credentials deleted",
        "credentials edited",
        "credentials emptied",
    ],
)
@pytest.mark.parametrize("restarted", [False, True], ids=["the same operator", "a fresh operator"])
async def test_damage_is_repaired(what: str, restarted: bool) -> None:
    """Somebody deletes or edits what was published: the next cycle puts it right."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("one"))
    _damage(cluster, what)
    assert (await (publisher(cluster) if restarted else one).publish(snapshot("one"))).written
    assert read(cluster) == snapshot("one")


async def test_shards_that_no_slot_uses_are_deleted() -> None:
    """A configuration that shrinks leaves nothing behind, and never what a reader may still read."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("big", size=1_700_000))
    assert {"understudy-config-a-0", "understudy-config-a-1", "understudy-config-a-2"} <= cluster.names(CONFIG_MAPS)
    await one.publish(snapshot("small"))
    assert "understudy-config-a-2" in cluster.names(CONFIG_MAPS), "the slot before this one is still whole"
    await one.publish(snapshot("smaller"))
    assert cluster.names(CONFIG_MAPS) == {"understudy-config", "understudy-config-a-0", "understudy-config-b-0"}
    assert cluster.names(SECRETS) == {"understudy-credentials-a-0", "understudy-credentials-b-0"}


async def test_too_large_keeps_the_last_good_one() -> None:
    """What does not fit is refused before anything is written."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("one"))
    before = len(cluster.writes())
    with pytest.raises(TooLarge, match="there are 8"):
        await one.publish(snapshot("huge", size=MAX_SHARDS * 750_000))
    assert len(cluster.writes()) == before
    assert read(cluster) == snapshot("one")


async def test_owners_are_on_everything_published() -> None:
    """With an owner, what is published goes when the owner does."""
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "understudy-operator", "uid": "u"}
    cluster = MemoryCluster()
    await publisher(cluster, place=Place(NAMESPACE, "understudy", owners=(owner,))).publish(snapshot("one"))
    for type_, name in (
        (CONFIG_MAPS, "understudy-config"),
        (CONFIG_MAPS, "understudy-config-a-0"),
        (SECRETS, "understudy-credentials-a-0"),
    ):
        raw = cluster.look(type_, NAMESPACE, name)
        assert raw is not None
        assert raw["metadata"]["ownerReferences"] == [owner]


class Crash(Exception):
    """The process is gone."""


async def _published(size: int) -> MemoryCluster:
    """A cluster with two publications behind it, so that both slots are in use."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("zero", size=size))
    await one.publish(snapshot("one", size=size))
    return cluster


async def _crash(cluster: MemoryCluster, *, at: int, done: bool, known: list[Snapshot]) -> bool:
    """Publish the last of `known`, crash at a call, and check what is readable after every one before it."""
    crashed = False

    async def check(_call: Call) -> None:
        assert read(cluster) in known

    async def crash(_call: Call) -> None:
        nonlocal crashed
        if len(cluster.calls) >= at:
            crashed = True
            raise Crash

    async def check_and_crash(call: Call) -> None:
        await check(call)
        await crash(call)

    cluster.before, cluster.after = (_ignore, check_and_crash) if done else (crash, check)
    with contextlib.suppress(Crash):
        await publisher(cluster).publish(known[-1])
    cluster.before, cluster.after = _ignore, check
    return crashed


@pytest.mark.parametrize("done", [False, True], ids=["before it happens", "after it happened"])
@pytest.mark.parametrize(
    ("size", "last"), [pytest.param(0, 1000, id="small"), pytest.param(720_000, 7, id="two shards of each part")]
)
async def test_a_crash_at_any_call_leaves_a_whole_configuration(size: int, last: int, done: bool) -> None:
    """Killed at the first, second, ... call, the operator leaves the old or the new one, and the next repairs."""
    state = (await _published(size))._objects
    known = [snapshot("one", size=size), snapshot("two", size=size)]
    at = 0
    crashed = True
    while crashed and at < last:
        at += 1
        cluster = MemoryCluster()
        cluster._objects = dict(state)
        cluster._version = 1000
        crashed = await _crash(cluster, at=at, done=done, known=known)
        assert read(cluster) in known
        await publisher(cluster).publish(known[-1])
        assert read(cluster) == known[-1]
    assert at > 5, "at least a head to read, two shards, a head to flip, and what comes after"


async def test_a_slow_reader_gets_a_whole_configuration_or_knows_that_it_has_none() -> None:
    """Head, configuration and credentials read at any three moments of two publications never make a mixture."""
    cluster = await _published(0)
    moments: list[dict[Key, Manifest]] = []

    async def take(_call: Call) -> None:
        moments.append(dict(cluster._objects))

    cluster.after = take
    one = publisher(cluster)
    await take(Call("", CONFIG_MAPS, ("", "")))
    await one.publish(snapshot("two"))
    await one.publish(snapshot("three"))
    cluster.after = _ignore
    outcomes = set()
    for first in range(len(moments)):
        for second in range(first, len(moments)):
            for third in range(second, len(moments), 3):
                outcomes.add(_read_over_time(moments, first, second, third))
    revisions = {snapshot(name).config.revision for name in ("one", "two", "three")}
    assert outcomes == {"not whole", *revisions}


def _read_over_time(moments: list[dict[Key, Manifest]], first: int, second: int, third: int) -> str:
    views = []
    for moment in (first, second, third):
        view = MemoryCluster()
        view._objects = moments[moment]
        views.append(view)
    head = head_of(views[0])
    assert head is not None
    try:
        loaded = decode(head, lambda part, index: shard_of(views[1 if part == "config" else 2], head, part, index))
    except NotWhole:
        return "not whole"
    assert loaded.credentials.revision == loaded.config.revision
    return loaded.config.revision


async def _ignore(_call: Call) -> None:
    return


@pytest.mark.parametrize("seed", range(40))
def test_two_operators_at_once(seed: int) -> None:
    """However their calls interleave, a reader never loads a mixture, and afterwards one publication puts all right."""

    async def scenario() -> None:
        draw = random.Random(seed)  # noqa: S311 - an interleaving
        cluster = MemoryCluster()
        await publisher(cluster).publish(snapshot("old"))
        known = [snapshot(name) for name in ("old", "mine", "yours")]

        async def interleave(_call: Call) -> None:
            await asyncio.sleep(draw.random())
            try:
                assert read(cluster) in known
            except NotWhole:
                return  # their shards have mingled: the reader keeps what it has

        cluster.before = cluster.after = interleave
        await asyncio.gather(
            publisher(cluster).publish(snapshot("mine")),
            publisher(cluster).publish(snapshot("yours")),
            return_exceptions=True,
        )
        cluster.before = cluster.after = _ignore
        await publisher(cluster).publish(snapshot("yours"))
        assert read(cluster) == snapshot("yours")

    virtual_time.run(scenario())


async def test_a_lost_race_begins_anew() -> None:
    """Somebody flips the head in between: this operator reads it again and publishes on top of it."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("one"))
    raced = False

    async def race(call: Call) -> None:
        nonlocal raced
        if call.verb == "apply" and call.type is SECRETS and not raced:
            raced = True
            await publisher(cluster).publish(snapshot("other"))

    cluster.before = race
    await one.publish(snapshot("two"))
    assert raced
    assert read(cluster) == snapshot("two")


async def test_what_another_operator_left_is_cleared_away() -> None:
    """After a lost race it looks anew at what there is, and deletes shards that it never wrote itself."""
    cluster = MemoryCluster()
    one = publisher(cluster)
    await one.publish(snapshot("one"))
    raced = False

    async def race(call: Call) -> None:
        nonlocal raced
        if call.verb == "apply" and call.type is SECRETS and not raced:
            raced = True
            other = publisher(cluster)
            for name in ("other", "another"):
                await other.publish(snapshot(name, size=1_500_000))

    cluster.before = race
    await one.publish(snapshot("two"))
    await one.publish(snapshot("three"))
    assert cluster.names(CONFIG_MAPS) == {"understudy-config", "understudy-config-a-0", "understudy-config-b-0"}
    assert cluster.names(SECRETS) == {"understudy-credentials-a-0", "understudy-credentials-b-0"}


def test_losing_every_race_gives_up() -> None:
    """A cycle that cannot win ends with an error, and the next cycle tries again."""

    async def scenario() -> None:
        cluster = MemoryCluster()
        await publisher(cluster).publish(snapshot("one"))

        async def lose(call: Call) -> None:
            if call.verb == "apply" and call.name[1] == "understudy-config":
                raise Conflict("always")

        cluster.before = lose
        with pytest.raises(Conflict):
            await publisher(cluster).publish(snapshot("two"))
        assert read(cluster) == snapshot("one")

    virtual_time.run(scenario())


async def test_a_failed_write_ends_the_others() -> None:
    """After a failure nothing of the failed publication goes on being written behind the next one's back."""
    cluster = await _published(0)
    writing = 0

    async def fail(call: Call) -> None:
        nonlocal writing
        if call.verb == "apply":
            if call.name[1].endswith("config-a-0"):
                raise Unavailable("no")
            writing += 1
            try:
                await asyncio.sleep(30)
            finally:
                writing -= 1

    cluster.before = fail
    with pytest.raises(Unavailable, match=r"^no$"):
        await publisher(cluster).publish(snapshot("two", size=720_000))
    assert writing == 0
