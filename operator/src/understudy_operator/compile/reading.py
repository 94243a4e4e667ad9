"""From raw objects to typed ones, each with the report that becomes its verdict.

An object is known by kind, namespace and name. What has no such identity still gets a verdict, but cannot stand in
the way of another object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeGuard, TypeVar

from understudy_api.v1alpha1 import Invalid, LLMProvider, LLMRoute, LLMTool, Persona, parse
from understudy_operator.compile.inputs import NamespacedName, RawObject
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import ObjectKey, Reason

Kind = TypeVar("Kind", LLMProvider, LLMRoute, Persona, LLMTool)
AnyKind = LLMProvider | LLMRoute | Persona | LLMTool

_MAX_NAME = 253
"""Characters of a Kubernetes name."""


@dataclass(frozen=True, slots=True)
class Item(Generic[Kind]):
    """A readable object and the report about it."""

    resource: Kind
    key: ObjectKey
    report: Report

    @property
    def age(self) -> tuple[str, str, str]:
        """Sorts the oldest first; objects of the same second, or from files, by namespace and name."""
        return (self.resource.metadata.creation_timestamp, self.key.namespace, self.key.name)


@dataclass(slots=True)
class Objects:
    """All objects by kind, readable ones by (namespace, name) in the order of their keys."""

    providers: dict[NamespacedName, Item[LLMProvider]] = field(default_factory=dict)
    routes: dict[NamespacedName, Item[LLMRoute]] = field(default_factory=dict)
    personas: dict[NamespacedName, Item[Persona]] = field(default_factory=dict)
    tools: dict[NamespacedName, Item[LLMTool]] = field(default_factory=dict)
    unreadable: dict[ObjectKey, Report] = field(default_factory=dict)
    """Objects with an identity but without a readable content."""
    strays: list[Report] = field(default_factory=list)
    """What has no identity."""


def read_objects(raws: Iterable[RawObject]) -> Objects:
    """Read all objects; of several with the same identity, which only files can hold, the first one counts."""
    objects = Objects()
    by_key: dict[ObjectKey, list[RawObject]] = {}
    for raw in raws:
        key = _identity_of(raw)
        if key is not None:
            by_key.setdefault(key, []).append(raw)
        else:
            objects.strays.append(_read_stray(raw))
    for key in sorted(by_key):
        _read(objects, key=key, given=by_key[key])
    return objects


def _read(objects: Objects, *, key: ObjectKey, given: list[RawObject]) -> None:
    report = Report(key, generation=_generation_of(given[0]))
    if len(given) > 1:
        message = f"{key} is given {len(given)} times; the first one counts: remove the others"
        report.warn(Reason.DUPLICATE, "metadata.name", message)
    resource = parse(given[0])
    at = (key.namespace, key.name)
    match resource:
        case LLMProvider():
            objects.providers[at] = Item(resource, key, report)
        case LLMRoute():
            objects.routes[at] = Item(resource, key, report)
        case Persona():
            objects.personas[at] = Item(resource, key, report)
        case LLMTool():
            objects.tools[at] = Item(resource, key, report)
        case Invalid():
            _refuse(report, resource)
            objects.unreadable[key] = report


def _read_stray(raw: RawObject) -> Report:
    kind, namespace, name = _names_of(raw)
    shown = ObjectKey(kind=_shown(kind), namespace=_shown(namespace), name=_shown(name))
    report = Report(shown, generation=_generation_of(raw))
    outcome = parse(raw)
    if isinstance(outcome, Invalid):
        _refuse(report, outcome)
    return report


def _refuse(report: Report, invalid: Invalid) -> None:
    for problem in invalid.problems:
        report.refuse(Reason.INVALID, problem.field, problem.message)


def _identity_of(raw: Any) -> ObjectKey | None:
    kind, namespace, name = _names_of(raw)
    if _is_name(kind) and _is_name(namespace) and _is_name(name):
        return ObjectKey(kind=kind, namespace=namespace, name=name)
    return None


def _names_of(raw: Any) -> tuple[Any, Any, Any]:
    metadata = _mapping(_mapping(raw).get("metadata"))
    namespace = metadata.get("namespace")
    return _mapping(raw).get("kind"), "default" if namespace is None else namespace, metadata.get("name")


def _generation_of(raw: Any) -> int:
    generation = _mapping(_mapping(raw).get("metadata")).get("generation")
    return generation if type(generation) is int and generation >= 0 else 0


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable()


def _shown(value: Any) -> str:
    return value[:_MAX_NAME] if isinstance(value, str) and value.isprintable() else ""
