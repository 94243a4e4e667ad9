"""An upstream that a test plays by hand, byte by byte and connection by connection."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: request line, headers by lower-case name, body."""

    line: str
    headers: dict[str, str]
    body: bytes


class Line:
    """One connection from the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._reader = reader
        self.writer = writer
        self.number = number
        """1 for the first connection of all."""

    async def request(self) -> Received:
        """The next request.

        Raises:
            EOFError: the gateway has closed the connection.
        """
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Received(line, headers, body)

    async def send(self, data: bytes) -> None:
        """Send it now."""
        self.writer.write(data)
        await self.writer.drain()

    async def closed(self) -> None:
        """Wait until the gateway has closed the connection."""
        with suppress(ConnectionError):
            while await self._reader.read(65536):
                pass


Script = Callable[[Line], Awaitable[None]]


class RawUpstream:
    """A server that runs `script` for each connection, and closes the connection when the script is over."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._host = host
        self._script = script
        self._tls = tls
        self._running: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.refusing = False
        """Whether connections are reset as soon as they come."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._host, 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refusing:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(Line(reader, writer, self.connections)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, line: Line) -> None:
        try:
            with suppress(ConnectionError, EOFError):
                await self._script(line)
        finally:
            line.writer.close()


def answering(*parts: bytes) -> Script:
    """Answer every request with `parts`, a write each."""

    async def script(line: Line) -> None:
        while True:
            await line.request()
            for part in parts:
                await line.send(part)
                await asyncio.sleep(0)

    return script


def ok(body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    lines = ["HTTP/1.1 200 OK", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
