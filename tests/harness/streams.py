"""Streams for tests: what a client sees of one, and how it reads it."""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_proxy.dialects.openai.stream import ChatStream
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Seen:
    """What a client saw of a stream."""

    out: bytes
    began: bool
    finished: bool
    failure: UpstreamFailure | None
    usage: Usage | None


def streamed(*chunks: bytes, include_usage: bool = True, choices: int = 1) -> Seen:
    """What a client sees when these chunks come in, one after the other, and then the end."""
    stream = ChatStream(include_usage=include_usage, choices=choices)
    out = b""
    for chunk in chunks:
        fed = stream.feed(chunk)
        assert fed.began or not fed.out
        out += fed.out
        if fed.failure is not None:
            break
    fed = stream.close()
    return Seen(out + fed.out, fed.began, stream.finished, fed.failure, stream.usage)


def client_sees(*chunks: bytes, include_usage: bool = True, choices: int = 1) -> Seen:
    """What a client sees, which is the same whether the chunks come one by one or together, before or after a start."""
    whole = streamed(b"".join(chunks), include_usage=include_usage, choices=choices)
    for at in range(1, len(chunks)):
        pieces = (b"".join(chunks[:at]), b"".join(chunks[at:]))
        assert streamed(*pieces, include_usage=include_usage, choices=choices) == whole
    assert streamed(*chunks, include_usage=include_usage, choices=choices) == whole
    return whole


def a_chunk(delta: dict[str, Any] | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    """An event of a stream with a single choice."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return b"data: " + orjson.dumps({"id": "1", "choices": [choice], **more}) + b"\n\n"


ROLE = a_chunk({"role": "assistant", "content": ""})
TEXT = a_chunk({"content": "Hi"})
STOP = a_chunk(finish="stop")


def chunks_in(out: bytes) -> list[dict[str, Any]]:
    """What is in the events of a stream, read as strictly as a client may: one `data: ` line each, ended by LF LF."""
    events = out.split(b"\n\n")
    assert events.pop() == b""
    datas = [event.removeprefix(b"data: ") for event in events if event != b":"]
    assert all(b"data: " + data in events and b"\n" not in data for data in datas)
    return [orjson.loads(data) for data in datas if data != b"[DONE]"]


def text_in(out: bytes) -> str:
    """Everything that is said, thought, refused or called, in order."""
    said = ""
    for chunk in chunks_in(out):
        for choice in chunk["choices"]:
            delta = choice["delta"]
            said += delta.get("content") or delta.get("refusal") or delta.get("reasoning_content") or ""
            for call in delta.get("tool_calls") or ():
                said += call["function"]["arguments"]
    return said
