"""JSON Schema as the part of OpenAPI's schema that older Gemini models take.

References are written out, `const` becomes an `enum` of one, `null` among types becomes `nullable`, `allOf` of objects
is put together; what has no word there (`additionalProperties`, `patternProperties`, …) is left out: it narrows what a
model may say, and the client checks that anyway.
"""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.request_error import Unsupported

_MOST_DEPTH = 32
_MOST_SCHEMAS = 5000
_KEPT = (
    "description",
    "title",
    "format",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "required",
    "default",
)
_STRING_FORMATS = frozenset({"enum", "date-time"})


def subset(schema: Mapping[str, Any], *, param: str) -> dict[str, Any]:
    """`schema` in Gemini's words.

    Args:
        schema: JSON Schema.
        param: the field of the request it stands in, for errors.

    Raises:
        Unsupported: it refers to itself, or to something that is not in it.
    """
    return _Writer(schema, param).write(schema, depth=0)


class _Writer:
    def __init__(self, root: Mapping[str, Any], param: str) -> None:
        self._root = root
        self._param = param
        self._left = _MOST_SCHEMAS

    def write(self, schema: Any, *, depth: int) -> dict[str, Any]:
        self._count(depth)
        if not isinstance(schema, Mapping):
            return {}
        schema = self._written_out(schema, depth)
        made = {name: schema[name] for name in _KEPT if name in schema}
        self._write_type(schema, made)
        self._write_values(schema, made)
        if isinstance(properties := schema.get("properties"), Mapping) and properties:
            made["properties"] = {name: self.write(one, depth=depth + 1) for name, one in properties.items()}
            required = _listed(schema.get("required"))
            made["required"] = [name for name in required if isinstance(name, str) and name in properties]
        if not made.get("required") or "properties" not in made:
            made.pop("required", None)
        if "items" in schema:
            made["items"] = self.write(schema["items"], depth=depth + 1)
        self._write_alternatives(schema, made, depth)
        form = made.get("format")
        if made.get("type") == "string" and not (isinstance(form, str) and form in _STRING_FORMATS):
            made.pop("format", None)
        return made

    def _written_out(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """`schema` with what it refers to, and all of its `allOf`, in it."""
        for _ in range(_MOST_DEPTH):
            if not isinstance(reference := schema.get("$ref"), str):
                break
            own = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**self._found(reference), **own}
        else:
            raise self._unsupported("refers to itself")
        parts = _listed(schema.get("allOf"))
        if not parts:
            return schema
        together = {name: value for name, value in schema.items() if name != "allOf"}
        for part in parts:
            if isinstance(part, Mapping):
                self._count(depth)
                together = _joined(together, self._written_out(part, depth + 1))
        return together

    def _count(self, depth: int) -> None:
        """A schema more, at this depth: one that refers to itself has no end."""
        self._left -= 1
        if depth > _MOST_DEPTH or self._left < 0:
            raise self._unsupported("is nested too deeply or refers to itself")

    def _found(self, reference: str) -> Mapping[str, Any]:
        place: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            place = place.get(name) if isinstance(place, Mapping) else None
        if not reference.startswith("#") or not isinstance(place, Mapping):
            raise self._unsupported(f"refers to '{reference[:64]}', which is not in it")
        return place

    def _write_type(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [one for one in kind if one != "null"]
            if len(kinds) < len(kind):
                made["nullable"] = True
            if len(kinds) > 1:
                made["anyOf"] = [{"type": one} for one in kinds]
            kind = kinds[0] if len(kinds) == 1 else None
        if isinstance(kind, str):
            made["type"] = kind

    def _write_values(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        values = [schema["const"]] if "const" in schema else _listed(schema.get("enum"))
        if None in values:
            made["nullable"] = True
        texts = [value for value in values if isinstance(value, str)]
        if texts:
            made["type"], made["enum"] = "string", texts

    def _write_alternatives(self, schema: Mapping[str, Any], made: dict[str, Any], depth: int) -> None:
        alternatives = _listed(schema.get("anyOf")) or _listed(schema.get("oneOf"))
        if not alternatives:
            return
        others = [one for one in alternatives if not (isinstance(one, Mapping) and one.get("type") == "null")]
        if len(others) < len(alternatives):
            made["nullable"] = True
        written = [self.write(one, depth=depth + 1) for one in others]
        if len(written) == 1:
            made.update({name: value for name, value in written[0].items() if name not in made})
        else:
            made["anyOf"] = written

    def _unsupported(self, what: str) -> Unsupported:
        return Unsupported(
            f"The schema in '{self._param}' {what}; this Gemini model takes no such schema.", param=self._param
        )


def _joined(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**other, **one}
    for name in ("properties", "required"):
        mine, theirs = one.get(name), other.get(name)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            joined[name] = {**theirs, **mine}
        elif isinstance(mine, list) and isinstance(theirs, list):
            joined[name] = [*theirs, *mine]
    return joined


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
