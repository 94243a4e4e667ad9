"""The upstream of the bench: prepared bytes from a bare asyncio protocol, so that it costs next to nothing.

Asked at `/v1/messages` it answers in Anthropic's dialect, anywhere else in OpenAI's: the same words, as many events.

It reads just enough HTTP/1.1 for well-behaved clients on loopback (a Content-Length or no body at all) and is no
server for anything else. A request whose body asks for a stream gets `CHUNKS` events, one write each,
`INTERVAL_SECONDS` apart.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

CHUNKS = 200
INTERVAL_SECONDS = 0.002
"""Long enough that every event arrives in a read of its own, as a model's tokens do."""
ANSWER_BYTES = 909
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")


WORDS = "when one cannot go on the next one does " * 30


def whole(body: dict[str, Any], words: Callable[[str], None]) -> bytes:
    """An answer of exactly `ANSWER_BYTES` bytes, with its head; `words` puts text into `body`."""
    words("")
    words(WORDS[: ANSWER_BYTES - len(json.dumps(body))])
    encoded = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
    return head.encode() + encoded


def completion() -> bytes:
    """A chat completion."""
    message = {"role": "assistant", "content": ""}
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "bench-large",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 120, "total_tokens": 180},
    }
    return whole(body, lambda words: message.update(content=words))


def message() -> bytes:
    """An Anthropic message."""
    block = {"type": "text", "text": ""}
    body = {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": "bench-large",
        "content": [block],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 60, "output_tokens": 120},
    }
    return whole(body, lambda words: block.update(text=words))


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "bench-large",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return _framed(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}).encode()
    return _framed(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))


def _framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def _begun() -> dict[str, Any]:
    return {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": "bench-large",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 60, "output_tokens": 1},
    }


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything that is ever said in one dialect."""

    whole: bytes
    events: tuple[bytes, ...]


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
OPENAI = Answers(
    whole=completion(),
    events=(
        _chunk({"role": "assistant", "content": ""}),
        *(_chunk({"content": f"word {number} "}) for number in range(CHUNKS - 2)),
        _chunk({}, "stop"),
        _framed(b"data: [DONE]\n\n") + _LAST_CHUNK,
    ),
)
ANTHROPIC = Answers(
    whole=message(),
    events=(
        _event("message_start", message=_begun())
        + _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            _event("content_block_delta", index=0, delta={"type": "text_delta", "text": f"word {number} "})
            for number in range(CHUNKS - 2)
        ),
        _event("content_block_stop", index=0)
        + _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 120}),
        _event("message_stop") + _LAST_CHUNK,
    ),
)


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
            head, body = self._buffer[:end], self._buffer[end + 4 : size]
            self._buffer = self._buffer[size:]
            self._answer(ANTHROPIC if head.startswith(b"POST /v1/messages ") else OPENAI, body)

    def _answer(self, answers: Answers, body: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        if b'"stream":true' in body.replace(b" ", b""):
            transport.write(STREAM_HEAD)
            asyncio.get_running_loop().call_soon(self._send, answers.events, 0)
        else:
            transport.write(answers.whole)

    def _send(self, events: tuple[bytes, ...], index: int) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(events[index])
        if index + 1 < len(events):
            asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._send, events, index + 1)


async def serve(port: int) -> None:
    """Serve on loopback until the process ends."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
