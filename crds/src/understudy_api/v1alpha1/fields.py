"""Fields as users write them: how a path is spelled, and which names a model knows.

Reading (`reading`) and the search for misspelled fields (`unknown`) both walk raw objects beside their models; what
they share is here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from understudy_api.v1alpha1.model import ApiModel

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PART = re.compile(r"""\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|(?P<plain>[^.\[\]"]+)""")
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|(.))")
_PATH_KEY_LENGTH = 64
"""A key in a path is somebody else's text; this much of it is enough to find it again."""


def field_path(parts: Iterable[str | int]) -> str:
    """`spec.rules[0].backends[1].model`, with keys that are no plain words as `["some key"]`."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part) and len(part) <= _PATH_KEY_LENGTH:
            path += f".{part}" if path else part
        else:
            path += f"[{quoted(part)}]"
    return path


def field_parts(path: str) -> tuple[str | int, ...]:
    """What `field_path` made `path` of, as far as it was not cut."""
    return tuple(_part(match) for match in _PART.finditer(path))


def _part(match: re.Match[str]) -> str | int:
    if match["index"]:
        return int(match["index"])
    if match["plain"]:
        return match["plain"]
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else escape[2], match["quoted"])


def quoted(text: str) -> str:
    """Somebody else's text for a message: in double quotes, on one line, at most 64 characters of it."""
    shown = text if len(text) <= _PATH_KEY_LENGTH else text[: _PATH_KEY_LENGTH - 1] + "…"
    return '"' + "".join(_escaped(char) for char in shown) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\u{ord(char):04x}"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may hold, as far as a walk must know it: fields, entries, or neither (scalars, free-form)."""

    model: type[ApiModel] | None = None
    item: "Shape | None" = None


@cache
def fields_of(model: type[ApiModel]) -> Mapping[str, Shape]:
    """What each field may hold, by the name that users write; asked for every object, so worked out once."""
    return {field.alias or name: shape_of(field.annotation) for name, field in model.model_fields.items()}


def shape_of(annotation: Any) -> Shape:
    """What a field with this annotation may hold."""
    inner = _bare(annotation)
    if isinstance(inner, type) and issubclass(inner, ApiModel):
        return Shape(model=inner)
    return Shape(item=shape_of(get_args(inner)[0])) if get_origin(inner) is tuple else Shape()


def _bare(annotation: Any) -> Any:
    """The annotation without `Annotated` and without `None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(annotation.__origin__)
    if origin in {Union, UnionType}:
        others = [each for each in get_args(annotation) if each is not NoneType]
        return _bare(others[0]) if len(others) == 1 else annotation
    return annotation
