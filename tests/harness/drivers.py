"""Programs that take a task a line on standard input and answer each with a line of JSON."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.pages import REPOSITORY

ANSWER_SECONDS = 60.0
"""How long one answer may take; the first one includes the program's start."""
LINE_BYTES = 2**20


class DriverFailed(Exception):
    """The program ended, hung, or answered with something else than JSON."""


class Driver:
    """One running program; one task at a time."""

    def __init__(self, process: asyncio.subprocess.Process, *, log: Path) -> None:
        self._process = process
        self._log = log

    async def ask(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Give a task, and wait for its answer.

        Raises:
            DriverFailed: There is none; the message has the end of what the program wrote.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            async with asyncio.timeout(ANSWER_SECONDS):
                line = await self._process.stdout.readline()
            answer: dict[str, Any] = json.loads(line)
        except (TimeoutError, OSError, ValueError) as error:
            written = self._log.read_text(errors="replace")[-2000:]
            raise DriverFailed(f"no answer to {task} ({error!r}); it wrote: {written}") from error
        return answer


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
