"""Programs that say a line when they are ready, then take a task a line, and answer each with a line of JSON."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.pages import REPOSITORY

START_SECONDS = 240.0
"""How long a program may take until it is ready: some import a thousand modules, many at a time, on a busy machine."""
ANSWER_SECONDS = 60.0
"""How long one answer may take."""
LINE_BYTES = 2**20


class DriverFailed(Exception):
    """The program ended, hung, or answered with something else than JSON."""


class Driver:
    """One running program; one task at a time."""

    def __init__(self, process: asyncio.subprocess.Process, *, log: Path) -> None:
        self._process = process
        self._log = log
        self._ready = False
        self._failed: DriverFailed | None = None

    async def ask(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Give a task, and wait for its answer.

        Raises:
            DriverFailed: There is none, and will be none to any other task; the message has the end of what the program
                wrote.
        """
        if self._failed is not None:
            raise self._failed
        try:
            if not self._ready:
                await self._line(START_SECONDS)
                self._ready = True
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await self._line(ANSWER_SECONDS))
        except (TimeoutError, OSError, ValueError) as error:
            written = self._log.read_text(errors="replace")[-2000:]
            self._failed = DriverFailed(f"no answer to {task} ({error!r}); it wrote: {written}")
            raise self._failed from error
        return answer

    async def _line(self, within_seconds: float) -> bytes:
        assert self._process.stdout is not None
        async with asyncio.timeout(within_seconds):
            line = await self._process.stdout.readline()
        if not line:
            raise ConnectionResetError("the program ended")
        return line


@asynccontextmanager
async def driver(python: Path, module: str, *, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Driver]:
    """Run a module of the tests with another Python until the end of the block.

    It gets nothing of this process' environment but the path, so that no key or proxy of whoever runs the tests
    reaches an SDK. It ends when its standard input does, and so also when this process dies.

    Args:
        python: The interpreter.
        module: Its name below `tests`.
        folder: Where its standard error goes, and its home.
        environment: More variables.
    """
    log = folder / f"{module.rpartition('.')[2]}-{python.parents[1].name}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            str(python),
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LINE_BYTES,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PYTHONPATH": str(REPOSITORY / "tests"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_PROXY": "*",
                **environment,
            },
        )
    assert process.stdin is not None
    try:
        yield Driver(process, log=log)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
