"""An HTTP client that hides nothing: the bytes that came, and how the connection ended.

For tests of servers that end connections badly on purpose, where a real client would retry, raise or tidy up.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

PATIENCE_SECONDS = 10.0
"""How long a test waits for what is sure to come."""


async def eventually(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds; a test that waits in vain fails with TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        head: Status line and headers as one text; empty if none came.
        body: The content, without the framing of chunks.
        chunks: The content chunk by chunk, if it came in chunks.
        complete: Whether the framing says that all of it came.
        reset: Whether the connection was reset instead of closed.
    """

    head: str
    body: bytes
    chunks: tuple[bytes, ...]
    complete: bool
    reset: bool

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.head.split(" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        """The headers, by names in lower case."""
        pairs = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return {name.lower(): value.strip() for name, _, value in pairs}

    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.body)


class RawHttp(asyncio.Protocol):
    """One connection, as an asynchronous context manager; sends requests and keeps what comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.received = bytearray()
        self.reads = 0
        self._lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self.received += data
        self.reads += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep how it ended."""
        if not self._lost.done():
            self._lost.set_result(exc)

    @property
    def open(self) -> bool:
        """Whether the other side has not ended the connection yet."""
        return not self._lost.done()

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a request that asks the server to close the connection after its answer."""
        told = {"host": "test", "connection": "close", "content-length": str(len(body)), **(headers or {})}
        lines = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())])
        self.send_bytes(f"{lines}\r\n\r\n".encode() + body)

    def send_bytes(self, data: bytes) -> None:
        """Send anything."""
        assert self._transport is not None
        self._transport.write(data)

    def leave(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    async def saw(self, expected: bytes) -> None:
        """Wait until `expected` has come."""
        await eventually(lambda: expected in self.received)

    async def answer(self) -> Answer:
        """Wait until the connection ends, and return what came."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            error = await self._lost
        head, _, content = bytes(self.received).partition(b"\r\n\r\n")
        return _answer(head.decode(), content, reset=isinstance(error, ConnectionResetError))


async def exchange(
    port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request on a connection of its own, and return all that came back."""
    async with RawHttp(port) as client:
        client.send(method, path, body, headers)
        return await client.answer()


def _answer(head: str, content: bytes, *, reset: bool) -> Answer:
    plain = Answer(head, content, (), complete=bool(head), reset=reset)
    if "transfer-encoding: chunked" in head.lower():
        chunks, complete = _unchunked(content)
        return Answer(head, b"".join(chunks), chunks, complete, reset)
    length = plain.headers.get("content-length") if head else None
    return plain if length is None else Answer(head, content, (), len(content) == int(length), reset)


def _unchunked(content: bytes) -> tuple[tuple[bytes, ...], bool]:
    """Return the chunks, and whether the one that ends them all has come."""
    chunks: list[bytes] = []
    while content:
        size, _, rest = content.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return tuple(chunks), rest == b"\r\n"
        chunks.append(rest[:length])
        content = rest[length + 2 :]
    return tuple(chunks), False
