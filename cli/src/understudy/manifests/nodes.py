"""YAML text to a tree of nodes with lines and columns, without ever running out of memory or stack.

Built on libyaml's events instead of PyYAML's loaders: those follow nesting by recursion of their own, cut off by
nothing but the interpreter. An alias is a second reference to the same node, so that a bomb of aliases stays small
here; whoever unfolds it counts (`values`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

MAX_DEPTH = 100
"""Levels of nesting: as deep as the API server reads JSON is 10,000, as deep as people write is 20."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Where something begins, counted from 1 as editors do."""

    line: int
    column: int


class NotYaml(Exception):
    """Text that is no YAML from `mark` on."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, with what decides which type it has: its tag, if any, and whether it was written without quotes."""

    mark: Mark
    text: str
    tag: str | None
    plain: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    mark: Mark
    tag: str | None
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map, as its pairs in the order of the text; keys may repeat."""

    mark: Mark
    tag: str | None
    pairs: tuple[tuple["Node", "Node"], ...]


Node = Scalar | Sequence | Mapping


def documents(text: str) -> Iterator[Node]:
    """The documents of a text, one after the other; empty ones are left out.

    Raises:
        NotYaml: After the documents that could be read.
    """
    events = _events(text)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            node = _Composer(events).node(next(events), depth=0)
            if not (isinstance(node, Scalar) and node.plain and not node.text):
                yield node


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        before = text[: max(text.find(chr(error.character)), 0)]  # its position is in bytes or characters
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise NotYaml(mark, f"is not YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
        raise NotYaml(mark, f"is not YAML: {error.problem or error.context}") from None


class _Composer:
    """Makes the nodes of one document, whose anchors are its own."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}

    def node(self, event: yaml.Event, *, depth: int) -> Node:
        mark = _mark(event)
        if depth > MAX_DEPTH:
            raise NotYaml(mark, f"is nested deeper than {MAX_DEPTH} levels")
        node: Node
        match event:
            case yaml.AliasEvent():
                return self._alias(str(event.anchor), mark)
            case yaml.ScalarEvent():
                node = Scalar(mark, event.value, event.tag, plain=event.implicit[0])
            case yaml.SequenceStartEvent():
                node = Sequence(mark, event.tag, tuple(self._until(yaml.SequenceEndEvent, depth=depth)))
            case yaml.MappingStartEvent():
                nodes = self._until(yaml.MappingEndEvent, depth=depth)
                node = Mapping(mark, event.tag, tuple(zip(nodes, nodes, strict=True)))
            case _:
                raise NotYaml(mark, f"is not YAML: {event} where a value should be")
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _until(self, end: type[yaml.Event], *, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self.node(event, depth=depth + 1)

    def _alias(self, name: str, mark: Mark) -> Node:
        """The anchored node. Inside itself it is not there yet, so no tree ever contains itself."""
        if name not in self._anchors:
            raise NotYaml(mark, f"has no anchor &{name} before the alias *{name}")
        return self._anchors[name]


def _mark(event: yaml.Event) -> Mark:
    place = event.start_mark
    return Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
