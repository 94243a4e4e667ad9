"""Conversations as Bedrock gets them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.bedrock.encode import Encoded, encode
from understudy_proxy.dialects.bedrock.provider import PROVIDER
from understudy_proxy.dialects.canonical.chat import (
    Chat,
    Effort,
    JsonFormat,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from understudy_proxy.dialects.canonical.content import (
    Audio,
    CacheMark,
    Document,
    Image,
    Issuer,
    Message,
    Part,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.failure import FailureKind, UpstreamFailure

OLD, MIDDLE, NEW, NOVA, LLAMA = (
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "global.anthropic.claude-opus-4-6-v1",
    "amazon.nova-pro-v1:0",
    "meta.llama3-70b-instruct-v1:0",
)
HELLO = Message(Role.USER, (Text("Hello"),))
CHAT = Chat("m", (HELLO,))
TIME = Tool("get_time")
TIME_SPEC = {"toolSpec": {"name": "get_time", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
CALL = Message(Role.ASSISTANT, (ToolCall("c", "get_time", ""),))
RESULT = Message(Role.USER, (ToolResult("c", (Text("noon"),), "get_time"),))


def sent(chat: Chat, model: str = MIDDLE) -> Encoded:
    """The request as `model` gets it."""
    return encode(chat, a_candidate("ai/aws:m", a_model(upstream_name=model)))


def blocks_of(*parts: Part, model: str = MIDDLE) -> list[Any]:
    """The content blocks of a user's message."""
    return list(sent(Chat("m", (Message(Role.USER, parts),)), model).body["messages"][-1]["content"])


def test_the_call() -> None:
    """The model is one segment of the path, whatever is in its name, and nowhere else."""
    candidate = a_candidate("ai/aws:m", a_model(upstream_name="arn:aws:bedrock:us-east-1:1:inference-profile/x.y-v1:0"))
    segment = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx.y-v1%3A0"
    call = PROVIDER.chat(CHAT, candidate).call
    assert f"{segment}/converse" == call.path
    assert {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]} == json.loads(call.body)
    streamed = PROVIDER.chat(replace(CHAT, stream=True), candidate).call
    assert f"{segment}/converse-stream" == streamed.path
    assert call.body == streamed.body


def test_a_whole_loop_of_tools() -> None:
    """Turns alternate, results are together, and all that is said of a tool is said by one name."""
    chat = Chat(
        "m",
        (
            HELLO,
            Message(
                Role.ASSISTANT,
                (
                    Thinking("Hm.", Signature("EqQB", Issuer.ANTHROPIC)),
                    Thinking(redacted="EmwK"),
                    Text("Let me see."),
                    ToolCall("call.1/x", "get_weather", '{"city": "Bonn"}'),
                    ToolCall("b" * 80, "get_time", ""),
                ),
            ),
            Message(
                Role.USER,
                (
                    ToolResult("call.1/x", (Text("22"), Image("image/png", "iVBO")), is_error=True),
                    ToolResult("b" * 80, (Text(""),)),
                    Text("So?", CacheMark("1h")),
                ),
            ),
        ),
        system=(Text("Be brief.", CacheMark()), Text(" ")),
        tools=(Tool("get_weather", "Tells it", {"properties": {}}, strict=True, cache=CacheMark()), TIME),
        tool_choice=ToolChoice(ToolMode.REQUIRED),
    )
    body = sent(chat).body
    calls, results = body["messages"][1]["content"][3:], body["messages"][2]["content"]
    first, second = (call["toolUse"]["toolUseId"] for call in calls)
    assert 64 >= max(len(first), len(second))
    assert {
        "messages": [
            {"role": "user", "content": [{"text": "Hello"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "EqQB"}}},
                    {"reasoningContent": {"redactedContent": "EmwK"}},
                    {"text": "Let me see."},
                    {"toolUse": {"toolUseId": first, "name": "get_weather", "input": {"city": "Bonn"}}},
                    {"toolUse": {"toolUseId": second, "name": "get_time", "input": {}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": first,
                            "content": [{"text": "22"}, {"image": {"format": "png", "source": {"bytes": "iVBO"}}}],
                            "status": "error",
                        }
                    },
                    {"toolResult": {"toolUseId": second, "content": [{"text": "."}]}},
                    {"text": "So?"},
                    {"cachePoint": {"type": "default", "ttl": "1h"}},
                ],
            },
        ],
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "get_weather",
                        "description": "Tells it",
                        "inputSchema": {"json": {"type": "object", "properties": {}}},
                        "strict": True,
                    }
                },
                {"cachePoint": {"type": "default"}},
                TIME_SPEC,
            ],
            "toolChoice": {"any": {}},
        },
    } == body
    assert 3 == len(results) - 1


@pytest.mark.parametrize(
    ("parts", "blocks"),
    [
        pytest.param((Image("image/jpeg", "/9j/"),), [{"image": {"format": "jpeg", "source": {"bytes": "/9j/"}}}],
                     id="an image"),
        pytest.param((Text("Read."), Document("application/pdf", data="JVBE", title="a_b.pdf (1)")),
                     [{"text": "Read."},
                      {"document": {"format": "pdf", "name": "a-b-pdf (1)", "source": {"bytes": "JVBE"}}}],
                     id="a document"),
        pytest.param((Document("text/plain", text="Grüß"),),
                     [{"document": {"format": "txt", "name": "document", "source": {"bytes": "R3LDvMOf"}}},
                      {"text": "."}],
                     id="a document needs words with it"),
        pytest.param((Image("application/pdf", "JVBE"), Text("?")),
                     [{"document": {"format": "pdf", "name": "document", "source": {"bytes": "JVBE"}}}, {"text": "?"}],
                     id="a PDF in the place of an image"),
        pytest.param((Audio("audio/mpeg", "SUQz"),), [{"audio": {"format": "mp3", "source": {"bytes": "SUQz"}}}],
                     id="sound"),
    ],
)  # fmt: skip
def test_what_a_user_says(parts: tuple[Part, ...], blocks: list[Any]) -> None:
    """Media in the vendor's words."""
    assert blocks == blocks_of(*parts)


@pytest.mark.parametrize(
    ("chat", "error"),
    [
        pytest.param(replace(CHAT, choices=2), Unsupported, id="two answers"),
        pytest.param(replace(CHAT, sampling=Sampling(logprobs=True)), Unsupported, id="logprobs"),
        pytest.param(Chat("m", (Message(Role.USER, (Image(url="https://x/y"),)),)), Unsupported, id="an image's URL"),
        pytest.param(
            Chat("m", (Message(Role.USER, (Document("a", url="https://x"),)),)), Unsupported, id="a document's URL"
        ),
        pytest.param(Chat("m", (Message(Role.USER, (Image("image/tiff", "SUk"),)),)), Unsupported, id="TIFF"),
        pytest.param(Chat("m", (Message(Role.USER, (Document("a/b", "SUk"),)),)), Unsupported, id="any file"),
        pytest.param(Chat("m", (Message(Role.USER, (Audio("audio/midi", "TVRo"),)),)), Unsupported, id="any sound"),
        pytest.param(
            Chat("m", (HELLO, CALL, RESULT), tools=(TIME,), tool_choice=ToolChoice(ToolMode.NONE)),
            Unsupported,
            id="no more calls",
        ),
        pytest.param(Chat("m", ()), RequestError, id="nothing said"),
        pytest.param(replace(CHAT, tool_choice=ToolChoice(ToolMode.REQUIRED)), RequestError, id="no tool to call"),
    ],
)
def test_what_cannot_be_said(chat: Chat, error: type[Exception]) -> None:
    """What changes the meaning is never left out without a word."""
    with pytest.raises(error):
        sent(chat)


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("chat", "model", "fields"),
    [
        pytest.param(replace(CHAT, max_tokens=7, sampling=Sampling(temperature=0.5, top_k=3, stop=("X",))), MIDDLE,
                     {"inferenceConfig": {"temperature": 0.5, "maxTokens": 7, "stopSequences": ["X"]},
                      "additionalModelRequestFields": {"top_k": 3}}, id="sampling"),
        pytest.param(replace(CHAT, sampling=Sampling(temperature=0.5, top_p=0.9)), LLAMA,
                     {"inferenceConfig": {"temperature": 0.5, "topP": 0.9}}, id="sampling of others"),
        pytest.param(replace(CHAT, tools=(TIME,), tool_choice=ToolChoice(ToolMode.REQUIRED, ("get_time",))), NOVA,
                     {"toolConfig": {"tools": [TIME_SPEC], "toolChoice": {"tool": {"name": "get_time"}}}},
                     id="one tool"),
        pytest.param(replace(CHAT, tools=(TIME,), tool_choice=ToolChoice(ToolMode.NONE)), NOVA, {}, id="no tool"),
        pytest.param(replace(CHAT, format=JsonFormat(SCHEMA, name="a")), MIDDLE,
                     {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
                         "schema": '{"type":"object","properties":{"a":{"type":"string"}}}', "name": "a"}}}}},
                     id="a JSON Schema"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.HIGH)), NEW,
                     {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
                      "outputConfig": {"effort": "high"}}, id="effort"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.HIGH)), MIDDLE,
                     {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 4096}},
                      "inferenceConfig": {"maxTokens": 8192}}, id="effort in tokens"),
        pytest.param(replace(CHAT, service_tier="flex"), NOVA, {"serviceTier": {"type": "flex"}}, id="a tier"),
        pytest.param(replace(CHAT, service_tier="auto"), NOVA, {}, id="any tier"),
    ],
)  # fmt: skip
def test_fields(chat: Chat, model: str, fields: dict[str, Any]) -> None:
    """What is said beside the conversation, and nothing more, without a warning."""
    encoded = sent(chat, model)
    assert fields == {name: value for name, value in encoded.body.items() if name != "messages"}
    assert () == encoded.warnings


@pytest.mark.parametrize(
    ("chat", "model", "about"),
    [
        pytest.param(replace(CHAT, sampling=Sampling(seed=7)), MIDDLE, "'seed'", id="seed"),
        pytest.param(replace(CHAT, extra={"verbosity": "low"}), MIDDLE, "'verbosity'", id="another's field"),
        pytest.param(replace(CHAT, user="u"), MIDDLE, "'user'", id="user"),
        pytest.param(replace(CHAT, service_tier="scale"), MIDDLE, "'scale'", id="a tier"),
        pytest.param(replace(CHAT, sampling=Sampling(temperature=1.5)), LLAMA, "lowered to 1", id="temperature"),
        pytest.param(replace(CHAT, sampling=Sampling(top_k=3)), LLAMA, "'top_k'", id="top_k of others"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.LOW)), LLAMA, "How hard to think", id="effort of others"),
        pytest.param(replace(CHAT, tools=(TIME,), parallel_tool_calls=False), MIDDLE, "'parallel_tool_calls'",
                     id="one call at a time"),
        pytest.param(replace(CHAT, format=JsonFormat()), MIDDLE, "through the system prompt", id="JSON"),
        pytest.param(replace(CHAT, system=(Text("x", CacheMark()),)), LLAMA, "Cache marks", id="cache marks of others"),
        pytest.param(Chat("m", (HELLO, CALL, RESULT)), MIDDLE, "declared again", id="calls without tools"),
        pytest.param(Chat("m", (HELLO, Message(Role.ASSISTANT, (Thinking("Hm."), Text("x"))), HELLO)), MIDDLE,
                     "left out", id="reasoning nobody signed"),
        pytest.param(Chat("m", (Message(Role.ASSISTANT, (Text("x"),)), HELLO)), MIDDLE, "begin with the user",
                     id="the model first"),
        pytest.param(Chat("m", (Message(Role.USER, (Text(" "),)),)), MIDDLE, "empty message", id="nothing said"),
    ],
)  # fmt: skip
def test_what_is_done_to_a_request_is_said(chat: Chat, model: str, about: str) -> None:
    """What does not change the meaning is left out or put right, and the client is told."""
    (warning,) = sent(chat, model).warnings
    assert about in warning


def test_tools_of_the_conversation_are_declared_again() -> None:
    """Bedrock refuses calls in the conversation of tools that the request does not declare."""
    assert {"tools": [TIME_SPEC]} == sent(Chat("m", (HELLO, CALL, RESULT))).body["toolConfig"]


def test_turns_alternate() -> None:
    """A turn of which nothing is left leaves no two of its neighbors side by side."""
    thought = Message(Role.ASSISTANT, (Thinking("Hm."),))
    messages = sent(Chat("m", (HELLO, thought, HELLO))).body["messages"]
    assert [{"role": "user", "content": [{"text": "Hello"}, {"text": "Hello"}]}] == messages


def test_a_schema_for_a_model_without_json_schema() -> None:
    """It must call a tool that takes the answer."""
    config = sent(replace(CHAT, format=JsonFormat(SCHEMA)), OLD).body["toolConfig"]
    assert {"tool": {"name": "json_tool_call"}} == config["toolChoice"]
    assert SCHEMA == config["tools"][0]["toolSpec"]["inputSchema"]["json"]


def test_what_is_to_be_gone_on_with_ends_in_a_word() -> None:
    """The beginning of an answer goes last, without the white space that Bedrock refuses there."""
    messages = sent(Chat("m", (HELLO, Message(Role.ASSISTANT, (Text("So \n"),))))).body["messages"]
    assert {"role": "assistant", "content": [{"text": "So"}]} == messages[-1]


def test_counting() -> None:
    """The model itself counts, wherever it runs; nothing about the answer is sent."""
    assert PROVIDER.count is not None
    chat = replace(CHAT, max_tokens=7, system=(Text("x"),), tools=(TIME,))
    turn = PROVIDER.count(chat, a_candidate("ai/aws:m", a_model(upstream_name=MIDDLE)))
    assert "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens" == turn.call.path
    assert {"messages", "system", "toolConfig"} == set(json.loads(turn.call.body)["input"]["converse"])
    assert 12 == turn.read(200, {}, b'{"inputTokens": 12}')
    for status, body, kind in ((200, b"{}", FailureKind.INVALID_RESPONSE), (429, b"", FailureKind.RATE_LIMITED)):
        failure = turn.read(status, {}, body)
        assert isinstance(failure, UpstreamFailure)
        assert kind is failure.kind


def test_no_more_calls_is_asked_for_in_words_where_they_can_be_dealt_with() -> None:
    """Its tools have to be declared as long as the conversation has calls, and nothing else keeps a model from more."""
    choice = ToolChoice(ToolMode.NONE, firm=False)
    body = sent(Chat("m", (HELLO, CALL, RESULT), tools=(TIME,), tool_choice=choice)).body
    assert {"tools": [TIME_SPEC]} == body["toolConfig"]
    assert {"text": "Call no tool any more: answer with what you have."} == body["messages"][-1]["content"][-1]
    assert "toolConfig" not in sent(replace(CHAT, tools=(TIME,), tool_choice=choice)).body
