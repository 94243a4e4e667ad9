"""`examples/agents-mesh`: agents that are at work, and agents that have gone home."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.commands import Serve
from harness.examples import EXAMPLES, example_gateway, printed_by
from harness.process import Process
from harness.raw_http import exchange
from understudy.mock import Mock

SECONDS = 30
"""For a program to begin or to end, on a busy machine."""
QUESTION = "Where is The Tempest?"
PLACE = "The Tempest is in room 2, on the shelf at the window."
LETTER = f'This is ada, answering as large. You said: "Write a letter to a visitor: {PLACE}"'


@asynccontextmanager
async def at_work(serve: Serve, folder: Path) -> AsyncIterator[Process]:
    """The agents, once the gateway knows them and asks them; at the end they leave."""
    environment = {**os.environ, "LLM_GATEWAY_URL": f"http://127.0.0.1:{serve.port}"}
    team = Process(
        [sys.executable, str(EXAMPLES / "agents-mesh/team.py")], log=folder / "team.log", environment=environment
    )
    team.start()
    try:
        await known(serve, {"archivist", "secretary"})
        yield team
        team.signal(signal.SIGTERM)
        await asyncio.to_thread(team.wait, SECONDS)
        assert team.exit_code == 0, team.tail()
    finally:
        team.kill()


async def known(serve: Serve, expected: set[str]) -> None:
    """Wait until these agents are listed as healthy, and the route asks one of them first."""
    found: set[str] = set()
    first = ""
    async with asyncio.timeout(SECONDS):
        while not (found >= expected and first == "default/archivists"):
            agents = (await exchange(serve.port, "GET", "/agents")).json()["agents"]
            found = {agent["name"] for agent in agents if agent["status"] == "healthy"}
            first = (await serve.get("/explain?model=archive")).json()["choices"][0]["provider"]
            await asyncio.sleep(0.05)


async def test_agents(tmp_path: Path) -> None:
    """A function finds them by what they can do, a route asks one of them; without them a model steps in."""
    async with Mock(name="ada") as mock, example_gateway("agents-mesh", mock, folder=tmp_path) as serve:
        async with at_work(serve, tmp_path):
            found = await printed_by("agents-mesh", "desk.py", QUESTION, port=serve.port)
        assert [LETTER, f"default/archivists: {PLACE}"] == found.splitlines()
        found = await printed_by("agents-mesh", "desk.py", QUESTION, port=serve.port)
    first, last = found.splitlines()
    assert first.startswith("Nobody is at work: ")
    assert f'default/main: This is ada, answering as large. You said: "{QUESTION}"' == last
