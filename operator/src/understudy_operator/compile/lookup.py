"""Objects of one kind as other objects refer to them: there, or why not, with a hint at what was meant."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import ObjectKey, Reason

Found = TypeVar("Found")


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
        names: dict[str, list[str]] = {}
        for namespace, name in objects:
            names.setdefault(namespace, []).append(name)
        self._names = {namespace: tuple(each) for namespace, each in names.items()}

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
        known = self._names.get(namespace, ()) if at[0] == namespace else ()
        return Missing(self._not_found, f"{key} does not exist", wanted=at[1], known=known)

    def not_served(self, report: Report) -> Missing:
        """The object is there, but nothing of it is served."""
        return Missing(self._not_served, f"{report.subject} is not served ({report.why_not_served()})")


def not_permitted(report: Report, *, namespace: str, field: str) -> Missing:
    """The object is there, but closed to `namespace`; `field` is where its owner may open it."""
    message = f"{report.subject} does not allow references from namespace {namespace}: its {field} must let it in"
    return Missing(Reason.REF_NOT_PERMITTED, message)
