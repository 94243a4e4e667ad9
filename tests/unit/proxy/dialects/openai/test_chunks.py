"""The stream that an OpenAI client gets, to the byte, and what its message is when it came whole."""

from typing import Any

import orjson
import pytest

from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import Issuer, Refusal, Signature, Text, Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.openai.chunks import ChunkEncoder
from understudy_proxy.dialects.openai.completion import render
from understudy_proxy.dialects.openai.request import ChatRequest, read
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

CLAUDES = Signature("c2ln", Issuer.ANTHROPIC)
GEMINIS = Signature("Z2Vt", Issuer.GEMINI)
ANSWER: list[Event] = [
    Began("msg_1", "claude-x", "default"),
    ThinkingDelta("Let me "),
    ThinkingDelta("see."),
    ThinkingSigned(CLAUDES),
    ThinkingRedacted("ZGF0YQ=="),
    TextDelta("Grüß "),
    TextDelta('"Gott"\n'),
    ToolCallBegan(2, "call_1", "get_weather", signature=GEMINIS),
    ArgumentsDelta(2, '{"city":'),
    ToolCallBegan(5, "call_2", "get_time"),
    ArgumentsDelta(2, '"Wien"}'),
    Finished(Finish.TOOL_CALLS),
    Counted(Usage(10, 5, cached_input=4, cache_write=2, reasoning=3)),
    Ended(),
]
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 3,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
BLOCKS = [
    {"type": "thinking", "thinking": "Let me see.", "signature": "understudy.anthropic.c2ln"},
    {"type": "redacted_thinking", "data": "understudy.anthropic.ZGF0YQ=="},
]
FIRST_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Wien"}'},
    "extra_content": {"google": {"thought_signature": "Z2Vt"}},
}


def _asked(**body: Any) -> ChatRequest:
    return read(orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]} | body))


def _encoder(**body: Any) -> ChunkEncoder:
    asked = _asked(**body)
    older = bool(body.get("functions"))
    return ChunkEncoder(model=asked.model, include_usage=asked.include_usage, older=older, now=lambda: 7.9)


def _deltas(told: bytes) -> list[Any]:
    """What the chunks add, and how they end; any other event as it is."""
    deltas: list[Any] = []
    for event in told.split(b"\n\n")[:-1]:
        data = event.removeprefix(b"data: ")
        if not data.startswith(b"{"):
            deltas.append(data.decode())
            continue
        deltas += [choice["finish_reason"] or choice["delta"] for choice in orjson.loads(data)["choices"]]
    return deltas


def test_the_bytes_of_a_stream() -> None:
    """Each chunk carries whose it is; usage is null until the chunk that has nothing else."""
    events: list[Event] = [Began("c1", "real"), TextDelta("Hi"), Finished(Finish.STOP), Counted(Usage(1, 1)), Ended()]
    head = b'data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"real","system_fingerprint":null,'
    usage = b'"prompt_tokens":1,"completion_tokens":1,"total_tokens":2'
    details = (
        b'"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"audio_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,'
        b'"rejected_prediction_tokens":0}'
    )
    assert b"".join(
        [
            head + b'"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},',
            b'"logprobs":null,"finish_reason":null}],"usage":null}\n\n',
            head + b'"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],',
            b'"usage":null}\n\n',
            head + b'"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}\n\n',
            head + b'"choices":[],"usage":{' + usage + b"," + details + b"}}\n\n",
            b"data: [DONE]\n\n",
        ]
    ) == _encoder(stream=True, stream_options={"include_usage": True}).encode(events)


def test_everything_an_answer_can_hold() -> None:
    """Reasoning comes as words, then as blocks that can be sent back; calls are counted from 0, arguments whole."""
    assert [
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning_content": "Let me "},
        {"reasoning_content": "see."},
        {"thinking_blocks": [{"index": 0} | BLOCKS[0]]},
        {"thinking_blocks": [{"index": 1} | BLOCKS[1]]},
        {"content": "Grüß "},
        {"content": '"Gott"\n'},
        {"tool_calls": [{"index": 0} | FIRST_CALL | {"function": {"name": "get_weather", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
        {
            "tool_calls": [
                {"index": 1, "id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '"Wien"}'}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        "tool_calls",
        "[DONE]",
    ] == _deltas(_encoder(stream=True).encode(ANSWER))


def test_the_same_whole() -> None:
    """A whole answer holds what the stream amounts to."""
    told = orjson.loads(render(fold(ANSWER), _asked(), now=lambda: 7.9))
    assert {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 7,
        "model": "claude-x",
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": 'Grüß "Gott"\n',
                    "refusal": None,
                    "reasoning_content": "Let me see.",
                    "thinking_blocks": BLOCKS,
                    "tool_calls": [
                        FIRST_CALL,
                        {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}},
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": USAGE,
    } == told


@pytest.mark.parametrize(
    ("choice", "content"),
    [
        pytest.param(Choice((ToolCall("a", "f", ""),), Finish.TOOL_CALLS), None, id="calls alone"),
        pytest.param(Choice((Refusal("No."),), Finish.STOP), None, id="a refusal alone"),
        pytest.param(Choice((), Finish.LENGTH), "", id="nothing"),
        pytest.param(Choice((Thinking("hm"),), Finish.LENGTH), "", id="reasoning alone"),
        pytest.param(Choice((Text("a"), Thinking("hm"), Text("b")), Finish.STOP), "ab", id="texts around reasoning"),
    ],
)
def test_content(choice: Choice, content: str | None) -> None:
    """Content is null where calls or a refusal stand in its place, and all texts together else."""
    told = orjson.loads(render(Answer((choice,), None), _asked()))
    assert content == told["choices"][0]["message"]["content"]
    assert told["id"].startswith("chatcmpl-")
    assert (None, "chat") == (told["usage"], told["model"])


def test_functions() -> None:
    """A client from before there were tools gets the first call as the function call that it knows."""
    functions = [{"name": "get_weather"}]
    assert [
        {"role": "assistant", "content": None, "refusal": None},
        {"function_call": {"name": "get_weather", "arguments": ""}},
        {"function_call": {"arguments": '{"city":'}},
        {"function_call": {"arguments": '"Wien"}'}},
        "function_call",
        "[DONE]",
    ] == _deltas(_encoder(stream=True, functions=functions).encode(ANSWER[:1] + ANSWER[7:]))
    told = orjson.loads(render(fold(ANSWER), _asked(functions=functions)))
    assert "function_call" == told["choices"][0]["finish_reason"]
    assert FIRST_CALL["function"] == told["choices"][0]["message"]["function_call"]
    assert "tool_calls" not in told["choices"][0]["message"]


def test_answers_side_by_side() -> None:
    """Each of several answers has its own role, logprobs and end."""
    logprobs = {"content": [{"token": "A", "logprob": -0.5, "bytes": [65], "top_logprobs": []}]}
    events: list[Event] = [
        TextDelta("A", 0, logprobs),
        RefusalDelta("No.", 1),
        Finished(Finish.LENGTH, 1),
        Finished(Finish.STOP, 0),
    ]
    told = _encoder(stream=True, n=2).encode(events)
    chunks = [orjson.loads(event.removeprefix(b"data: ")) for event in told.split(b"\n\n")[:-1]]
    choices = [chunk["choices"][0] for chunk in chunks]
    assert [0, 0, 1, 1, 1, 0] == [choice["index"] for choice in choices]
    assert [None, logprobs, None, None, None, None] == [choice["logprobs"] for choice in choices]
    assert [{"refusal": "No."}, "length", "stop"] == _deltas(told)[3:]
    assert 1 == len({chunk["id"] for chunk in chunks})


def test_signs_of_life() -> None:
    """They are comments, which SDKs skip."""
    assert b": keep-alive\n\n" == _encoder(stream=True).encode([KeptAlive()])


def test_an_answer_that_another_goes_on_with() -> None:
    """The next chunk says who goes on, and nothing else about it is unusual."""
    encoder = _encoder(stream=True)
    encoder.encode([TextDelta("Once")])
    first, second = encoder.encode([Resumed("ai/b:m"), TextDelta(" upon"), TextDelta(" a")]).split(b"\n\n")[:-1]
    assert {"resumed_by": "ai/b:m"} == orjson.loads(first.removeprefix(b"data: "))["understudy"]
    assert b"understudy" not in second
    assert b"role" not in first


def test_an_answer_that_breaks_off() -> None:
    """What an SDK raises on comes in the stream, and no end of it."""
    told = _encoder(stream=True).failed(UpstreamFailure(FailureKind.STREAM_IDLE, "sk-secret"))
    error = orjson.loads(told.removeprefix(b"data: "))["error"]
    assert ("upstream_error", "stream_interrupted") == (error["type"], error["code"])
    assert b"DONE" not in told
    assert b"secret" not in told
