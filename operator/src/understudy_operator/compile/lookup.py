"""Objects of one kind as other objects refer to them: there, or why not, with a hint at what was meant."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

from understudy_api.v1alpha1.reading import nearest
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.sources import Missing
from understudy_operator.compile.verdict import ObjectKey, Reason, Report

Found = TypeVar("Found")

MAX_HINTED = 512
"""Names to choose a hint from: comparing takes about 10 us a name, and a thousand objects may be wrong at once."""


class Lookup(Generic[Found]):
    """The readable objects of one kind, and the reports on those that cannot be read."""

    def __init__(
        self,
        kind: str,
        objects: Mapping[NamespacedName, Found],
        unreadable: Mapping[ObjectKey, Report],
        *,
        not_found: Reason,
        not_served: Reason,
    ) -> None:
        self._kind = kind
        self._objects = objects
        self._unreadable = unreadable
        self._not_found = not_found
        self._not_served = not_served
        self._names: dict[str, list[str]] = {}
        for namespace, name in objects:
            self._names.setdefault(namespace, []).append(name)

    def find(self, at: NamespacedName, *, namespace: str) -> Found | Missing:
        """The object that somebody in `namespace` refers to, whether it may be referred to or not.

        A hint only names what is in the author's own namespace: the rest may be none of the author's business.
        """
        found = self._objects.get(at)
        if found is not None:
            return found
        key = ObjectKey(self._kind, *at)
        if key in self._unreadable:
            return self.not_served(self._unreadable[key])
        near = hint(at[1], self._names.get(namespace, ())) if at[0] == namespace else ""
        return Missing(self._not_found, f"{key} does not exist{near}")

    def not_served(self, report: Report) -> Missing:
        """The object is there, but nothing of it is served."""
        return Missing(self._not_served, f"{report.subject} is not served ({report.why_not_served()})")


def not_permitted(report: Report, *, namespace: str, field: str) -> Missing:
    """The object is there, but closed to `namespace`; `field` is where its owner may open it."""
    message = f"{report.subject} does not allow references from namespace {namespace}: its {field} must let it in"
    return Missing(Reason.REF_NOT_PERMITTED, message)


def hint(wanted: str, known: Iterable[str]) -> str:
    """`; did you mean gpt-4o?`, or nothing when nothing is near."""
    word = _nearest(wanted, tuple(known))
    return f"; did you mean {word}?" if word else ""


@lru_cache(maxsize=1024)  # one renamed model is missing from many routes
def _nearest(wanted: str, known: tuple[str, ...]) -> str | None:
    return nearest(wanted, known) if len(known) <= MAX_HINTED else None
