"""A real Redis on loopback, from Debian's package."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import packages
from harness.process import Process, wait_until
from harness.proxies import free_port

_SECONDS = 10.0
_PROGRAM = "redis-server"
_PASSWORD = "redis-secret-word"


@dataclass(frozen=True, slots=True)
class RedisServer:
    """It keeps nothing on disk: a new start is an empty server."""

    process: Process
    port: int
    password: str

    @property
    def url(self) -> str:
        """What clients take."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Run, until it answers."""
        self.process.start()
        wait_until(self._answers, within_seconds=_SECONDS, what="Redis answers", process=self.process)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\n".encode())
                return connection.recv(64).startswith(b"+OK")
        except OSError:
            return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A server of the test's own.

    Args:
        folder: For its log.

    Raises:
        Missing: There is none, and none can be installed.
    """
    packages.ensure({_PROGRAM: _PROGRAM})
    port = free_port()
    arguments = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder))
    program = shutil.which(_PROGRAM) or f"/usr/bin/{_PROGRAM}"
    process = Process((program, *arguments, "--requirepass", _PASSWORD), log=folder / "redis.log")
    server = RedisServer(process, port, _PASSWORD)
    server.start()
    try:
        yield server
    finally:
        process.stop()
