"""Write the tables of fields in `docs/objects.md` from the API types: `python -m … [--check] FILE`.

The page is written by hand but for what stands between two markers, so that what a field means is said once: where it
is declared. What several kinds share has a table of its own, and fields of that type lead to it.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy_api.v1alpha1 import patterns
from understudy_api.v1alpha1.kinds import KINDS

SHARED = "shared"
"""The name of the block that holds what several kinds share."""

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_DEFAULT = re.compile(r"\s*Default: (.+)\.$")
_VALUE = re.compile(r"[\d/]\S*")
"""A default that is written in YAML as it stands, unlike one in words."""
_WORDS = {
    patterns.DURATION: "duration",
    patterns.MONEY: "dollars",
    patterns.DNS_LABEL: "name",
    patterns.DNS_SUBDOMAIN: "name",
    patterns.BASE_URL: "URL",
    patterns.HANDLER_URL: "URL",
    patterns.URL_PATH: "path",
    patterns.HEADER_NAME: "header name",
    patterns.MODEL_OR_PREFIX: "name or prefix",
}
"""What a string is called whose pattern says more than that it is one."""
_MANY = 1_000_000
"""A bound from here on keeps numbers finite and tells nobody anything."""

Schema = Mapping[str, Any]


class NoBlock(Exception):
    """The page lacks a marker; the message names it."""


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    type: str
    default: str
    meaning: str

    def __str__(self) -> str:
        cells = (f"`{self.name}`", self.type, self.default, self.meaning)
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def filled(page: str) -> str:
    """The page with its blocks as they should be.

    Raises:
        NoBlock: A kind, or what they share, has no block on the page.
    """
    made = _blocks()
    for name in sorted(made.keys() - {found[2] for found in _BLOCK.finditer(page)}):
        raise NoBlock(f"the page has no block <!-- generated: {name} --> … <!-- end -->")
    return _BLOCK.sub(lambda found: f"{found[1]}{made.get(found[2], '')}{found[3]}", page)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m understudy_api.crdgen.reference", description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 where the page differs")
    options = parser.parse_args(arguments)
    before = options.page.read_text(encoding="utf-8")
    after = filled(before)
    if options.check and before != after:
        sys.stderr.write(f"{options.page} is not what the API types say; run make generate\n")
        return 1
    if not options.check:
        options.page.write_text(after, encoding="utf-8")
    return 0


def _blocks() -> dict[str, str]:
    schemas = {kind: model.model_json_schema(by_alias=True) for kind, model in KINDS.items()}
    parts = {name: part for schema in schemas.values() for name, part in schema["$defs"].items()}
    tables = _Tables(parts, frozenset(_used_twice(schemas, parts)))
    made = {kind: tables.of_kind(schema) for kind, schema in schemas.items()}
    return {**made, SHARED: tables.of_shared()}


def _used_twice(schemas: Mapping[str, Schema], parts: Mapping[str, Schema]) -> Iterator[str]:
    """The parts that are used in more than one place of the specs."""
    seen: Counter[str] = Counter()
    waiting = [_name_of(schema["properties"]["spec"]) for schema in schemas.values()]
    while waiting:
        name = waiting.pop()
        seen[name] += 1
        if seen[name] == 1:
            waiting += _references(parts[name])
    return (name for name, times in seen.items() if times > 1)


def _references(schema: Any) -> Iterator[str]:
    """The parts that a schema refers to directly, once for each time."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name_of(schema)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


@dataclass(frozen=True, slots=True)
class _Tables:
    parts: Mapping[str, Schema]
    shared: frozenset[str]

    def of_kind(self, schema: Schema) -> str:
        """The fields of a kind's spec, and the rules between them."""
        return self._table(self.parts[_name_of(schema["properties"]["spec"])], "spec.")

    def of_shared(self) -> str:
        """A section for each shared part, in the order of their names."""
        return "".join(f"\n### {name}\n\n{self._shared(name)}" for name in sorted(self.shared)) + "\n"

    def _shared(self, name: str) -> str:
        part = self.parts[name]
        meaning = f"{_paragraph(part.get('description', ''))}\n"
        return f"{meaning}\n{_words(part['enum'])}.\n" if "enum" in part else meaning + self._table(part, "")

    def _table(self, part: Schema, prefix: str) -> str:
        rows = "\n".join(str(row) for row in self._rows(part, prefix))
        rules = "".join(f"- {rule}\n" for rule in self._rules(part, prefix))
        checked = f"\nChecked when it is applied:\n\n{rules}" if rules else ""
        return f"\n| field | type | default | meaning |\n|---|---|---|---|\n{rows}\n{checked}\n"

    def _rows(self, part: Schema, prefix: str) -> Iterator[_Row]:
        for name, field in part["properties"].items():
            shown = _without_null(field)
            inner = self._inside(shown)
            suffix = "[]" if shown.get("type") == "array" else ""
            meaning, default = _meaning(field, self._behind(shown))
            required = name in part.get("required", ())
            yield _Row(f"{prefix}{name}", self._type(shown), "*required*" if required else default, meaning)
            if inner is not None and "properties" in inner:
                yield from self._rows(inner, f"{prefix}{name}{suffix}.")

    def _rules(self, part: Schema, prefix: str) -> Iterator[str]:
        """What the API server checks beyond single fields, in words."""
        where = f"`{prefix.rstrip('.')}`: " if prefix else ""
        for rule in part.get("x-kubernetes-validations", ()):
            yield f"{where}{rule['message']}"
        for name, field in part.get("properties", {}).items():
            shown = _without_null(field)
            inner = self._inside(shown)
            if inner is not None:
                yield from self._rules(inner, f"{prefix}{name}{'[]' if shown.get('type') == 'array' else ''}.")

    def _inside(self, shown: Schema) -> Schema | None:
        """The part that a field, or each entry of its list, holds; None where it has a table of its own or is none."""
        holder = shown["items"] if shown.get("type") == "array" else shown
        return None if "$ref" not in holder or _name_of(holder) in self.shared else self._behind(holder)

    def _behind(self, shown: Schema) -> Schema | None:
        """The part that a field holds, whatever it is."""
        return self.parts[_name_of(shown)] if "$ref" in shown else None

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            name = _name_of(schema)
            if name in self.shared:
                return f"[{name}](#{name.lower()})"
            part = self.parts[name]
            return _words(part["enum"]) if "enum" in part else "object"
        if "enum" in schema or "const" in schema:
            return _words(schema.get("enum") or [schema["const"]])
        match schema["type"]:
            case "array":
                return f"list of {self._type(schema['items'])}".replace("list of object", "list")
            case "object":
                return _map_type(schema)
            case "integer":
                return _integer(schema)
            case "string":
                return _WORDS.get(schema.get("pattern", ""), "string")
            case other:
                return str(other)


def _name_of(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def _without_null(schema: Schema) -> Schema:
    """The one choice of an optional field."""
    if "anyOf" not in schema:
        return schema
    (choice,) = (each for each in schema["anyOf"] if each != {"type": "null"})
    return dict(choice)


def _meaning(field: Schema, behind: Schema | None) -> tuple[str, str]:
    """What a field means, and its default, of which the last sentence of a description may tell in words."""
    text = _paragraph(field.get("description") or (behind or {}).get("description", ""))
    told = _DEFAULT.search(text)
    meaning = text[: told.start()] if told else text
    default = field.get("default")
    if default not in (None, "", [], {}):
        spelled = str(default).lower() if isinstance(default, bool) else str(default)
        return meaning, f"`{spelled}`"
    words = told[1] if told else ""
    return meaning, f"`{words}`" if _VALUE.fullmatch(words) else words


def _paragraph(text: str) -> str:
    return " ".join(text.split())


def _words(values: Sequence[Any]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _map_type(schema: Schema) -> str:
    return "object of any content" if schema.get("additionalProperties") is True else "map of strings"


def _integer(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is None or most >= _MANY:
        return "integer" if least is None else f"integer from {least}"
    return f"integer, {least} to {most}"


if __name__ == "__main__":
    sys.exit(main())
