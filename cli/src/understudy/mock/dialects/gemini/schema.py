"""The part of OpenAPI that Gemini takes as a schema, and its translation into JSON Schema.

Google refuses what OpenAPI 3.0 lacks (`$ref`, `const`, `additionalProperties`, a list of types) by name, so a gateway
that passes on a client's JSON Schema here is caught. `parametersJsonSchema` and `responseJsonSchema` take it all.
"""

from collections.abc import Mapping
from typing import Any

from understudy.mock.dialects.gemini.fields import Fields, fields, names_of
from understudy.mock.failures import bad_request

# https://ai.google.dev/api/caching#Schema
_NAMES = names_of(
    "any_of default description enum example format items max_items max_length max_properties maximum min_items "
    "min_length min_properties minimum nullable pattern properties property_ordering required title type"
)
_TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"})
_STRING_FORMATS = frozenset({"enum", "date-time"})
_MOST_DEPTH = 32


def json_schema(value: Any, *, at: str, depth: int = 0) -> Mapping[str, Any]:
    """Return the JSON Schema that a Gemini schema at `at` stands for; refused if it is none."""
    if depth > _MOST_DEPTH:
        raise bad_request(f"A schema may nest {_MOST_DEPTH} levels deep, but '{at}' is deeper.")
    schema = fields(value, at=at, names=_NAMES)
    kind = _kind(schema)
    made = {name: schema.values[name] for name in ("description", "default", "pattern", "title") if schema.has(name)}
    made |= {json_name: schema.values[name] for name, json_name in _BOUNDS.items() if schema.has(name)}
    if schema.has("enum"):
        made["enum"] = schema.texts("enum")
    if kind:
        made["type"] = kind.lower()
    if schema.has("format"):
        made["format"] = _format(schema, kind)
    if schema.has("items"):
        made["items"] = json_schema(schema.values["items"], at=schema.at("items"), depth=depth + 1)
    if schema.has("any_of"):
        made["anyOf"] = [
            json_schema(one, at=f"{schema.at('any_of')}[{place}]", depth=depth + 1)
            for place, one in enumerate(schema.listed("any_of"))
        ]
    return made | _properties(schema, kind, depth=depth)


_BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
}


def _kind(schema: Fields) -> str:
    if isinstance(schema.values.get("type"), list):
        raise bad_request(f"Invalid value at '{schema.at('type')}': Proto field is not repeating, cannot start list.")
    kind = (schema.text("type") or "").upper()
    if kind and kind not in _TYPES:
        raise bad_request(f"Invalid value at '{schema.at('type')}' (type.googleapis.com/google.ai.Type), \"{kind}\"")
    return kind


def _format(schema: Fields, kind: str) -> str:
    name = schema.text("format") or ""
    if kind == "STRING" and name not in _STRING_FORMATS:
        raise bad_request(
            f"{schema.at('format')}: only 'enum' and 'date-time' are supported for STRING type, but it is '{name}'"
        )
    return name


def _properties(schema: Fields, kind: str, *, depth: int) -> dict[str, Any]:
    """Read what an OBJECT has: its names are the caller's, in whatever case."""
    given = schema.struct("properties")
    if kind != "OBJECT" and given is None:
        return {}
    if kind == "OBJECT" and not given:
        raise bad_request(f"{schema.at('properties')}: should be non-empty for OBJECT type")
    at = schema.at("properties")
    properties = {
        name: json_schema(one, at=f"{at}[{place}].value", depth=depth + 1)
        for place, (name, one) in enumerate((given or {}).items())
    }
    required = schema.texts("required")
    for place, name in enumerate(required):
        if given is not None and name not in properties:
            raise bad_request(f"{schema.at('required')}[{place}]: property is not defined")
    return {"properties": properties, "required": required}
