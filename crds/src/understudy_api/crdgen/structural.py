"""From the JSON Schema that pydantic writes to the structural schema that a CRD takes.

The API server takes a subset of JSON Schema, without references, unions, nulls and titles, and wants every string,
list and map bounded, or it refuses the CRD's CEL rules as too costly. Defaults become words in the description: a
default in a CRD is written into users' objects, where it outlives its reason and fights server-side apply.

What a type may say and this does not know is an error, never dropped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from understudy_api.v1alpha1.patterns import MEANINGS

_CHECKED = frozenset(
    {
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "pattern",
        "type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-validations",
    }
)
"""Said in both in the same words."""
_SAID_OTHERWISE = frozenset(
    {
        "additionalProperties",
        "const",
        "default",
        "description",
        "items",
        "patternProperties",
        "properties",
        "propertyNames",
        "required",
    }
)
_DROPPED = frozenset({"title"})


class NotStructural(Exception):
    """A type that no CRD can express; the message names the field and what to do about its type."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the conversion is: the field, and the definitions that it is inside."""

    path: str
    inside: frozenset[str] = frozenset()

    def field(self, name: str) -> "_Place":
        return replace(self, path=f"{self.path}.{name}")


def structural(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The structural schema of a pydantic model's JSON Schema, references resolved in its own `$defs`.

    Raises:
        NotStructural: The schema is recursive, unbounded, a union, or says something this does not know.
    """
    definitions = schema.get("$defs", {})
    plain = {key: value for key, value in schema.items() if key != "$defs"}
    return _Conversion(definitions).convert(plain, _Place(str(schema.get("title", "schema"))))


@dataclass(frozen=True, slots=True)
class _Conversion:
    definitions: Mapping[str, Any]

    def convert(self, schema: Mapping[str, Any], place: _Place) -> dict[str, Any]:
        schema, place = self._resolved(schema, place)
        for keyword in schema.keys() - _CHECKED - _SAID_OTHERWISE - _DROPPED:
            raise NotStructural(f"{place.path}: no rule for the keyword {keyword}")
        made = {key: schema[key] for key in sorted(schema.keys() & _CHECKED)}
        if "const" in schema:
            made["enum"] = [schema["const"]]
        if description := _description(schema):
            made["description"] = description
        match schema.get("type"):
            case "object":
                made |= self._object(schema, place)
            case "array":
                made["items"] = self.convert(schema["items"], replace(place, path=f"{place.path}[]"))
            case "string" | "integer" | "number" | "boolean":
                pass
            case other:
                raise NotStructural(f"{place.path}: the type must be one of JSON's, not {other}")
        _check_bounds(made, place)
        return made

    def _resolved(self, schema: Mapping[str, Any], place: _Place) -> tuple[Mapping[str, Any], _Place]:
        """The schema behind references and `| None`, with what is said beside them."""
        while True:
            beside = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}}
            if "$ref" in schema:
                name = schema["$ref"].rsplit("/", 1)[-1]
                if name in place.inside:
                    raise NotStructural(f"{place.path}: {name} contains itself")
                place = replace(place, inside=place.inside | {name})
                schema = _with(self.definitions[name], beside)
            elif "anyOf" in schema:
                choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
                if len(choices) != 1:
                    raise NotStructural(f"{place.path}: a union; use one optional field for each choice and a rule")
                schema = _with(choices[0], beside)
            else:
                return schema, place

    def _object(self, schema: Mapping[str, Any], place: _Place) -> dict[str, Any]:
        # Empty ones would be dropped by an API server, and what it stores would no longer be what the file says.
        if schema.get("properties"):
            fields = {name: self.convert(field, place.field(name)) for name, field in schema["properties"].items()}
            return {"properties": fields, **({"required": schema["required"]} if schema.get("required") else {})}
        if schema.get("additionalProperties") is True:
            return {"x-kubernetes-preserve-unknown-fields": True}
        if "patternProperties" in schema:
            return self._map(schema, place)
        if "additionalProperties" in schema:
            return {"additionalProperties": self.convert(schema["additionalProperties"], place.field("*"))}
        return {}

    def _map(self, schema: Mapping[str, Any], place: _Place) -> dict[str, Any]:
        """A map whose keys have a pattern, which only CEL can check."""
        ((pattern, value),) = schema["patternProperties"].items()
        literal = pattern.replace("\\", "\\\\").replace("'", "\\'")
        rule = {"rule": f"self.all(key, key.matches('{literal}'))", "message": f"a key must be {MEANINGS[pattern]}"}
        return {
            "additionalProperties": self.convert(value, place.field("*")),
            "x-kubernetes-validations": [*schema.get("x-kubernetes-validations", ()), rule],
        }


def _with(inner: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """One schema of two that both hold: rules add up, of all else the outer one is what counts."""
    both = [*inner.get("x-kubernetes-validations", ()), *beside.get("x-kubernetes-validations", ())]
    return {**inner, **beside, **({"x-kubernetes-validations": both} if both else {})}


def _description(schema: Mapping[str, Any]) -> str:
    """The description on as few lines as it has paragraphs, with the default in words."""
    paragraphs = re.split(r"\n\s*\n", str(schema.get("description", "")).strip())
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    default = schema.get("default")
    if default in (None, "", [], {}):
        return text
    spelled = str(default).lower() if isinstance(default, bool) else str(default)
    return f"{text} Default: {spelled}.".strip()


def _check_bounds(schema: Mapping[str, Any], place: _Place) -> None:
    bound = _bound_of(schema)
    if bound and bound not in schema:
        raise NotStructural(f"{place.path}: unbounded; give it a {bound}")


def _bound_of(schema: Mapping[str, Any]) -> str | None:
    """The keyword that bounds a schema, where anything has to."""
    match schema["type"]:
        case "string" if "enum" not in schema:
            return "maxLength"
        case "array":
            return "maxItems"
        case "object" if schema.keys() & {"additionalProperties", "x-kubernetes-preserve-unknown-fields"}:
            return "maxProperties"
        case _:
            return None
