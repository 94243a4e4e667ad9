"""Load -> validate -> build -> swap: what is served before, during and after."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from harness.snapshots import a_snapshot, dangling
from understudy_api.config import Snapshot
from understudy_proxy.config.holder import Rejection, RuntimeHolder
from understudy_proxy.config.loader import Loader
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.config.source import Origin


@dataclass
class Witness:
    """Remembers what it was told."""

    told: list[str] = field(default_factory=list)

    def loading(self, snapshot: Snapshot) -> None:
        """Note it."""
        self.told.append(f"loading {snapshot.config.revision}")

    def loaded(self, runtime: Runtime, seconds: float) -> None:
        """Note it."""
        assert seconds >= 0
        self.told.append(f"loaded {runtime.revision}")

    def refused(self, rejection: Rejection) -> None:
        """Note it."""
        self.told.append(f"refused {rejection.revision}")


@dataclass
class Loading:
    """A loader and all around it."""

    holder: RuntimeHolder = field(default_factory=RuntimeHolder)
    witness: Witness = field(default_factory=Witness)

    def __post_init__(self) -> None:
        self.loader = Loader(self.holder, observer=self.witness, clock=lambda: 1000.0, timer=lambda: 0.0)

    @property
    def serving(self) -> str | None:
        """The revision that a new request gets."""
        return self.holder.current.revision if self.holder.current else None


async def test_serves_what_was_offered() -> None:
    """A sound configuration serves, and `/config` can say since when and from where."""
    loading = Loading()
    snapshot = a_snapshot()
    assert await loading.loader.offer(snapshot, origin=Origin.VOLUME)
    assert snapshot.config.revision == loading.serving
    assert loading.holder.origin == Origin.VOLUME
    assert loading.holder.current is not None
    assert loading.holder.current.loaded_at == 1000.0


async def test_secrets_are_told_before_anything_can_go_wrong() -> None:
    """The log filter knows the secrets before the code runs that might quote them in an error."""
    loading = Loading()
    revision = a_snapshot().config.revision
    await loading.loader.offer(a_snapshot(), origin=Origin.API)
    assert [f"loading {revision}", f"loaded {revision}"] == loading.witness.told


async def test_keeps_the_last_good_one() -> None:
    """An invalid configuration changes nothing for requests, and shows."""
    loading = Loading()
    good, bad = a_snapshot(), dangling()
    await loading.loader.offer(good, origin=Origin.API)
    assert not await loading.loader.offer(bad, origin=Origin.API)
    assert good.config.revision == loading.serving
    message = "the name 'chat' leads to the unknown target 'LLMRoute/ai/gone'"
    assert Rejection(bad.config.revision, message, 1000.0) == loading.holder.rejected


async def test_forgets_a_refusal_once_something_is_taken() -> None:
    """A repaired configuration ends the refusal; so does going back to the one that serves."""
    loading = Loading()
    await loading.loader.offer(a_snapshot(), origin=Origin.API)
    await loading.loader.offer(dangling(), origin=Origin.API)
    await loading.loader.offer(a_snapshot(route="other"), origin=Origin.API)
    assert loading.holder.rejected is None
    await loading.loader.offer(dangling(), origin=Origin.API)
    await loading.loader.offer(a_snapshot(route="other"), origin=Origin.API)
    assert loading.holder.rejected is None


async def test_does_not_build_the_same_one_twice() -> None:
    """A source that repeats itself costs nothing, and requests keep the very same runtime."""
    loading = Loading()
    await loading.loader.offer(a_snapshot(), origin=Origin.VOLUME)
    before = loading.holder.current
    await loading.loader.offer(a_snapshot(), origin=Origin.API)
    assert before is loading.holder.current
    assert loading.holder.origin == Origin.API


async def test_logs_one_line_for_each_refused_revision(caplog: pytest.LogCaptureFixture) -> None:
    """A source that offers a bad configuration again and again does not fill the log."""
    loading = Loading()
    caplog.set_level(logging.ERROR)
    for _ in range(5):
        await loading.loader.offer(dangling(), origin=Origin.API)
        loading.loader.refuse("r9", "it is half there", origin=Origin.API)
        loading.loader.refuse("r9", "it is half there", origin=Origin.API)
    refused = [record.getMessage() for record in caplog.records]
    assert len(refused) == 10  # two revisions taking turns: each turn is news
    for _ in range(5):
        loading.loader.refuse("r9", "it is half there", origin=Origin.API)
    assert len(caplog.records) == 10


async def test_survives_what_it_did_not_expect() -> None:
    """A configuration that trips over a fault of ours is refused like any other; the last good one serves."""
    loading = Loading()
    good = a_snapshot()
    await loading.loader.offer(good, origin=Origin.API)
    broken = a_snapshot(route="other")
    mistyped = broken.config.model_copy(update={"targets": {"LLMRoute/ai/other": None}})
    assert not await loading.loader.offer(Snapshot(mistyped, broken.credentials), origin=Origin.API)
    assert good.config.revision == loading.serving
    assert loading.holder.rejected is not None
    assert "please report this" in loading.holder.rejected.message


async def test_takes_turns_in_order() -> None:
    """Of two offers at once, the later one serves in the end."""
    loading = Loading()
    first, second = a_snapshot(route="first"), a_snapshot(route="second")
    await asyncio.gather(
        loading.loader.offer(first, origin=Origin.VOLUME), loading.loader.offer(second, origin=Origin.API)
    )
    assert second.config.revision == loading.serving


async def test_says_each_state_of_a_source_once(caplog: pytest.LogCaptureFixture) -> None:
    """An API server that is away for an hour is one line in the log."""
    loading = Loading()
    caplog.set_level(logging.INFO)
    for _ in range(100):
        loading.loader.state(Origin.API, "not connected: refused")
    loading.loader.state(Origin.API, "connected")
    assert len(caplog.records) == 2
    assert loading.loader.states == {Origin.API: "connected"}
