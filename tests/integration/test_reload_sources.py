"""What a proxy in a cluster serves, whatever happens to the API server and to the volume."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex

import pytest

from harness.fake_api import QUICK, FakeApi
from harness.raw_http import eventually
from harness.snapshots import KubeletVolume, a_snapshot, dangling, files_of, write_folder
from understudy_api.config import Prompt, Snapshot, encode, with_revision
from understudy_api.config.shards import HEAD_KEY
from understudy_proxy.config.api_client import Access
from understudy_proxy.config.published import Api, Published
from understudy_proxy.config.source import Origin, Source
from understudy_proxy.config.volume import Volume


@dataclass
class Taken:
    """A sink that takes everything, unless told otherwise, and remembers it."""

    revisions: list[str] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    states: dict[Origin, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    async def offer(self, snapshot: Snapshot, *, origin: Origin) -> bool:
        """Take it."""
        if snapshot.config.revision in self.refused:
            return False
        self.revisions.append(snapshot.config.revision)
        self.origins.append(origin)
        return True

    def refuse(self, revision: str, message: str, *, origin: Origin) -> None:
        """Remember it."""
        assert origin in Origin
        self.refusals.append((revision, message))

    def state(self, origin: Origin, state: str) -> None:
        """Remember it."""
        self.states[origin] = state

    @property
    def serving(self) -> str | None:
        """What serves."""
        return self.revisions[-1] if self.revisions else None

    async def serves(self, snapshot: Snapshot) -> None:
        """Wait until it serves."""
        await eventually(lambda: self.serving == snapshot.config.revision)


@asynccontextmanager
async def following(source: Source, *, refused: tuple[Snapshot, ...] = ()) -> AsyncIterator[Taken]:
    """Run a source into a sink that refuses some."""
    taken = Taken(refused=frozenset(snapshot.config.revision for snapshot in refused))
    task = asyncio.create_task(source.run(taken))
    try:
        yield taken
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def published(*, api: Api | None = None, volume: Path | None = None) -> Published:
    """The source of a proxy that is given these."""
    return Published(api=api, volume=Volume(volume) if volume else None, timer=time.monotonic, draw=lambda: 0.5)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An API server that holds nothing yet."""
    async with FakeApi() as api:
        yield api


FIRST, SECOND, THIRD = a_snapshot(route="first"), a_snapshot(route="second"), a_snapshot(route="third")


async def test_follows_the_head(api: FakeApi) -> None:
    """A proxy waits for the first configuration, and takes each one that follows, in either slot."""
    async with following(published(api=api.api())) as taken:
        await eventually(lambda: api.watching == 1)
        for snapshot, slot in ((FIRST, "a"), (SECOND, "b"), (THIRD, "a")):
            api.publish(snapshot, slot=slot)  # type: ignore[arg-type] # a literal, seen as a string
            await taken.serves(snapshot)
    assert taken.revisions == [snapshot.config.revision for snapshot in (FIRST, SECOND, THIRD)]


async def test_takes_what_no_single_object_could_hold(api: FakeApi) -> None:
    """A configuration of more than 1 MiB comes in several objects, and is whole."""
    whole = a_snapshot()
    target = whole.config.targets["LLMRoute/ai/chat"]
    prompts = (Prompt(system=token_hex(150_000)) for _ in range(10))  # 1.5 MB that nothing compresses
    targets = {f"LLMRoute/ai/r{at}": target.model_copy(update={"prompt": p}) for at, p in enumerate(prompts)}
    config = with_revision(whole.config.model_copy(update={"targets": {**whole.config.targets, **targets}}))
    large = Snapshot(config, whole.credentials.model_copy(update={"revision": config.revision}))
    api.publish(large)
    async with following(published(api=api.api())) as taken:
        await taken.serves(large)
    fetched = {call.rsplit("/", 1)[1] for call in api.asked if "/understudy-config-a-" in call}
    assert fetched == {"understudy-config-a-0", "understudy-config-a-1", "understudy-config-a-2"}


async def test_asks_for_its_own_objects_and_no_others(api: FakeApi) -> None:
    """One watch by name, and the shards that the head names: what a Role with resourceNames allows."""
    api.publish(FIRST)
    async with following(published(api=api.api())) as taken:
        await taken.serves(FIRST)
        await eventually(lambda: api.watching == 1)
    listed, watched = (call for call in api.asked if "fieldSelector" in call)
    assert listed == "/api/v1/namespaces/understudy/configmaps?fieldSelector=metadata.name%3Dunderstudy-config"
    assert "watch=true" in watched
    assert "allowWatchBookmarks=true" in watched
    assert sorted(call for call in api.asked if "fieldSelector" not in call) == [
        "/api/v1/namespaces/understudy/configmaps/understudy-config-a-0",
        "/api/v1/namespaces/understudy/secrets/understudy-credentials-a-0",
    ]


@pytest.mark.parametrize("how", ["drop_watches", "expire_watches"])
async def test_comes_back_after_a_broken_watch(api: FakeApi, how: str) -> None:
    """A dropped connection and a 410 are followed by a fresh list: nothing in between is missed."""
    api.publish(FIRST)
    async with following(published(api=api.api())) as taken:
        await taken.serves(FIRST)
        await eventually(lambda: api.watching == 1)
        api.silent = True
        api.publish(SECOND, slot="b")
        getattr(api, how)()
        api.silent = False
        await taken.serves(SECOND)


async def test_notices_a_connection_that_died_silently(api: FakeApi) -> None:
    """A load balancer that forgot the connection does not cut the proxy off for good."""
    api.publish(FIRST)
    quick = replace(QUICK, inactivity_seconds=0.2)
    async with following(published(api=api.api(pace=quick))) as taken:
        await taken.serves(FIRST)
        api.silent = True
        await eventually(lambda: api.watching == 1)
        api.publish(SECOND, slot="b")
        await taken.serves(SECOND)


async def test_outlives_an_api_server(api: FakeApi) -> None:
    """While the API server is away the last configuration stays; the state says so; then it catches up."""
    api.publish(FIRST)
    async with following(published(api=api.api())) as taken:
        await taken.serves(FIRST)
        await api.stop()
        await eventually(lambda: taken.states[Origin.API].startswith("not connected: the API server cannot be"))
        assert taken.serving == FIRST.config.revision
        api.publish(SECOND, slot="b")
        await api.start()
        await taken.serves(SECOND)
        await eventually(lambda: taken.states[Origin.API] == "connected")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_outlives_refusals(api: FakeApi, status: int) -> None:
    """Rights taken away or a server in trouble: the message says what the server said, and it goes on by itself."""
    api.publish(FIRST)
    api.broken = status
    async with following(published(api=api.api())) as taken:
        said = f"not connected: the API server answered {status}: this is a bad day"
        await eventually(lambda: taken.states.get(Origin.API) == said)
        api.broken = None
        await taken.serves(FIRST)


async def test_a_deleted_head_stops_nothing(api: FakeApi) -> None:
    """Somebody deletes the ConfigMap by mistake: requests go on, and the next publication is taken."""
    api.publish(FIRST)
    async with following(published(api=api.api())) as taken:
        await taken.serves(FIRST)
        await eventually(lambda: api.watching == 1)
        api.delete_head()
        api.publish(SECOND, slot="b")
        await taken.serves(SECOND)
    assert taken.revisions == [FIRST.config.revision, SECOND.config.revision]


async def test_waits_for_the_other_half(api: FakeApi) -> None:
    """A head whose shards are not there yet is not taken, and is once they are."""
    files = files_of(encode(FIRST, slot="a"))
    api.write_head(files.pop(HEAD_KEY).decode())
    async with following(published(api=api.api())) as taken:
        await eventually(lambda: sum("config-a-0" in call for call in api.asked) >= 2)
        assert taken.serving is None
        for key, data in files.items():
            api.write_shard(key, data)
        await taken.serves(FIRST)


async def test_a_newer_head_overtakes_one_that_never_becomes_whole(api: FakeApi) -> None:
    """The writer died between two writes, and another one wrote anew: the proxy does not insist on the first."""
    api.write_head(files_of(encode(FIRST, slot="a"))[HEAD_KEY].decode())
    async with following(published(api=api.api())) as taken:
        await eventually(lambda: any("config-a-0" in call for call in api.asked))
        api.publish(SECOND, slot="b")
        await taken.serves(SECOND)
    assert taken.revisions == [SECOND.config.revision]


async def test_says_what_is_half_there_for_long(api: FakeApi) -> None:
    """Half a configuration shows after some seconds, with the object that is missing; not at each retry."""
    api.write_head(files_of(encode(FIRST, slot="a"))[HEAD_KEY].decode())
    async with following(published(api=api.api())) as taken:
        await eventually(lambda: bool(taken.refusals))
    ((revision, message),) = taken.refusals
    assert revision == FIRST.config.revision
    assert "configmaps understudy-config-a-0 does not exist" in message


@pytest.mark.parametrize(
    ("head", "message"),
    [
        pytest.param(
            files_of(encode(a_snapshot(schema="2.0"), slot="b"))[HEAD_KEY].decode(),
            "upgrade the proxies before the operator",
            id="newer major",
        ),
        pytest.param("{}", "not readable", id="no head"),
        pytest.param("not JSON", "not readable", id="no JSON"),
    ],
)
async def test_keeps_serving_beside_a_head_that_it_cannot_read(api: FakeApi, head: str, message: str) -> None:
    """What is too new or damaged is refused with a message; the last good one stays, the next good one is taken."""
    api.publish(FIRST)
    async with following(published(api=api.api())) as taken:
        await taken.serves(FIRST)
        await eventually(lambda: api.watching == 1)
        api.write_head(head)
        await eventually(lambda: bool(taken.refusals))
        assert message in taken.refusals[0][1]
        api.publish(SECOND, slot="b")
        await taken.serves(SECOND)


async def test_reads_the_token_anew(api: FakeApi, tmp_path: Path) -> None:
    """The kubelet replaces the token; the proxy uses the new one without a restart."""
    token = tmp_path / "token"
    token.write_text("old\n")
    api.token = "new"
    api.publish(FIRST)
    access = Access(api.access.server, token_file=token, ca_file=None, namespace="")
    async with following(published(api=api.api(access=access))) as taken:
        await eventually(lambda: "answered 401" in taken.states.get(Origin.API, ""))
        token.write_text("new\n")
        await taken.serves(FIRST)


async def test_boots_from_the_volume_and_catches_up(api: FakeApi, tmp_path: Path) -> None:
    """A proxy that starts while the API server is away serves what is mounted, then what the API says."""
    kubelet = KubeletVolume(tmp_path / "volume")
    kubelet.publish(FIRST)
    api.publish(SECOND, slot="b")
    client = api.api()
    await api.stop()
    async with following(published(api=client, volume=kubelet.path)) as taken:
        await taken.serves(FIRST)
        await api.start()
        await taken.serves(SECOND)
    assert taken.origins == [Origin.VOLUME, Origin.API]


async def test_a_volume_that_lags_never_wins_back(api: FakeApi, tmp_path: Path) -> None:
    """The kubelet mounts an old configuration while the API server is away: the proxy keeps the newer one."""
    kubelet = KubeletVolume(tmp_path / "volume")
    api.publish(SECOND, slot="b")
    async with following(published(api=api.api(), volume=kubelet.path)) as taken:
        await taken.serves(SECOND)
        await api.stop()
        await eventually(lambda: taken.states[Origin.API].startswith("not connected"))
        kubelet.publish(FIRST)
        await eventually(lambda: taken.states.get(Origin.VOLUME) == "behind the API")
        api.publish(THIRD)
        await api.start()
        await taken.serves(THIRD)
    assert taken.revisions == [SECOND.config.revision, THIRD.config.revision]


async def test_a_volume_that_had_caught_up_goes_on_alone(api: FakeApi, tmp_path: Path) -> None:
    """Only the proxy is cut off from the API: what the kubelet mounts after it had caught up is newer."""
    kubelet = KubeletVolume(tmp_path / "volume")
    api.publish(FIRST)
    async with following(published(api=api.api(), volume=kubelet.path)) as taken:
        await taken.serves(FIRST)
        kubelet.publish(FIRST)
        await eventually(lambda: taken.states.get(Origin.VOLUME) == "as the API says")
        await api.stop()
        await eventually(lambda: taken.states[Origin.API].startswith("not connected"))
        kubelet.publish(SECOND, slot="b")
        await taken.serves(SECOND)
        await api.start()
        await taken.serves(FIRST)  # somebody has rolled back meanwhile: what the API says is the truth again
    assert taken.origins == [Origin.API, Origin.VOLUME, Origin.API]


async def test_the_api_may_go_back(api: FakeApi) -> None:
    """A rollback, or an API server restored from a backup: what it says now is what is served."""
    async with following(published(api=api.api())) as taken:
        for snapshot in (FIRST, SECOND, FIRST):
            api.publish(snapshot)
            await taken.serves(snapshot)


async def test_a_plain_folder_is_followed(tmp_path: Path) -> None:
    """Without an API and without a kubelet's link, changes of files are taken."""
    write_folder(tmp_path, FIRST)
    async with following(published(volume=tmp_path)) as taken:
        await taken.serves(FIRST)
        write_folder(tmp_path, SECOND, slot="b")
        await taken.serves(SECOND)


async def test_the_volume_serves_while_what_the_api_gives_is_refused(api: FakeApi, tmp_path: Path) -> None:
    """A new pod beside a broken publication serves the older one that is mounted, rather than nothing."""
    kubelet = KubeletVolume(tmp_path / "volume")
    broken = dangling()
    api.publish(broken)
    async with following(published(api=api.api(), volume=kubelet.path), refused=(broken,)) as taken:
        await eventually(lambda: any("config-a-0" in call for call in api.asked))
        kubelet.publish(FIRST)
        await taken.serves(FIRST)
