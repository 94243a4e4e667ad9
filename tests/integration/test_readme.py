"""README.md, run as it stands against `understudy demo`, but for the ports."""

import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.commands import Command, running
from harness.pages import REPOSITORY, blocks, page, section
from harness.proxies import free_port
from harness.raw_http import PATIENCE_SECONDS
from understudy.commands.demo import demo as command

README = page("README.md")
EVERY_SDK = section(README, "## Every SDK, every provider")
FAILOVER = section(README, "## See a failover")
CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
SDK_SECONDS = 6 * PATIENCE_SECONDS
"""Importing the SDK takes seconds on a busy machine."""


class Stage:
    """A demo whose ports are free ones, and README texts with those in the place of the usual ones."""

    def __init__(self, folder: Path) -> None:
        options = {parameter.opts[0]: parameter.default for parameter in command.params}
        self._ports = {str(usual): str(free_port()) for usual in options.values()}
        self.demo = Command(folder, "demo", *(f"{name}={self._ports[str(usual)]}" for name, usual in options.items()))

    async def run(self, text: str) -> str:
        """Run a command line of the README; what it prints."""
        shell = await asyncio.create_subprocess_shell(
            self.moved(text), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=REPOSITORY
        )
        async with asyncio.timeout(SDK_SECONDS):
            output, errors = await shell.communicate()
        assert shell.returncode == 0, errors.decode()
        return output.decode()

    def moved(self, text: str) -> str:
        """The text with the ports of this stage; it must name a port that the demo has."""
        moved = re.sub(r"(?<=localhost:)\d+", lambda port: self._ports[port.group()], text)
        assert moved != text
        return moved


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The demo after its scenes."""
    made = Stage(tmp_path)
    async with running(made.demo):
        await made.demo.says("Ctrl-C ends it.")
        yield made


@CURL
async def test_the_curl_answers(stage: Stage) -> None:
    """The first request that a newcomer makes."""
    _, curl = (line for block in blocks(README.partition("\n## ")[0], "console") for line in block.commands())
    answer = json.loads(await stage.run(curl))
    assert answer["choices"][0]["message"]["content"] == 'This is lead, answering as large. You said: "Hello!"'


@CURL
async def test_another_vendors_client_is_answered(stage: Stage) -> None:
    """Anthropic's way of asking, by a provider that speaks OpenAI's."""
    (console,) = blocks(EVERY_SDK, "console")
    (curl,) = console.commands()
    answer = json.loads(await stage.run(curl))
    assert answer["content"] == [{"type": "text", "text": 'This is lead, answering as large. You said: "Hello!"'}]
    assert answer["stop_reason"] == "end_turn"


async def test_the_python_answers(stage: Stage) -> None:
    """OpenAI's own SDK, streaming and not, a route and a persona."""
    (python,) = blocks(README, "python")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", stage.moved(python.text), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(SDK_SECONDS):
        output, errors = await process.communicate()
    said = 'This is lead, answering as large. You said: "Who are you?"'
    assert (output.decode(), errors.decode()) == (f"{said}\n{said}", "")


@CURL
async def test_the_failover_can_be_seen(stage: Stage) -> None:
    """The first provider is made to fail, the second one answers, and headers and explanation say so."""
    (console,) = blocks(FAILOVER, "console")
    fail, ask = console.commands()
    await stage.run(fail)
    head, _, body = (await stage.run(ask)).replace("\r", "").partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    assert "This is understudy" in json.loads(body)["choices"][0]["message"]["content"]
    named = re.findall(r"`(x-understudy-\w+)`", FAILOVER)
    assert {name: headers[name] for name in named} == {
        "x-understudy-provider": "default/understudy",
        "x-understudy-attempts": "3",
        "x-understudy-reason": "server_error",
    }
    (explain,) = re.findall(r"`(?:\S+/)?(understudy explain [^`]+)`", FAILOVER)
    told = await stage.run(f"{sys.executable} -m {explain}")
    assert "1. default/lead:large" in told
    assert "2. default/understudy:small (priority 1): an understudy" in told


def test_make_run_is_the_demo() -> None:
    """The first command of the README runs what the rest of it speaks of."""
    assert blocks(README, "console")[0].commands() == ["make run"]
    assert re.search(r"^run: .*\n\t\$\(BIN\)/understudy demo$", page("Makefile"), re.MULTILINE)


def test_what_it_points_to_is_there() -> None:
    """Every link, and every path in a command, leads somewhere."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    paths = re.findall(r"(?:examples|charts)/[\w./-]+", README)
    assert links
    assert paths
    assert [path for path in (*links, *paths) if not (REPOSITORY / path).exists()] == []
