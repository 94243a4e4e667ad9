"""Fields that no model knows: what a cluster drops in silence and a person wants to hear of.

Left out: everything inside free-form content (a JSON Schema, request parameters, maps of headers or labels), and
`status`, which no person writes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from understudy_api.v1alpha1.fields import Shape, field_path, fields_of
from understudy_api.v1alpha1.kinds import KINDS
from understudy_api.v1alpha1.meta import API_VERSION, ObjectMeta
from understudy_api.v1alpha1.model import ApiModel
from understudy_api.v1alpha1.reading import nearest

KUBERNETES_METADATA = frozenset(
    {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""metav1.ObjectMeta."""


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that is not there, and the one that was probably meant."""

    path: str
    nearest: str | None


def unknown_fields(raw: Mapping[str, Any]) -> tuple[UnknownField, ...]:
    """The unknown fields of an object of one of the four kinds, in the order in which they are written."""
    kind = raw.get("kind")
    if raw.get("apiVersion") != API_VERSION or not isinstance(kind, str) or kind not in KINDS:
        return ()
    written = {key: value for key, value in raw.items() if key != "status"}
    return tuple(_in_value(written, Shape(model=KINDS[kind]), ()))


def _in_value(value: Any, shape: Shape, path: tuple[str | int, ...]) -> Iterator[UnknownField]:
    if shape.model is not None and isinstance(value, Mapping):
        yield from _in_fields(value, shape.model, path)
    elif shape.item is not None and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_value(item, shape.item, (*path, index))


def _in_fields(value: Mapping[str, Any], model: type[ApiModel], path: tuple[str | int, ...]) -> Iterator[UnknownField]:
    fields = fields_of(model)
    known: Iterable[str] = KUBERNETES_METADATA if model is ObjectMeta else fields
    for key, item in value.items():
        here = (*path, str(key))
        if key not in known:
            yield UnknownField(field_path(here), nearest(str(key), known))
        elif key in fields:
            yield from _in_value(item, fields[key], here)
