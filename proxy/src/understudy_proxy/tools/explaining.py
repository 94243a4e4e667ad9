"""What it would cost to say what is wrong with arguments, before that is tried.

Whether arguments fit is found out in next to no time. Saying where they do not means walking through every alternative
of the schema with every part of them, and through what each of those refers to: a schema that refers to itself twice
doubles that with each level. Whoever calls a tool chooses the levels, so the walk is counted before it is made.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_STEPS = 2000
"""Pairs of a schema and a part of the arguments: some tenths of a second, where every one of them is an error."""
_CHARACTERS = 4 * 1024 * 1024
"""Of the parts of the arguments that errors would quote."""
_NO_SCHEMAS = frozenset({"$defs", "definitions", "const", "default", "enum", "examples", "required", "type"})
"""Members that hold no schema that applies by being there."""
_BY_NAME = frozenset({"properties", "patternProperties"})
_OF_CHILDREN = frozenset(
    {"items", "prefixItems", "additionalItems", "additionalProperties", "contains", "propertyNames",
     "unevaluatedItems", "unevaluatedProperties"}
)  # fmt: skip


def is_affordable(schema: Mapping[str, Any], arguments: dict[str, Any]) -> bool:
    """Whether all errors of `arguments` can be told in bounded time."""
    characters = 0
    for steps, part in enumerate(_walked(schema, arguments)):
        characters += _size(part)
        if steps > _STEPS or characters > _CHARACTERS:
            return False
    return True


def _walked(root: Mapping[str, Any], arguments: dict[str, Any]) -> Iterator[Any]:
    """The part of the arguments that each schema on the way is applied to."""
    stack: list[Iterator[tuple[Any, Any]]] = [iter([(root, arguments)])]
    while stack:
        pair = next(stack[-1], None)
        if pair is None:
            stack.pop()
            continue
        yield pair[1]
        stack.append(_below(root, *pair))


def _below(root: Mapping[str, Any], schema: Any, part: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(schema, Mapping):  # true, false or nonsense
        return
    for word, value in schema.items():
        if word in {"$ref", "$dynamicRef", "$recursiveRef"}:
            yield _referred(root, value), part
        elif word in _BY_NAME and isinstance(value, Mapping):
            yield from _of_members(value, part, exact=word == "properties")
        elif word in _OF_CHILDREN:
            yield from ((each, child) for each in _schemas(value) for child in _children(part))
        elif word not in _NO_SCHEMAS:
            yield from ((each, part) for each in _schemas(value))


def _of_members(schemas: Mapping[str, Any], part: Any, *, exact: bool) -> Iterator[tuple[Any, Any]]:
    if not isinstance(part, dict):
        return
    for name, schema in schemas.items():
        if exact and name in part:
            yield schema, part[name]
        elif not exact:
            yield from ((schema, child) for child in part.values())


def _schemas(value: Any) -> Iterator[Any]:
    """`value` may be a schema, a list of them, or a map of them; one that is none of them costs a step."""
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, Mapping))


def _children(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        yield from part.values()
    elif isinstance(part, list):
        yield from part


def _referred(root: Mapping[str, Any], reference: Any) -> Any:
    """What a reference leads to; where that is not told by a path, the whole, which costs no less."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return root
    found: Any = root
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return root if found is None else found


def _size(part: Any) -> int:
    """Characters, roughly, of a part as JSON; counted no further than it matters."""
    characters, stack = 0, [part]
    while stack and characters <= _CHARACTERS:
        each: Any = stack.pop()
        if isinstance(each, str):
            characters += len(each)
        else:
            characters += 8
            stack.extend(_children(each))
    return characters
