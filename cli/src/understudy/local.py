"""Files in the place of a cluster: the source of configuration for `understudy serve`.

The same reading, the same compile and the same verdicts as everywhere; what the operator would write into conditions
is printed. A change that brings an error leaves the last good configuration serving, all of it: on a laptop an error
is a file half edited, and half a file must not take down what it said before. Errors that were there already keep
nothing from being reloaded, so that what serves without them can be worked on.

Servers that are asked for their models are asked here as by the operator. What they say is no edit: it is served with
whatever errors follow from it, and nothing of the files is read for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from understudy.environment import objects_from
from understudy.linting import Finding, check
from understudy.manifests import Loaded, Manifest, load
from understudy.manifests.inputs import NOTHING_DISCOVERED, Discoveries, inputs_of
from understudy.manifests.nodes import Mark
from understudy.manifests.values import Place
from understudy.watching import Watch
from understudy_api.config import Config, Snapshot
from understudy_operator.compile import Inquiry, Severity, compile_objects
from understudy_operator.discovery import Ask, Poller, Servers, first_answers
from understudy_operator.together import together
from understudy_proxy.config.source import Origin, Sink

FIRST_ANSWER_SECONDS = 3.0
"""How long servers that are asked for the first time are waited for; what they say later is served then."""
_BURST_SECONDS = 0.1
"""What servers say at about the same time is compiled once."""


@dataclass(frozen=True, slots=True)
class Local:
    """What the objects of a laptop amount to, and what there is to say of them.

    Attributes:
        inquiries: The servers to ask for their models.
        discovered: What they had said when this was compiled.
        loaded: What it was compiled from. May hold Secrets, so it is not shown.
    """

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    inquiries: tuple[Inquiry, ...]
    discovered: Discoveries
    loaded: Loaded = field(repr=False)

    @property
    def config(self) -> Config:
        """What a proxy runs."""
        return self.snapshot.config

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep something from being served."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def knowing(self, discovered: Discoveries) -> "Local":
        """The same objects, now that servers have said more."""
        return _compiled(self.loaded, discovered)

    async def acquainted(self, ask: Ask) -> "Local":
        """The same objects, after asking once the servers of which nothing is known yet."""
        unknown = [
            inquiry
            for inquiry in self.inquiries
            if (known := self.discovered.get(inquiry.provider)) is None or known.base_url != inquiry.base_url
        ]
        if not unknown:
            return self
        answers = await first_answers(ask, unknown, within_seconds=FIRST_ANSWER_SECONDS)
        return await asyncio.to_thread(self.knowing, {**self.discovered, **answers})

    def errors_beside(self, other: "Local") -> tuple[Finding, ...]:
        """The errors that `other` does not have; that lines have moved makes no difference."""
        known = {(finding.position.file, str(finding)) for finding in other.errors}
        return tuple(finding for finding in self.errors if (finding.position.file, str(finding)) not in known)


class Became(StrEnum):
    """What became of a reading."""

    SERVED = "served"
    UNCHANGED = "unchanged"
    """It says what serves already."""
    KEPT_OUT = "kept out"
    """It has new errors, and what served before goes on."""
    REFUSED = "refused"
    """The proxy cannot serve it, and what served before goes on."""
    LEARNED = "learned"
    """Servers have said something else of their models, and that serves now; the files are as they were."""


class Reader(Protocol):
    """Where the objects come from, read anew at each call."""

    def __call__(self, discovered: Discoveries) -> Local:
        """Read and compile with what servers have said."""


Report = Callable[[Local, Became], None]
"""Told of everything that is read after the start."""


def from_files(
    paths: tuple[str, ...],
    *,
    environment: Mapping[str, str],
    namespace: str,
    discovered: Discoveries = NOTHING_DISCOVERED,
) -> Local:
    """Read and compile files and folders. Never raises on what is in them."""
    return _compiled(load(paths, environment=environment, namespace=namespace), discovered)


def from_environment(environment: Mapping[str, str], *, namespace: str) -> Local | None:
    """Compile what the provider keys in the environment amount to; None when there is none."""
    objects = objects_from(environment, namespace=namespace)
    if not objects:
        return None
    # As if each stood on a line of its own: what is found at providers is then told before what follows from it.
    manifests = tuple(
        Manifest(raw, "<environment>", Place(Mark(line, column=1))) for line, raw in enumerate(objects, start=1)
    )
    return _compiled(Loaded(manifests, problems=(), unset_variables=(), ignored=(), files=()), NOTHING_DISCOVERED)


def acquainted(local: Local) -> Local:
    """`local`, after asking once the servers that it is to ask for their models; where no event loop runs yet."""
    if not local.inquiries:
        return local

    async def ask() -> Local:
        async with Servers() as servers:
            return await local.acquainted(servers.ask)

    return asyncio.run(ask())


def _compiled(loaded: Loaded, discovered: Discoveries) -> Local:
    compiled = compile_objects(inputs_of(loaded.manifests, discovered=discovered))
    return Local(
        snapshot=Snapshot(config=compiled.config, credentials=compiled.credentials),
        findings=check(loaded, discovered=discovered).findings,
        inquiries=compiled.inquiries,
        discovered=discovered,
        loaded=loaded,
    )


class LocalSource:
    """Offers what a reader reads, again whenever the watched files change, and when servers say something else."""

    def __init__(self, read: Reader, *, first: Local, watch: Watch, report: Report) -> None:
        """Nothing is read before `run`.

        Args:
            read: Reads and compiles.
            first: What was read last; it is offered whatever is wrong with parts of it.
            watch: Tells when to read again. It took note of the files before `first` was read.
            report: Told of everything that is read later.
        """
        self._read = read
        self._good = first
        self._watch = watch
        self._report = report

    async def run(self, sink: Sink) -> None:
        """Offer the last good reading, and later ones when there is no new error in them."""
        async with Servers() as servers:
            following = _Following(servers.ask, sink=sink)
            following.poller.recall(self._good.discovered)
            try:
                await self._run(following)
            finally:
                await following.poller.close()

    async def _run(self, following: "_Following") -> None:
        # What changed since is read first: a worker in the place of a dead one must not go back in time.
        if not (await self._watch.moved() and await self._reload(following)):
            await following.sink.offer(self._good.snapshot, origin=Origin.FILES)
        following.poller.keep(self._good.inquiries)
        await together([self._follow_files(following), self._follow_servers(following)])

    async def _follow_files(self, following: "_Following") -> None:
        while True:
            await self._watch.changed()
            async with following.turn:
                await self._reload(following)

    async def _follow_servers(self, following: "_Following") -> None:
        while True:
            await following.news.wait()
            await asyncio.sleep(_BURST_SECONDS)
            following.news.clear()
            async with following.turn:
                await self._learn(following)

    async def _reload(self, following: "_Following") -> bool:
        """Read again; whether what was read serves now."""
        poller = following.poller
        local = await asyncio.to_thread(self._read, poller.known)
        # A route to a model that only its server lists is no error before that server has been asked.
        local = await local.acquainted(following.ask)
        became = await self._became(local, following.sink)
        if became in {Became.SERVED, Became.UNCHANGED}:
            poller.recall(local.discovered)
            poller.keep(local.inquiries)
        self._tell(local, became)
        return became in {Became.SERVED, Became.UNCHANGED}

    async def _became(self, local: Local, sink: Sink) -> Became:
        if new := local.errors_beside(self._good):
            message = f"{new[0].position}: {new[0]}" + (f"; and {len(new) - 1} more" if len(new) > 1 else "")
            sink.refuse(local.config.revision, message, origin=Origin.FILES)
            return Became.KEPT_OUT
        if not await sink.offer(local.snapshot, origin=Origin.FILES):
            return Became.REFUSED
        before, self._good = self._good, local
        return Became.UNCHANGED if before.config.revision == local.config.revision else Became.SERVED

    async def _learn(self, following: "_Following") -> None:
        """Serve what was read last with what servers say now."""
        before = self._good
        local = await asyncio.to_thread(before.knowing, following.poller.known)
        if local.config.revision != before.config.revision:
            if not await following.sink.offer(local.snapshot, origin=Origin.FILES):
                self._tell(local, Became.REFUSED)
                return
        elif local.findings == before.findings:
            return
        self._good = local
        self._tell(local, Became.LEARNED)

    def _tell(self, local: Local, became: Became) -> None:
        with suppress(OSError):  # that nobody reads what is said is no reason not to reload
            self._report(local, became)


class _Following:
    """What one run of a source works with."""

    def __init__(self, ask: Ask, *, sink: Sink) -> None:
        self.ask = ask
        self.sink = sink
        self.news = asyncio.Event()
        self.turn = asyncio.Lock()
        self.poller = Poller(ask, changed=self.news.set)
