"""What stands in the pages of the documentation: their code blocks and their tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str

    def commands(self) -> list[str]:
        """The commands of a console block, each with its continuation lines."""
        return [command.strip() for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", self.text, re.MULTILINE)]


def page(name: str) -> str:
    """The text of a page, by its path in the repository."""
    return (REPOSITORY / name).read_text()


def blocks(text: str, *languages: str) -> list[Block]:
    """The fenced blocks in one of these languages."""
    found = (Block(language, content) for language, content in _FENCE.findall(text))
    return [block for block in found if block.language in languages]


def section(text: str, heading: str) -> str:
    """What stands under a heading, given with its `#`, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    _, found, rest = f"\n{text}".partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str, first_column: str) -> Iterator[tuple[str, ...]]:
    """The rows of the one table whose first column has this heading, as the texts of their cells."""
    lines = text.splitlines()
    (start,) = (number for number, line in enumerate(lines) if _cells(line)[:1] == (first_column,))
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> tuple[str, ...]:
    """The cells of a line of a table, in which a backslash makes a bar one of the text."""
    if not line.startswith("|"):
        return ()
    return tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])


def code(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)
