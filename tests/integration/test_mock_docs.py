"""`docs/mock.md` against the mock: what it shows works, and nothing is left out."""

import asyncio
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from harness.raw_http import PATIENCE_SECONDS
from understudy.commands.mock import mock as command
from understudy.mock.dialects import DIALECTS, TOGETHER
from understudy.mock.directions import Directions, directions_in
from understudy.mock.failures import NAMED
from understudy.mock.faults import FaultError, FaultKind, parse_fault
from understudy.mock.samples import base_url

PAGE = (Path(__file__).parents[2] / "docs" / "mock.md").read_text()


def shown(section: str, heading: str) -> list[str]:
    """Return what stands in backquotes in the first column of a table, by its section and its heading."""
    table = PAGE.partition(f"## {section}\n")[2].partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [code for row in table.splitlines()[2:] for code in re.findall(r"`([^`]+)`", row.split("|")[1])]


FAULTS = shown("Faults", "fault")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_used(fault: str) -> None:
    """Each fault of the table is one."""
    assert parse_fault(fault).text == fault


def test_no_fault_is_missing() -> None:
    """Each kind of fault, and each named error, is in the table."""
    assert {parse_fault(fault).kind for fault in FAULTS} == set(FaultKind)
    assert set(NAMED) <= set(FAULTS)


def test_every_option_is_told() -> None:
    """The table of fault options has those, and only those, that can be used."""
    options = {option.partition("=")[0] for option in shown("Faults", "option")}
    with pytest.raises(FaultError) as caught:
        parse_fault("429;no-such-option=1")
    assert options == set(str(caught.value).partition("options are ")[2].split(", "))


def test_every_flag_is_told() -> None:
    """The table of the command's options has those, and only those, that it takes."""
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert flags == set(shown("What it answers", "option"))


def test_every_direction_is_read() -> None:
    """Each direction of the table is one, and none is missing."""
    read = {field for direction in shown("What it answers", "direction") for field in directed(direction)}
    assert read == {field.name for field in fields(Directions)} - {"rest"}


def directed(text: str) -> list[str]:
    """Return what a direction asks for, as the names of what is read; it is no text any more."""
    read = directions_in(text)
    assert read.rest == ""
    return [
        field.name for field in fields(Directions) if getattr(read, field.name) != getattr(Directions(""), field.name)
    ]


def test_every_dialect_is_told() -> None:
    """The table of dialects has those that a mock speaks at once; the others are told about, too."""
    assert set(shown("What it speaks", "dialect")) == set(TOGETHER)
    assert all(f"`{dialect}`" in PAGE for dialect in DIALECTS)


@pytest.mark.parametrize("dialect", TOGETHER)
def test_every_base_url_is_right(dialect: str) -> None:
    """A client with the base URL of the table asks at the address that the welcome prints, or finds its paths below."""
    (told,) = re.findall(rf"^\| `{dialect}` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert base_url("http://127.0.0.1:8081", dialect).startswith(told)


async def test_the_test_example_prints_what_it_says() -> None:
    """The Python example runs as it stands."""
    code, output = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", PAGE, re.DOTALL)[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        printed, errors = await process.communicate()
    assert (printed.decode(), errors) == (output, b"")
