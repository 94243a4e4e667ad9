"""The schemas of Gemini's own kind, which is a part of OpenAPI's, as JSON Schema."""

from typing import Any

from understudy_proxy.dialects.gemini.messages import camel
from understudy_proxy.dialects.request_error import RequestError

_MOST_DEPTH = 64
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_DROPPED = frozenset({"propertyOrdering", "nullable", "example"})
_NAMED = frozenset({"properties", "$defs", "defs"})


def json_schema(schema: dict[str, Any], *, depth: int = 0) -> dict[str, Any]:
    """`schema`, whose names may be in either spelling and whose types in capitals.

    Raises:
        RequestError: it is nested too deeply.
    """
    if depth > _MOST_DEPTH:
        raise RequestError(f"A schema may nest at most {_MOST_DEPTH} levels deep.", code="invalid_value")
    made: dict[str, Any] = {}
    nullable = False
    for given, value in schema.items():
        name = camel(given)
        if name == "nullable":
            nullable = value is True
        elif name not in _DROPPED and value is not None:
            made[name] = _converted(name, value, depth)
    return _with_null(made) if nullable else made


def _converted(name: str, value: Any, depth: int) -> Any:
    match value:
        case str() if name == "type":
            return value.lower()
        case str() if name in _COUNTS and value.isdecimal():
            # Protobuf writes long integers as text.
            return int(value)
        case dict() if name in _NAMED:
            return {
                key: json_schema(one, depth=depth + 1) if isinstance(one, dict) else one for key, one in value.items()
            }
        case dict() if name == "items":
            return json_schema(value, depth=depth + 1)
        case list() if name == "anyOf":
            return [json_schema(one, depth=depth + 1) if isinstance(one, dict) else one for one in value]
        case _:
            return value


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind := schema.get("type"), str) and kind != "null":
        schema["type"] = [kind, "null"]
    if isinstance(values := schema.get("enum"), list):
        schema["enum"] = [*values, None]
    if isinstance(others := schema.get("anyOf"), list):
        schema["anyOf"] = [*others, {"type": "null"}]
    return schema
