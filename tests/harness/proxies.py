"""A proxy as the image runs it: a process that is set up by its environment and told to end by signals."""

import asyncio
import itertools
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from harness.process import Process
from harness.raw_http import PATIENCE_SECONDS, Answer, exchange
from harness.snapshots import write_folder
from understudy_api.config import Snapshot

_numbers = itertools.count()


class ProxyProcess:
    """One process, with all its workers; it reads its configuration from a folder."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Describe a proxy that keeps configuration and log in `folder`; `settings` are environment variables."""
        self.volume = folder / "volume"
        self.log = folder / f"proxy-{next(_numbers)}.log"
        given = {
            "host": "127.0.0.1",
            "port": "0",
            "admin_host": "127.0.0.1",
            "admin_port": "0",
            "default_namespace": "ai",
            "api": "off",
            "volume": str(self.volume),
            "drain_delay_seconds": "0",
            **settings,
        }
        self.argv = [sys.executable, "-m", "understudy_proxy"]
        self.environment = {f"UNDERSTUDY_{name.upper()}": value for name, value in given.items()}
        self.process = Process(self.argv, log=self.log, environment=self.environment)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def port(self) -> int:
        """For callers."""
        return int(self._listening["port"])

    @property
    def admin_port(self) -> int:
        """For operators."""
        return int(self._listening["admin_port"])

    @property
    def _listening(self) -> dict[str, Any]:
        return next(line for line in self.lines if line["message"] == "listening")

    def publish(self, snapshot: Snapshot) -> None:
        """Write a configuration where it looks for one."""
        write_folder(self.volume, snapshot)

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The lines with this in their message."""
        return [line for line in self.lines if message in line["message"]]

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to its main process alone."""
        os.kill(self.process.pid, number)

    async def ended(self) -> int | None:
        """Wait for its end; the exit code."""
        await asyncio.to_thread(self.process.wait, PATIENCE_SECONDS)
        return self.process.exit_code

    async def get(self, path: str) -> Answer:
        """Ask the admin port."""
        return await exchange(self.admin_port, "GET", path)

    async def until_ready(self) -> None:
        """Wait until it would be sent requests, and answers operators."""
        await until_answers(lambda: self.port, "/health/ready", 200)
        await until_answers(lambda: self.admin_port, "/healthz", 200)


async def until_answers(port: Callable[[], int], path: str, status: int) -> Answer:
    """Wait until a port, once it is known, answers with `status`."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                answer = await exchange(port(), "GET", path)
            except (StopIteration, ConnectionRefusedError):  # it does not listen yet
                pass
            else:
                if answer.head and answer.status == status:
                    return answer
            await asyncio.sleep(0.02)


@asynccontextmanager
async def proxy_process(folder: Path, first: Snapshot | None = None, **settings: str) -> AsyncIterator[ProxyProcess]:
    """A running proxy, with its first configuration in place."""
    proxy = ProxyProcess(folder, **settings)
    proxy.volume.mkdir(exist_ok=True)
    if first is not None:
        proxy.publish(first)
    await asyncio.to_thread(proxy.process.start)
    try:
        if first is not None:
            await proxy.until_ready()
        yield proxy
    finally:
        await asyncio.to_thread(proxy.process.kill)


def free_port() -> int:
    """A port that nobody uses at the moment, and that no connection gets: those have theirs from 32768 on."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - not a secret, only unlikely to be another test's
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
