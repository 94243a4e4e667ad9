"""`understudy …` as a person types it: a process, and what it prints."""

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.process import Process
from harness.raw_http import PATIENCE_SECONDS, Answer, eventually, exchange
from understudy.environment import VENDORS

NO_KEYS = {variable: "" for vendor in VENDORS for variable in vendor.variables}
"""The keys of whoever runs the tests are not theirs to use."""
_numbers = itertools.count()


class Command:
    """One run of the command. What it prints, on either stream, goes to a file in `folder`."""

    def __init__(self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.log = folder / f"understudy-{arguments[0]}-{next(_numbers)}.log"
        self.process = Process(
            [sys.executable, "-m", "understudy", *arguments],
            log=self.log,
            environment={**NO_KEYS, **(environment or {})},
        )

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return self.log.read_text() if self.log.exists() else ""

    async def says(self, text: str, *, times: int = 1) -> None:
        """Wait until it has printed `text` so often; its early end fails the test."""
        await eventually(lambda: self.printed.count(text) >= times or not self.process.running)
        assert self.printed.count(text) >= times, self.printed

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to its first process alone."""
        os.kill(self.process.pid, number)

    def interrupt(self) -> None:
        """Press Ctrl-C: every process of the terminal hears of it."""
        self.process.signal(signal.SIGINT)

    def children(self) -> list[int]:
        """The ids of the processes that it has started, in that order."""
        table = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        pairs = [line.split() for line in table.splitlines()]
        return sorted(int(pid) for pid, parent in pairs if int(parent) == self.process.pid)

    def lives(self, group: int) -> bool:
        """Whether any process is left of those that began as `group`, the id of its first process."""
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        return True

    async def ended(self) -> int | None:
        """Wait for its end; the exit code."""
        await asyncio.to_thread(self.process.wait, PATIENCE_SECONDS)
        return self.process.exit_code


class Serve(Command):
    """`understudy serve` on free ports."""

    def __init__(self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, "serve", "--port=0", "--admin-port=0", *arguments, environment=environment)

    @property
    def port(self) -> int:
        """For callers."""
        return self._port_after("OpenAI base URL")

    @property
    def admin_port(self) -> int:
        """For operators."""
        return self._port_after("metrics, explain")

    async def ask(self, model: str = "chat", *, stream: bool = False) -> Answer:
        """Ask as any client would."""
        said = str(stream).lower()
        body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "Hi"}}], "stream": {said}}}'
        return await exchange(self.port, "POST", "/v1/chat/completions", body.encode())

    async def get(self, path: str) -> Answer:
        """Ask the admin port."""
        return await exchange(self.admin_port, "GET", path)

    async def config(self) -> dict[str, Any]:
        """What `/config` tells."""
        told: dict[str, Any] = (await self.get("/config?full=1")).json()
        return told

    async def runs_another_than(self, revision: str) -> str:
        """Wait until it runs another revision, all workers of it; which one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (now := (await self.config())["revision"]) in {revision, None}:  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.02)
        return str(now)

    async def until_ready(self) -> None:
        """Wait until it would be sent requests."""
        await self.says("metrics, explain")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._ready():  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.02)

    async def _ready(self) -> bool:
        try:
            answer = await exchange(self.port, "GET", "/health/ready")
        except OSError:
            return False
        return bool(answer.head) and answer.status == 200

    def _port_after(self, label: str) -> int:
        found = re.search(rf"{label}\s+http://[^:]+:(\d+)", self.printed)
        assert found is not None, self.printed
        return int(found[1])


@asynccontextmanager
async def running(command: Command) -> AsyncIterator[Command]:
    """Run a command, and see to its end."""
    await asyncio.to_thread(command.process.start)
    try:
        yield command
    finally:
        await asyncio.to_thread(command.process.kill)


@asynccontextmanager
async def serving(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Serve]:
    """A gateway that answers; what it prints goes to a file in `folder`."""
    serve = Serve(folder, *arguments, environment=environment)
    async with running(serve):
        await serve.until_ready()
        yield serve
