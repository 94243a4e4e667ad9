"""`docs/client.md`: each program runs as it stands."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.client_house import client_house
from harness.commands import Serve
from harness.examples import printed
from harness.pages import REPOSITORY, blocks, code, page, rows, section
from understudy import client, llm_provider

PAGE = page("docs/client.md")
PROGRAMS = list(zip(blocks(PAGE, "python"), blocks(PAGE, "text"), strict=True))


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """The gateway that the page's programs ask."""
    async with client_house(tmp_path) as house:
        yield house.serve


async def test_the_programs_of_the_page(serve: Serve) -> None:
    """Each prints what stands below it."""
    found = await asyncio.gather(*(printed(["-c", program.text], port=serve.port) for program, _ in PROGRAMS))
    assert [text.rstrip("\n") for text in found] == [expected.text.rstrip("\n") for _, expected in PROGRAMS]


def test_every_error_is_in_the_table() -> None:
    """And no other."""
    table = {row[0].strip("`") for row in rows(section(PAGE, "## When it does not work"), "error")}
    errors = {name for name in client.__all__ if isinstance(found := getattr(client, name), type)
              and issubclass(found, client.UnderstudyError)}  # fmt: skip
    assert table == errors - {"UnderstudyError"}


def test_every_variable_is_in_the_table() -> None:
    """Those of the configuration, as the code reads them."""
    source = (REPOSITORY / "cli/src/understudy/client/_settings.py").read_text()
    names = set(re.findall(r"LLM_GATEWAY_\w+", source))
    assert {name for name in names if f"`{name}`" in section(PAGE, "## Where the gateway is, and who calls")} == names


def test_every_argument_of_an_agent_is_in_the_table() -> None:
    """And no other."""
    table = rows(section(PAGE, "### A function that is an agent"), "argument")
    assert {name for row in table for name in code(row[0])} == set(inspect.signature(llm_provider).parameters)
