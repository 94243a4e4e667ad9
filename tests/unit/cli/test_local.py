"""Files in the place of a cluster: what is offered to the proxy, what is kept out, what is reported."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.gateway_files import provider, route, write
from harness.raw_http import eventually
from understudy.local import Became, Local, LocalSource, from_files
from understudy.manifests.inputs import NOTHING_DISCOVERED, Discoveries
from understudy.watching import Watch
from understudy_api.config import Snapshot
from understudy_proxy.config.source import Origin

PROVIDERS = f"{provider('one', 'http://127.0.0.1:9')}---\n{provider('two', 'http://127.0.0.1:9')}"


@dataclass
class Taken:
    """A sink that takes everything but what it is told to refuse."""

    offered: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    unfit: frozenset[str] = frozenset()

    async def offer(self, snapshot: Snapshot, *, origin: Origin) -> bool:
        """Take it or leave it."""
        assert origin is Origin.FILES
        self.offered.append(snapshot.config.revision)
        return snapshot.config.revision not in self.unfit

    def refuse(self, revision: str, message: str, *, origin: Origin) -> None:
        """Remember it."""
        assert revision
        assert origin is Origin.FILES
        self.refusals.append(message)

    def state(self, origin: Origin, state: str) -> None:
        """Files have no state."""
        raise AssertionError(origin, state)


class Laptop:
    """A folder, a source that follows it, what the source offers and what it reports."""

    def __init__(self, folder: Path, *, unfit: frozenset[str] = frozenset()) -> None:
        self.folder = folder
        self.taken = Taken(unfit=unfit)
        self.reports: list[Became] = []
        watch = Watch((str(folder),))
        self.first = self.read()
        self.source = LocalSource(self.read, first=self.first, watch=watch, report=self._report)

    def read(self, discovered: Discoveries = NOTHING_DISCOVERED) -> Local:
        """What the folder holds now."""
        return from_files((str(self.folder),), environment={}, namespace="default", discovered=discovered)

    def _report(self, _local: Local, became: Became) -> None:
        self.reports.append(became)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Run the source."""
        task = asyncio.create_task(self.source.run(self.taken))
        try:
            await eventually(lambda: bool(self.taken.offered))
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def edit(self, **files: str) -> Became:
        """Write files, and wait until something has been reported of that."""
        seen = len(self.reports)
        write(self.folder, **files)
        await eventually(lambda: len(self.reports) > seen)
        return self.reports[-1]


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A folder with two providers and a route to the first."""
    return Laptop(write(tmp_path / "gateway", providers=PROVIDERS, route=route("one")))


async def test_edits_are_offered_unless_they_break(laptop: Laptop) -> None:
    """Good, broken, mended, the same again: each is reported as what became of it."""
    async with laptop.following():
        became = [
            await laptop.edit(route=route("two")),
            await laptop.edit(route=route("three")),
            await laptop.edit(route=f"# mended\n{route('two')}"),
            await laptop.edit(route=route("one")),
        ]
    assert became == [Became.SERVED, Became.KEPT_OUT, Became.UNCHANGED, Became.SERVED]
    first, second, *rest = laptop.taken.offered
    assert rest == [second, first]
    (refusal,) = laptop.taken.refusals
    assert refusal.startswith(f"{laptop.folder}/route.yaml:6:3: LLMRoute default/chat: spec.rules: ")
    assert refusal.endswith("; and 1 more")


async def test_errors_of_the_start_are_no_reason_to_refuse(tmp_path: Path) -> None:
    """What serves has the same errors; moved to another line they are still the same."""
    broken = route("three", name="other")
    laptop = Laptop(write(tmp_path / "gateway", providers=PROVIDERS, route=route("one"), broken=broken))
    assert laptop.first.errors
    async with laptop.following():
        assert await laptop.edit(route=route("two")) is Became.SERVED
        assert await laptop.edit(broken=f"# moved\n\n{broken}") is Became.UNCHANGED
        assert await laptop.edit(broken=route("four", name="other")) is Became.KEPT_OUT
        assert await laptop.edit(broken=route("one", name="other")) is Became.SERVED
        assert await laptop.edit(broken=broken) is Became.KEPT_OUT


async def test_what_the_proxy_cannot_serve_is_reported(tmp_path: Path) -> None:
    """And is not what later readings are compared with."""
    folder = write(tmp_path / "gateway", providers=PROVIDERS, route=route("two"))
    unfit = Laptop(folder).first.config.revision
    write(folder, route=route("one"))
    laptop = Laptop(folder, unfit=frozenset({unfit}))
    async with laptop.following():
        assert await laptop.edit(route=route("two")) is Became.REFUSED
        assert await laptop.edit(route=route("one")) is Became.UNCHANGED


async def test_a_copy_made_later_does_not_go_back_in_time(laptop: Laptop) -> None:
    """A worker in the place of a dead one offers what the files say now, and nothing older before it."""
    write(laptop.folder, route=route("two"))
    async with laptop.following():
        pass
    assert laptop.taken.offered == [laptop.read().config.revision]


async def test_a_copy_made_later_serves_what_was_good(laptop: Laptop) -> None:
    """When the files are broken by then, it offers what they said at the start."""
    write(laptop.folder, route=route("three"))
    async with laptop.following():
        pass
    assert laptop.taken.offered == [laptop.first.config.revision]
    assert laptop.reports == [Became.KEPT_OUT]


async def test_run_again_it_offers_what_was_good_last(laptop: Laptop) -> None:
    """The gateway runs a source again that failed; that must not bring back the start."""
    async with laptop.following():
        await laptop.edit(route=route("two"))
    second = laptop.taken.offered[-1]
    async with laptop.following():
        pass
    assert laptop.taken.offered[-1] == second


async def test_a_terminal_that_is_gone_keeps_nothing_from_being_reloaded(laptop: Laptop) -> None:
    """Whether anybody reads what is reported makes no difference to what is served."""

    def broken_pipe(_local: Local, _became: Became) -> None:
        raise BrokenPipeError

    watch = Watch((str(laptop.folder),))
    source = LocalSource(laptop.read, first=laptop.first, watch=watch, report=broken_pipe)
    task = asyncio.create_task(source.run(laptop.taken))
    try:
        for number, name in enumerate(("two", "one"), start=2):
            await eventually(lambda number=number: len(laptop.taken.offered) == number - 1)  # type: ignore[misc] # bound at once
            write(laptop.folder, route=route(name))
        await eventually(lambda: len(laptop.taken.offered) == 3)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert laptop.taken.offered[-1] == laptop.first.config.revision
