"""The upstream of the bench: prepared bytes from a bare asyncio protocol, so that it costs next to nothing.

It reads just enough HTTP/1.1 for well-behaved clients on loopback (a Content-Length or no body at all) and is no
server for anything else. A request whose body asks for a stream gets `CHUNKS` events, one write each,
`INTERVAL_SECONDS` apart.
"""

import asyncio
import json
import re
import sys
from typing import cast

CHUNKS = 200
INTERVAL_SECONDS = 0.002
"""Long enough that every event arrives in a read of its own, as a model's tokens do."""
ANSWER_BYTES = 909
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")


def answer() -> bytes:
    """A chat completion of exactly `ANSWER_BYTES` bytes, with its head."""
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "bench-large",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 60, "completion_tokens": 120, "total_tokens": 180},
    }
    missing = ANSWER_BYTES - len(json.dumps(body))
    body["choices"][0]["message"]["content"] = ("when one cannot go on the next one does " * 30)[:missing]  # type: ignore[index]
    encoded = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
    return head.encode() + encoded


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "bench-large",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    data = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


ANSWER = answer()
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = (
    _event({"role": "assistant", "content": ""}),
    *(_event({"content": f"word {number} "}) for number in range(CHUNKS - 2)),
    _event({}, "stop"),
)
STREAM_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end + 2)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < size:
                return
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        if b'"stream":true' in body.replace(b" ", b""):
            transport.write(STREAM_HEAD)
            asyncio.get_running_loop().call_soon(self._send, 0)
        else:
            transport.write(ANSWER)

    def _send(self, index: int) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if index == len(EVENTS):
            transport.write(STREAM_END)
            return
        transport.write(EVENTS[index])
        asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._send, index + 1)


async def serve(port: int) -> None:
    """Serve on loopback until the process ends."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
