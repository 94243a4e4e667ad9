"""The same dialect on both sides: what client and provider say to each other is not the gateway's to change.

What is nevertheless is in the decisions on streams and on bodies; the streams here are as those leave them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.gateways import Serving, in_order, route, snapshot
from harness.raw_http import Answer, exchange
from harness.raw_upstream import Line, RawUpstream, Received
from harness.vendors import VENDORS

ODD: Mapping[str, Any] = {
    "x_unknown": {"Deep": [None, True, 1.5, 1e-7, 9007199254740993, -0.0, "\u2028 \x00 \U0001f3ad", {}]},
    "empty": "",
    "": "a field without a name",
}
"""What no dialect has a word for."""


@dataclass(frozen=True)
class Way:
    """One dialect, spoken on both sides.

    Attributes:
        path: Where a whole answer is asked for.
        streaming: Where a stream is.
        body: What is asked; the model is in it, but for Gemini's.
        answer: What the provider says, whole.
        events: What it streams.
        content_type: Of the stream.
        headers: What the client sends besides.
    """

    path: str
    streaming: str
    body: dict[str, Any]
    answer: dict[str, Any]
    events: tuple[str, ...]
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


def _chunk(delta: str, finish: str = "null", more: str = "") -> str:
    choice = f'{{"index" :0,"delta": {delta}, "finish_reason":{finish},"x_odd":[1.0, 2]}}'
    return f'data: {{"id":"1", "object":"chat.completion.chunk","choices":[ {choice}]{more}}}\n\n'


def _event(kind: str, fields: str) -> str:
    return f'event: {kind}\ndata: {{ "type":"{kind}",{fields} }}\n\n'


def _part(parts: str, more: str = "") -> str:
    return f'data: {{"candidates" :[{{"index":0,"content":{{"parts":[{parts}],"role":"model"}}{more}}}]}}\r\n\r\n'


USAGE = '"usage":{"input_tokens":1,"output_tokens":2,"x_odd":[{}]}'
WAYS = {
    "openai": Way(
        "/v1/chat/completions",
        "/v1/chat/completions",
        {
            "model": "chat",
            "messages": [{"role": "user", "content": [{"type": "x_part", "x": 1}], "name": None, **ODD}],
            "metadata": {"a": "b"},
            "stream_options": {"include_usage": True, "x_odd": 1},
            "temperature": 1.0,
            **ODD,
        },
        {
            "id": "1",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Grüß", **ODD}, "finish_reason": "x"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9, **ODD},
            **ODD,
        },
        (
            _chunk('{"role":"assistant","content":"Gr\\u00fc\\u00df"}'),
            _chunk('{"content":" 🎭\\u2028", "x_odd":{"content":null}}'),
            _chunk('{"audio":{"data":"AAAA"}}', more=',"x_odd":"\\"usage\\""'),
            _chunk("{}", '"x_finish"'),
            'data: {"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"x_odd":0.10}}\n\n',
            "data: [DONE]\n\n",
        ),
    ),
    "anthropic": Way(
        "/v1/messages",
        "/v1/messages",
        {
            "model": "chat",
            "max_tokens": 10,
            "messages": [{"role": "user", "content": [{"type": "x_block", **ODD}]}],
            "system": [{"type": "text", "text": "Be.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "tools": [{"type": "x_tool_20991231", "name": "x", **ODD}],
            "mcp_servers": [{"type": "url"}],
            **ODD,
        },
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "Grüß", "citations": None}, {"type": "x_block", **ODD}],
            "stop_reason": "x_reason",
            "usage": {"input_tokens": 1, "output_tokens": 2, **ODD},
            **ODD,
        },
        (
            _event("message_start", '"message":{"id":"msg_1","type":"message","content":[],' + USAGE + "}"),
            _event("ping", '"x_odd":1.0'),
            _event("content_block_start", '"index":0,"content_block":{"type":"x_block","x":[]}'),
            _event("content_block_delta", '"index":0,"delta":{"type":"x_delta","x":"Gr\\u00fc🎭"}'),
            _event("x_event", '"x":{"y":1e2}'),
            _event("content_block_stop", '"index":0'),
            _event("content_block_start", '"index":1,"content_block":{"type":"text","text":""}'),
            _event("content_block_delta", '"index":1,"delta":{"type":"text_delta","text":"Gr\\u00fc🎭\\u2028"}'),
            _event("content_block_stop", '"index":1'),
            _event("message_delta", '"delta":{"stop_reason":"x_reason","x":null},' + USAGE),
            _event("message_stop", '"x_odd":true'),
        ),
        headers={"anthropic-version": "2026-10-21", "anthropic-beta": "x-2099,y"},
    ),
    "gemini": Way(
        "/v1beta/models/chat:generateContent",
        "/v1beta/models/chat:streamGenerateContent?alt=sse",
        {
            "contents": [{"role": "user", "parts": [{"x_part": 1, **ODD}]}],
            "safety_settings": [{"category": "X", "threshold": "OFF"}],
            "generation_config": {"x_odd": 1.0, "maxOutputTokens": 5},
            "tools": [{"google_search": {}}],
            "cachedContent": "cachedContents/1",
            **ODD,
        },
        {
            "candidates": [{"content": {"parts": [{"text": "Grüß", **ODD}], "role": "model"}, "finishReason": "X"}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 9, **ODD},
            **ODD,
        },
        (
            _part('{"text":"Gr\\u00fc\\u00df"}'),
            _part('{"x_part":{"text":"🎭"} ,"thoughtSignature":"AAAA"}'),
            _part('{"text":" 🎭"}', ',"finishReason":"X_REASON","groundingMetadata":{"x":[1.0]}'),
        ),
    ),
    "ollama": Way(
        "/api/chat",
        "/api/chat",
        {
            "model": "chat",
            "messages": [{"role": "user", "content": "hi", **ODD}],
            "options": {"mirostat": 1, "x_odd": 1.0},
            "keep_alive": -1,
            "stream": True,
            **ODD,
        },
        {
            "model": "x",
            "message": {"role": "assistant", "content": "Grüß", **ODD},
            "done": True,
            "done_reason": "x",
            "prompt_eval_count": 1,
            "eval_count": 2,
            **ODD,
        },
        (
            '{"model":"x", "message":{"role":"assistant","content":"Gr\\u00fc"},"done":false}\n',
            '{"model":"x","message":{"role":"assistant","content":" 🎭\\u2028","x_odd":[1.0]} ,"done":false}\n',
            '{"model":"x","message":{"role":"assistant","content":""},"done_reason":"x","done":true,"x_odd":{}}\n',
        ),
        content_type="application/x-ndjson",
    ),
}
EACH = [pytest.param(dialect, way, id=dialect) for dialect, way in WAYS.items()]


class Upstream:
    """Keeps what comes, and answers with the same bytes each time, in pieces."""

    def __init__(self, content: bytes, content_type: str, *, piece: int) -> None:
        self.received: list[Received] = []
        self._content = content
        self._type = content_type
        self._piece = piece

    async def serve(self, line: Line) -> None:
        """The script."""
        while True:
            self.received.append(await line.request())
            head = f"HTTP/1.1 200 OK\r\ncontent-type: {self._type}\r\ncontent-length: {len(self._content)}\r\n\r\n"
            await line.send(head.encode())
            for at in range(0, len(self._content), self._piece):
                await line.send(self._content[at : at + self._piece])


async def ask(dialect: str, path: str, body: dict[str, Any], upstream: Upstream) -> Answer:
    """Ask a gateway in front of it."""
    async with RawUpstream(upstream.serve) as server:
        given = VENDORS[dialect].provider("a", f"http://127.0.0.1:{server.port}")
        async with Serving(snapshot([given], [route("chat", *in_order("a"))])) as gateway:
            headers = {"content-type": "application/json", **WAYS[dialect].headers}
            return await exchange(gateway.port, "POST", path, json.dumps(body).encode(), headers)


def _sent(dialect: str, received: Received) -> tuple[str, Any]:
    """Path and body as the provider got them, with the model's name as the client has it."""
    model = VENDORS[dialect].model
    body = json.loads(received.body)
    if dialect != "gemini":
        assert body.pop("model") == model
        body["model"] = "chat"
    return received.line.split(" ")[1].replace(model, "chat"), body


@pytest.mark.parametrize(("dialect", "way"), EACH)
async def test_a_whole_answer(dialect: str, way: Way) -> None:
    """The provider gets the client's JSON with its own name of the model, the client the provider's very bytes."""
    said = b" " + json.dumps(way.answer, indent=1).encode() + b"\n"
    upstream = Upstream(said, "application/json", piece=1000)
    asked = way.body | ({"stream": False} if "stream" in way.body else {})
    answer = await ask(dialect, way.path, asked, upstream)
    assert (200, said) == (answer.status, answer.body)
    assert (way.path, asked) == _sent(dialect, upstream.received[0])


@pytest.mark.parametrize("piece", [1, 7, 100_000], ids=["byte by byte", "in pieces", "at once"])
@pytest.mark.parametrize(("dialect", "way"), EACH)
async def test_a_stream(dialect: str, way: Way, piece: int) -> None:
    """As a whole answer, however the provider's bytes are cut."""
    said = "".join(way.events).encode()
    upstream = Upstream(said, way.content_type, piece=piece)
    asked = way.body | ({} if dialect == "gemini" else {"stream": True})
    answer = await ask(dialect, way.streaming, asked, upstream)
    assert (200, True) == (answer.status, answer.complete)
    assert said.decode() == answer.body.decode()
    assert (way.streaming, asked) == _sent(dialect, upstream.received[0])
    assert way.content_type == answer.headers["content-type"].partition(";")[0]


async def test_a_clients_headers() -> None:
    """Of the client's headers those go on that are part of a request in the dialect, and no credential."""
    way = WAYS["anthropic"]
    upstream = Upstream(json.dumps(way.answer).encode(), "application/json", piece=1000)
    await ask("anthropic", way.path, way.body, upstream)
    sent = upstream.received[0].headers
    assert ("2026-10-21", "x-2099,y") == (sent["anthropic-version"], sent["anthropic-beta"])
