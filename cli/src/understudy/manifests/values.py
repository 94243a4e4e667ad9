"""YAML nodes to the JSON that kubectl would send, each part with its place in the text.

kubectl reads YAML as Go's library does, and so does this: `yes` is true, a date is a string, 1e3 and 5.0 are whole
numbers. Unlike kubectl, a key that is given twice is a fault: one of the two would be lost.
"""

import math
import re
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from typing import Any

from understudy.manifests.nodes import MAX_DEPTH, Mapping, Mark, Node, NotYaml, Scalar, Sequence
from understudy_api.v1alpha1.fields import quoted

MAX_VALUES = 500_000
"""Of one document, with every alias unfolded: a bomb of aliases ends here."""

_YAML = "tag:yaml.org,2002:"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_WORDS = {
    spelled: value
    for words, value in ((("true", "yes", "on", "y"), True), (("false", "no", "off", "n"), False))
    for word in words
    for spelled in (word, word.capitalize(), word.upper())
}
_INT = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_TAGGED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_EXACT_FLOAT = 2**53
"""Up to here a whole float has one decimal spelling."""
_MAX_INT = 2**63 - 1
"""Beyond, the API server goes on with floats."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is, and where its parts are: fields by name, entries by index."""

    mark: Mark
    inside: AbstractMapping[str | int, "Place"] = field(default_factory=dict)

    def find(self, path: tuple[str | int, ...]) -> Mark:
        """Where the part at `path` is, or the innermost part on the way there that exists."""
        place = self
        for step in path:
            if step not in place.inside:
                break
            place = place.inside[step]
        return place.mark


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is YAML but no Kubernetes object can hold."""

    mark: Mark
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its value, its places, and what in it is left out of the value."""

    value: Any
    place: Place
    faults: tuple[Fault, ...]


def read(node: Node) -> Document:
    """The value of a node. What no object can hold is a fault, and left out of the value.

    Raises:
        NotYaml: With its aliases unfolded, the node is too large or too deep.
    """
    reader = _Reader()
    value, place = reader.read(node)
    return Document(value=value, place=place, faults=tuple(dict.fromkeys(reader.faults)))


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._left = MAX_VALUES
        self._depth = 0

    def read(self, node: Node, *, mark: Mark | None = None) -> tuple[Any, Place]:
        """The value, and its place: where it begins, or `mark`, the place of its key."""
        mark = mark or node.mark
        self._left -= 1
        if self._left < 0:
            raise NotYaml(mark, f"unfolds to more than {MAX_VALUES} values")
        if isinstance(node, Scalar):
            return self._scalar(node), Place(mark)
        expected = _YAML + ("seq" if isinstance(node, Sequence) else "map")
        if node.tag not in {None, "!", expected}:
            self._fault(node.mark, f"has the tag {_short(node.tag)}, and JSON has no such type")
        if self._depth == MAX_DEPTH:
            raise NotYaml(mark, f"unfolds to more than {MAX_DEPTH} levels")
        self._depth += 1
        found = self._list(node, mark) if isinstance(node, Sequence) else self._map(node, mark)
        self._depth -= 1
        return found

    def _list(self, node: Sequence, mark: Mark) -> tuple[list[Any], Place]:
        entries = [self.read(item) for item in node.items]
        return [value for value, _ in entries], Place(mark, {index: place for index, (_, place) in enumerate(entries)})

    def _map(self, node: Mapping, mark: Mark) -> tuple[dict[str, Any], Place]:
        values: dict[str, Any] = {}
        places: dict[str | int, Place] = {}
        merged: list[Node] = []
        for key_node, value_node in node.pairs:
            if _is_merge(key_node):
                merged.append(value_node)
                continue
            key = self._key(key_node)
            if key in values:
                first = places[key].mark
                self._fault(key_node.mark, f"gives the key {quoted(key)} again, after line {first.line}")
            elif key is not None:
                values[key], places[key] = self.read(value_node, mark=key_node.mark)
        for value_node in merged:
            self._merge(value_node, values, places)
        return values, Place(mark, places)

    def _merge(self, node: Node, values: dict[str, Any], places: dict[str | int, Place]) -> None:
        """`<<`: what the map has itself goes before, and of several merged maps the first."""
        for each in node.items if isinstance(node, Sequence) else (node,):
            if not isinstance(each, Mapping):
                self._fault(each.mark, "merges something that is no map")
                continue
            value, place = self.read(each)
            for key in value.keys() - values.keys():
                values[key], places[key] = value[key], place.inside[key]

    def _key(self, node: Node) -> str | None:
        if not isinstance(node, Scalar):
            self._fault(node.mark, "has a map or list as a key; keys are strings")
            return None
        value = self._scalar(node)
        if value is None:
            self._fault(node.mark, "has an empty key")
            return None
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _scalar(self, node: Scalar) -> str | int | float | bool | None:
        if node.plain:
            return self._plain(node)
        tag = (node.tag or "").removeprefix(_YAML)
        if tag in {"", "!", "str"}:
            return node.text
        if tag not in _TAGGED:
            self._fault(node.mark, f"has the tag {_short(node.tag)}, and JSON has no such type")
            return None
        value = self._plain(node)
        if not isinstance(value, _TAGGED[tag]):
            self._fault(node.mark, f"has the tag {_short(node.tag)}, but is something else")
            return None
        return value

    def _plain(self, node: Scalar) -> str | int | float | bool | None:
        text = node.text
        if text in _NULL:
            return None
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return _int(text)
        if _FLOAT.fullmatch(text):
            return _float(text)
        if _NOT_FINITE.fullmatch(text):
            self._fault(node.mark, f"is {text}, which JSON cannot say")
            return None
        return text

    def _fault(self, mark: Mark, message: str) -> None:
        self.faults.append(Fault(mark, message))


def _short(tag: str | None) -> str:
    return quoted((tag or "").replace(_YAML, "!!"))


def _is_merge(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.text == "<<"


def _int(text: str) -> int | float | str:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 10)
    if base == 10 and digits.startswith("0") and set(digits) <= set("01234567"):
        base = 8  # YAML 1.1
    try:
        value = sign * int(digits, base)
        return value if abs(value) <= _MAX_INT else float(value)
    except (ValueError, OverflowError):  # no digits, or more than a number holds
        return text


def _float(text: str) -> int | float | str:
    value = float(text.replace("_", ""))
    if not math.isfinite(value):
        return text
    return int(value) if value.is_integer() and abs(value) <= _EXACT_FLOAT else value
