"""Files in the place of a cluster: the source of configuration for `understudy serve`.

The same reading, the same compile and the same verdicts as everywhere; what the operator would write into conditions
is printed. A change that brings an error leaves the last good configuration serving, all of it: on a laptop an error
is a file half edited, and half a file must not take down what it said before. Errors that were there already keep
nothing from being reloaded, so that what serves without them can be worked on.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from understudy.environment import objects_from
from understudy.linting import Finding, check
from understudy.manifests import Loaded, Manifest, load
from understudy.manifests.inputs import inputs_of
from understudy.manifests.nodes import Mark
from understudy.manifests.values import Place
from understudy.watching import Watch
from understudy_api.config import Config, Snapshot
from understudy_operator.compile import Severity, compile_objects
from understudy_proxy.config.source import Origin, Sink


@dataclass(frozen=True, slots=True)
class Local:
    """What the objects of a laptop amount to, and what there is to say of them."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]

    @property
    def config(self) -> Config:
        """What a proxy runs."""
        return self.snapshot.config

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep something from being served."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

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


class Reader(Protocol):
    """Where the objects come from, read anew at each call."""

    def __call__(self) -> Local:
        """Read and compile."""


Report = Callable[[Local, Became], None]
"""Told of everything that is read after the start."""


def from_files(paths: tuple[str, ...], *, environment: Mapping[str, str], namespace: str) -> Local:
    """Read and compile files and folders. Never raises on what is in them."""
    return _compiled(load(paths, environment=environment, namespace=namespace))


def from_environment(environment: Mapping[str, str], *, namespace: str) -> Local | None:
    """Compile what the provider keys in the environment amount to; None when there is none."""
    objects = objects_from(environment, namespace=namespace)
    if not objects:
        return None
    # As if each stood on a line of its own: what is found at providers is then told before what follows from it.
    manifests = tuple(
        Manifest(raw, "<environment>", Place(Mark(line, column=1))) for line, raw in enumerate(objects, start=1)
    )
    return _compiled(Loaded(manifests, problems=(), unset_variables=(), ignored=(), files=()))


def _compiled(loaded: Loaded) -> Local:
    compiled = compile_objects(inputs_of(loaded.manifests))
    return Local(
        snapshot=Snapshot(config=compiled.config, credentials=compiled.credentials),
        findings=check(loaded, secrets_elsewhere=False).findings,
    )


class LocalSource:
    """Offers what a reader reads, and again whenever the watched files change."""

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
        # What changed since is read first: a worker in the place of a dead one must not go back in time.
        if not (await self._watch.moved() and await self._reload(sink)):
            await sink.offer(self._good.snapshot, origin=Origin.FILES)
        while True:
            await self._watch.changed()
            await self._reload(sink)

    async def _reload(self, sink: Sink) -> bool:
        """Read again; whether what was read serves now."""
        local = await asyncio.to_thread(self._read)
        became = await self._became(local, sink)
        with suppress(OSError):  # that nobody reads what is said is no reason not to reload
            self._report(local, became)
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
