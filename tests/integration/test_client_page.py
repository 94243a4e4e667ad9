"""`docs/client.md` and the examples that import the client: each program runs as it stands."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.commands import Serve, serving
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


async def printed(program: list[str], serve: Serve) -> str:
    """What a program prints that finds its gateway in the environment; it must end well."""
    environment = {**os.environ, "LLM_GATEWAY_URL": f"http://127.0.0.1:{serve.port}/v1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_the_programs_of_the_page(serve: Serve) -> None:
    """Each prints what stands below it."""
    found = await asyncio.gather(*(printed(["-c", program.text], serve) for program, _ in PROGRAMS))
    assert [text.rstrip("\n") for text in found] == [expected.text.rstrip("\n") for _, expected in PROGRAMS]


async def example(name: str, program: str, mocks: list[Mock], folder: Path) -> str:
    """What an example prints, whose providers are these instead of those on fixed ports."""
    text = (REPOSITORY / "examples" / name / "gateway.yaml").read_text()
    for port, mock in zip((8081, 8082), mocks, strict=False):
        text = text.replace(f"http://localhost:{port}", mock.url)
    assert "localhost" not in re.sub("#.*", "", text)
    async with serving(folder, "-f", str(write(folder / "gateway", gateway=text))) as serve:
        return await printed([str(REPOSITORY / "examples" / name / program)], serve)


async def test_the_batch_example(tmp_path: Path) -> None:
    """All requests are answered, by the understudy where the first one fails."""
    async with Mock(faults=["500;every=4"]) as first, Mock() as second:
        found = await example("batch", "summaries.py", [first, second], tmp_path)
        counts = dict(re.findall(r"^default/(\w+): (\d+)$", found, re.MULTILINE))
        assert sum(map(int, counts.values())) == 40
        assert len(second.requests) == int(counts.get("second", 0))


async def test_the_tools_example(tmp_path: Path) -> None:
    """Both functions are called, and the model is told what they returned."""
    async with Mock() as mock:
        found = await example("tools-client", "trip.py", [mock], tmp_path)
    assert found.startswith("called weather\ncalled distance\n")
    assert "450 km from" in found


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
