"""From files to objects: what each file is, and who reads it, in the order in which one needs the other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from understudy.importing.litellm import read_litellm
from understudy.importing.objects import Objects
from understudy.importing.parts import Part, Unusable
from understudy.importing.personas import read_personas
from understudy.importing.providers import Providers
from understudy.importing.tools import read_tools
from understudy.manifests.files import FileProblem, Position, Source, sources
from understudy.manifests.nodes import NotYaml, documents
from understudy.manifests.values import Document, Place, read


class Format(StrEnum):
    """What a file is, told by its fields. One may be several."""

    LITELLM = "a LiteLLM configuration"
    PROVIDERS = "providers and models"
    TOOLS = "tools"
    PERSONAS = "persona policies"


_FIELDS = {
    Format.LITELLM: ("model_list",),
    Format.PROVIDERS: ("providers", "models", "capabilities"),
    Format.TOOLS: ("tools", "functions"),
    Format.PERSONAS: ("personas",),
}
"""In the order in which they are read: personas refer to tools and providers."""
_ABOUT = frozenset({"version", "description", "name", "$schema"})
"""Fields that files say of themselves."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made, what could not be, and what each file was taken for."""

    objects: Objects
    problems: tuple[str, ...]
    taken_for: tuple[str, ...]


def convert(paths: Iterable[str], *, stdin: BinaryIO | None = None) -> Imported:
    """Read files and make objects of them. A part that cannot be used is a problem, and the rest goes on.

    Args:
        paths: Files and folders; `-` is `stdin`.
        stdin: What `-` reads.
    """
    objects, problems = Objects(), list[Unusable]()
    parts = [part for source in sources(paths, stdin=stdin) for part in _parts(source, problems)]
    found = {format_: [part for part in parts if part.has(*_FIELDS[format_])] for format_ in Format}
    providers = Providers(objects, problems)
    readers: dict[Format, Callable[[Part], None]] = {
        Format.LITELLM: lambda part: read_litellm(part, objects, problems),
        Format.PROVIDERS: providers.read,
        Format.TOOLS: lambda part: read_tools(part, objects, problems),
        Format.PERSONAS: lambda part: read_personas(part, objects, providers, problems),
    }
    for format_, reader in readers.items():
        for part in found[format_]:
            try:
                reader(part)
            except Unusable as problem:
                problems.append(problem)
    providers.complete()
    if found[Format.PROVIDERS] and not objects.personas:
        providers.routes()
    _tell_what_is_left(parts, objects)
    return Imported(objects, tuple(map(str, problems)), tuple(_taken_for(parts, found)))


def _parts(source: Source | FileProblem, problems: list[Unusable]) -> Iterator[Part]:
    """The documents of a file that can be read, and are something known."""
    if isinstance(source, FileProblem):
        problems.append(Unusable(source.position, "", source.message))
        return
    try:
        for node in documents(source.text):
            document = read(node)
            problems += [
                Unusable(Position(source.name, fault.mark.line, fault.mark.column), "", fault.message)
                for fault in document.faults
            ]
            part = _known(source.name, document)
            if not any(part.has(*fields) for fields in _FIELDS.values()):
                raise part.wrong("", _unknown(part.value))
            yield part
    except NotYaml as error:
        problems.append(Unusable(Position(source.name, error.mark.line, error.mark.column), "", error.message))
    except Unusable as problem:
        problems.append(problem)


def _known(file: str, document: Document) -> Part:
    """A document as a map: tools may be a list, or a map by their names."""
    value, place = document.value, document.place
    if isinstance(value, list) or (isinstance(value, dict) and _looks_like_tools(value)):
        return Part(file, Place(place.mark, {"tools": place}), {"tools": value})
    return Part(file, place, value if isinstance(value, dict) else {})


def _looks_like_tools(value: dict[str, Any]) -> bool:
    said = ("parameters", "input_schema")
    return bool(value) and all(isinstance(each, dict) and any(map(each.get, said)) for each in value.values())


def _unknown(value: dict[str, Any]) -> str:
    if "apiVersion" in value:
        return "is an object of Kubernetes already; `understudy lint` checks it"
    fields = ", ".join(field for fields in _FIELDS.values() for field in fields)
    return f"is nothing that can be imported: it has none of the fields {fields}"


def _tell_what_is_left(parts: list[Part], objects: Objects) -> None:
    for part in parts:
        for field in part.left():
            if field not in _ABOUT:
                objects.remarks.append(f"{field} of {part.file} has no equivalent, and is not taken over.")


def _taken_for(parts: list[Part], found: dict[Format, list[Part]]) -> Iterator[str]:
    for part in parts:
        formats = [str(format_) for format_, those in found.items() if any(each is part for each in those)]
        yield f"{part.file}: {' and '.join(formats)}"
