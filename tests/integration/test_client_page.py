"""`docs/client.md`: each program runs as it stands."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.commands import Serve, serving
from harness.examples import printed
from harness.gateway_files import provider, route, write
from harness.pages import REPOSITORY, blocks, page, rows, section
from understudy import client
from understudy.mock import Mock

PAGE = page("docs/client.md")
PROGRAMS = list(zip(blocks(PAGE, "python"), blocks(PAGE, "text"), strict=True))


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """The gateway that the page's programs ask."""
    async with Mock(name="ada") as mock:
        folder = write(tmp_path / "gateway", provider=provider("main", mock.url), route=route("main"))
        async with serving(tmp_path, "-f", str(folder)) as started:
            yield started


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
