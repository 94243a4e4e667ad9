"""Files in the place of a cluster: the source of configuration for `understudy serve`.

The same reading, the same compile and the same verdicts as everywhere; what the operator would write into conditions
is printed. After a change with an error in it the last good configuration goes on serving, all of it: on a laptop an
error is a file half edited, and half a file must not take down what it said before.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import watchfiles

from understudy.linting import Checked, check
from understudy.manifests import load
from understudy.manifests.inputs import inputs_of
from understudy_api.config import Snapshot
from understudy_operator.compile import Compiled, Inputs, Severity, compile_objects
from understudy_proxy.config.source import Origin, Sink

SETTLE_MILLISECONDS = 100
"""How long files must be quiet before they are read: editors write in several steps."""


@dataclass(frozen=True, slots=True)
class Local:
    """What the objects of a laptop amount to, and what there is to say of them."""

    compiled: Compiled
    checked: Checked | None = None

    @property
    def snapshot(self) -> Snapshot:
        """What a proxy loads."""
        return Snapshot(config=self.compiled.config, credentials=self.compiled.credentials)

    @property
    def errors(self) -> int:
        """How many findings keep something from being served."""
        return self.checked.count(Severity.ERROR) if self.checked else 0


class Reader(Protocol):
    """Where the objects come from, read anew at each call."""

    def __call__(self) -> Local:
        """Read and compile."""


def from_files(paths: tuple[str, ...], *, environment: Mapping[str, str], namespace: str) -> Local:
    """Read and compile files and folders. Never raises on what is in them."""
    loaded = load(paths, environment=environment, namespace=namespace)
    return Local(
        compiled=compile_objects(inputs_of(loaded.manifests)),
        checked=check(loaded, secrets_elsewhere=False),
    )


def from_objects(objects: tuple[dict[str, object], ...]) -> Local:
    """Compile objects that no file holds."""
    secrets = {}
    for raw in objects:
        metadata = raw["metadata"]
        if raw["kind"] == "Secret" and isinstance(metadata, dict):
            secrets[metadata["namespace"], metadata["name"]] = raw
    inputs = Inputs(
        objects=tuple(raw for raw in objects if raw["kind"] != "Secret"),
        secrets=secrets,
        config_maps={},
        namespaces={"default": {"kubernetes.io/metadata.name": "default"}},
    )
    return Local(compiled=compile_objects(inputs))


class LocalSource:
    """Offers what a reader reads, and again whenever the watched files change."""

    def __init__(
        self,
        read: Reader,
        *,
        first: Local,
        watch: tuple[str, ...] = (),
        report: Callable[[Local, bool], None],
    ) -> None:
        """Nothing is read before `run`.

        Args:
            read: Reads and compiles.
            first: What was read last; it is offered whatever is wrong with parts of it.
            watch: Files and folders whose changes call for reading again; none at all means never.
            report: Told of everything that is read later, and whether it serves now.
        """
        self._read = read
        self._first = first
        self._watch = watch
        self._report = report

    async def run(self, sink: Sink) -> None:
        """Offer the first reading, and later ones when there is no error in them."""
        await sink.offer(self._first.snapshot, origin=Origin.FILES)
        async for _ in self._changes():
            local = self._read()
            if local.errors:
                sink.refuse(local.compiled.config.revision, _refusal(local), origin=Origin.FILES)
                self._report(local, False)
            else:
                self._report(local, await sink.offer(local.snapshot, origin=Origin.FILES))

    async def _changes(self) -> AsyncIterator[None]:
        if not self._watch:
            return
        async for _ in watchfiles.awatch(*self._watch, step=SETTLE_MILLISECONDS, debounce=1000):
            yield


def _refusal(local: Local) -> str:
    findings = local.checked.findings if local.checked else ()
    first = next(each for each in findings if each.severity is Severity.ERROR)
    return f"{local.errors} errors; the first: {first.position}: {first}"
