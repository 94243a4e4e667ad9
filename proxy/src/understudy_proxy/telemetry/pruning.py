"""Forgetting the numbers of what is gone: else a fleet whose routes come and go counts ever more series."""

from collections.abc import Callable

from understudy_proxy.config.runtime import Runtime
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Family

NOBODY = "none"
"""The label where no route, provider or model was found: what the client sent is never a label."""

Known = dict[str, frozenset[str]]
"""The values that a label may have, by the label's name; other labels may have any."""


class Revisions:
    """The revisions of prompts that are told apart: each persona's own, and the one that it had before that."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, ...]] = {}
        """By persona, the present one first."""

    def known(self, runtime: Runtime) -> frozenset[str]:
        """Those of the personas of `runtime`."""
        self._of = {
            key: _after(self._of.get(key, ()), target.prompt.revision)
            for key, target in runtime.targets.items()
            if target.prompt is not None
        }
        return frozenset(revision for revisions in self._of.values() for revision in revisions)


def _after(before: tuple[str, ...], now: str) -> tuple[str, ...]:
    return before if before[:1] == (now,) else (now, *before[:1])


def forget_gone(book: Book, runtime: Runtime, *, revisions: frozenset[str]) -> None:
    """Drop from `book` every number of a route, provider, model or tool that `runtime` does not hold.

    Of personas' prompts those of `revisions` are kept.
    """
    upstreams = runtime.upstreams
    routes = {target.label for target in runtime.targets.values()} | {f"provider/{key}" for key in upstreams}
    models = {model for upstream in upstreams.values() for model in upstream.candidates}
    known: Known = {
        "route": frozenset(routes | {NOBODY}),
        "provider": frozenset({*upstreams, NOBODY}),
        "model": frozenset(models | {NOBODY}),
        "gen_ai_request_model": frozenset(models | {NOBODY}),
        "persona_revision": revisions,
        "tool": frozenset(runtime.tools),
    }
    for family in families.ALL:
        book.prune(family, _kept(family, known))


def _kept(family: Family, known: Known) -> Callable[[tuple[str, ...]], bool]:
    checks = [(at, known[label]) for at, label in enumerate(family.labels) if label in known]
    return lambda values: all(values[at] in allowed for at, allowed in checks)
