"""Fields that the API has and this version does not act on yet.

Each entry goes when its feature comes. A field whose neglect would be unsafe is no entry here: `authorization: RBAC`
refuses its object (see `targets`), and a match by `callers` never holds (see `rules`).
"""

from dataclasses import dataclass
from functools import cache

from pydantic.alias_generators import to_snake

from understudy_operator.compile.reading import AnyKind
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason


@dataclass(frozen=True, slots=True)
class Pending:
    """A field that is not in effect, and what happens instead."""

    field: str
    instead: str


_SHARED = (
    Pending("spec.limits", "requests are not counted"),
    Pending("spec.budgets", "spending is not capped"),
    Pending("spec.cache", "every request is answered by a model"),
)
PENDING: dict[str, tuple[Pending, ...]] = {
    "LLMProvider": (
        Pending("spec.limits.requestsPerMinute", "the provider's own 429 ends the load"),
        Pending("spec.limits.tokensPerMinute", "the provider's own 429 ends the load"),
    ),
    "LLMRoute": (
        *_SHARED,
        Pending("spec.affinity", "each request is placed on its own"),
        Pending("spec.mirror", "nothing is mirrored"),
        Pending("spec.faults", "no faults are given"),
        Pending("spec.hedge", "the next backend is asked when the first has failed"),
    ),
    "Persona": _SHARED,
}


def warn_of_pending(report: Report, resource: AnyKind) -> None:
    """Say of each such field of an object that it has no effect."""
    for pending in PENDING[resource.kind]:
        value = _value_at(resource, pending.field)
        if value is not None and value != ():
            message = f"is not in effect in this version: {pending.instead}"
            report.warn(Reason.NOT_IN_EFFECT, pending.field, message)


def _value_at(resource: AnyKind, field: str) -> object:
    value: object = resource
    for attribute in _attributes(field):
        value = getattr(value, attribute, None)
    return value


@cache
def _attributes(field: str) -> tuple[str, ...]:
    """Where a field is in a model: `spec.limits.requestsPerMinute` is at spec, limits, requests_per_minute."""
    return tuple(to_snake(part) for part in field.split("."))
