"""A value that meets a JSON schema: for tool arguments and JSON answers.

It serves the schemas people write for tools and structured answers. What would need a solver (`pattern`,
`not`, `if`, properties by pattern) is left out: such a keyword is ignored.
"""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

# Deeper than any hand-written schema, and few enough nodes that a hostile one costs nothing.
_MAX_DEPTH = 12
_MAX_NODES = 1000
# Up to here a float is exact to the unit.
_LARGEST_NUMBER = 2**53
_SMALLEST_STEP = 1e-9

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "mock@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}


def example(schema: Mapping[str, Any], *, label: str = "text") -> Any:
    """Return a value that meets `schema`, always the same one; `label` is what its strings say."""
    return _Maker(schema).make(schema, label=label, depth=0)


class _Maker:
    """One run over one schema: holds the root that `$ref` points into, and the nodes still allowed."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes_left = _MAX_NODES

    def make(self, schema: Any, *, label: str, depth: int) -> Any:
        self._nodes_left -= 1
        schema = self._resolve(schema)
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        for listed in ("enum", "examples"):
            if isinstance(schema.get(listed), list) and schema[listed]:
                return schema[listed][0]
        kind = _type_of(schema)
        if kind == "object":
            return self._object(schema, depth=depth)
        if kind == "array":
            return self._array(schema, label=label, depth=depth)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return {"boolean": True, "null": None}.get(kind, _string(schema, label))

    def _resolve(self, schema: Any) -> Mapping[str, Any]:
        """Follow references and take the first alternative, until a schema says itself what it wants."""
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, Mapping):
                return {}
            rest = {k: v for k, v in schema.items() if k not in {"$ref", "anyOf", "oneOf", "allOf"}}
            parts = [self._lookup(schema["$ref"])] if isinstance(schema.get("$ref"), str) else []
            parts += [s[0] for s in (schema.get("anyOf"), schema.get("oneOf")) if isinstance(s, list) and s]
            parts += schema["allOf"] if isinstance(schema.get("allOf"), list) else []
            if not parts:
                return schema
            schema = _merged([*parts, rest])
        return {}

    def _lookup(self, ref: str) -> Any:
        found: Any = self._root
        for step in ref.removeprefix("#").strip("/").split("/"):
            if step and isinstance(found, Mapping):
                found = found.get(step.replace("~1", "/").replace("~0", "~"))
        return found

    def _object(self, schema: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        required = schema.get("required") if isinstance(schema.get("required"), list) else []
        too_deep = depth >= _MAX_DEPTH // 2
        return {
            name: self.make(inner, label=name, depth=depth + 1)
            for name, inner in properties.items()
            if self._nodes_left > 0 and depth < _MAX_DEPTH and (name in (required or []) or not too_deep)
        }

    def _array(self, schema: Mapping[str, Any], *, label: str, depth: int) -> list[Any]:
        least = _whole(schema.get("minItems"), 0)
        most = _whole(schema.get("maxItems"), max(least, 1))
        if depth >= _MAX_DEPTH // 2 or "items" not in schema:
            most = least
        count = min(max(least, 1), most, _MAX_NODES)
        items = schema.get("items", {})
        return [
            self.make(items, label=label, depth=depth + 1)
            for _ in range(count)
            if self._nodes_left > 0 and depth < _MAX_DEPTH
        ]


def _merged(parts: list[Any]) -> dict[str, Any]:
    """One schema that says what all parts say; properties and required names add up."""
    whole: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        for key, value in part.items():
            known = whole.get(key)
            if key == "properties" and isinstance(known, Mapping) and isinstance(value, Mapping):
                whole[key] = {**known, **value}
            elif key == "required" and isinstance(known, list) and isinstance(value, list):
                whole[key] = [*known, *value]
            else:
                whole[key] = value
    return whole


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _string(schema: Mapping[str, Any], label: str) -> str:
    text = _FORMATS.get(str(schema.get("format")), label)
    least = min(_whole(schema.get("minLength"), 0), _MAX_NODES)
    most = _whole(schema.get("maxLength"), max(least, len(text)))
    return text.ljust(least, "x")[:most]


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    """Return the first of a few likely numbers that meets every bound; 1 if none does."""
    step = abs(_real(schema.get("multipleOf")) or 0)
    step = step if step > _SMALLEST_STEP else float(whole)
    bounds = [_real(schema.get(name)) for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")]
    known = [bound for bound in bounds if bound is not None]
    likely = [1.0, *known, sum(known) / max(len(known), 1)]
    likely += [bound + way * (step or 1) for bound in known for way in (1, -1)]
    if step:
        likely = [round_to(number / step) * step for number in likely for round_to in (ceil, floor)]
    value = next((number for number in likely if _within(number, *bounds)), 1.0)
    return int(value) if whole or value.is_integer() else value


def _within(value: float, low: float | None, over: float | None, high: float | None, under: float | None) -> bool:
    return (
        (low is None or value >= low)
        and (over is None or value > over)
        and (high is None or value <= high)
        and (under is None or value < under)
    )


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _real(value: Any) -> float | None:
    """Return a bound as a number; one too large to reckon with (1e300 and the like) is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _LARGEST_NUMBER:
        return None
    return float(value)
