"""Files and folders to texts, each bounded, in a stable order."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
MAX_FILE_BYTES = 16 * 1024 * 1024
"""etcd takes 1.5 MiB of one object, so this is a file of many."""
MAX_FILES = 10_000
STDIN = "-"

_JSON_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file, counted from 1, in the form that editors and terminals make clickable."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A sentence about a place in a file."""

    position: Position
    message: str


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name of the file that it is from."""

    name: str
    text: str


def sources(paths: Iterable[str], *, stdin: BinaryIO | None = None) -> Iterator[Source | FileProblem]:
    """The texts of files, of folders (all YAML and JSON files in them, hidden ones left out), and of `-`.

    Folders are walked in the order of the names, so that "first" means the same on every machine. A file that is
    named twice is read once.
    """
    seen: set[str] = set()
    for path in paths:
        if path == STDIN and stdin is not None:
            yield _decoded("<stdin>", stdin.read(MAX_FILE_BYTES + 1))
            continue
        names = files_in(path)
        if not names:
            yield FileProblem(Position(path), f"holds no file that ends in {', '.join(sorted(SUFFIXES))}")
        for name in names:
            if len(seen) >= MAX_FILES:
                yield FileProblem(Position(name), f"is one of more than {MAX_FILES} files; the rest is not read")
                return
            if (real := os.path.realpath(name)) not in seen:
                seen.add(real)
                yield _read(name)


def files_in(path: str) -> list[str]:
    """The files that a path stands for, whether they can be read or not: itself, or what a folder holds of YAML."""
    if not Path(path).is_dir():
        return [path]
    found = []
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        fitting = (name for name in sorted(names) if Path(name).suffix.lower() in SUFFIXES)
        found += [str(Path(folder) / name) for name in fitting if not name.startswith(".")]
        if len(found) > MAX_FILES:
            break
    return found


def _read(name: str) -> Source | FileProblem:
    try:
        if not stat.S_ISREG(Path(name).stat().st_mode):
            return FileProblem(Position(name), "is neither a file nor a folder")
        with Path(name).open("rb") as file:
            return _decoded(name, file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        return FileProblem(Position(name), f"cannot be read: {error.strerror or error}")


def _decoded(name: str, content: bytes) -> Source | FileProblem:
    if len(content) > MAX_FILE_BYTES:
        return FileProblem(Position(name), f"is larger than {MAX_FILE_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return FileProblem(Position(name, line), "is not UTF-8 text")
    return Source(name, _json_as_yaml(text) if name.endswith(".json") else text)


def _json_as_yaml(text: str) -> str:
    """JSON in the spelling that YAML 1.1 reads too: no tabs, no pairs of surrogates, no escaped slash."""

    def spelled(escape: re.Match[str]) -> str:
        text = escape.group()
        if text == r"\/":
            return "/"
        if len(text) > 2:
            return text.encode("ascii").decode("unicode-escape").encode("utf-16", "surrogatepass").decode("utf-16")
        return text

    return _JSON_ESCAPE.sub(spelled, text.replace("\t", " "))
