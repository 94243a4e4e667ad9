"""Conversations as Anthropic gets them: goldens where both sides matter, and each rule by itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.anthropic.encode import Encoded, encode, to_count
from understudy_proxy.dialects.anthropic.provider import PROVIDER
from understudy_proxy.dialects.bodies import written
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
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.request_error import RequestError, Unsupported

OLD, MIDDLE, NEW = "claude-sonnet-4-20250514", "claude-sonnet-4-5", "claude-opus-5-5"
HELLO = Message(Role.USER, (Text("Hello"),))
CHAT = Chat("m", (HELLO,))
WEATHER = Tool("get_weather", "Tells it", {"properties": {"city": {"type": "string"}}}, strict=True)
TIME = Tool("get_time")


def sent(chat: Chat, model: str = MIDDLE, *, max_output_tokens: int | None = None) -> Encoded:
    """The request as `model` gets it."""
    return encode(chat, a_candidate("ai/claude:m", a_model(upstream_name=model, max_output_tokens=max_output_tokens)))


def blocks_of(*parts: Part, role: Role = Role.USER) -> list[Any]:
    """The content blocks of a message."""
    messages = (HELLO, Message(role, parts)) if role is Role.ASSISTANT else (Message(role, parts),)
    return list(sent(Chat("m", messages)).body["messages"][-1]["content"])


def test_the_call() -> None:
    """The oldest version of the API, which takes all parameters; nothing else in headers."""
    turn = PROVIDER.chat(replace(CHAT, stream=True), a_candidate("ai/claude:m", a_model(upstream_name=MIDDLE)))
    assert ("/v1/messages", (("anthropic-version", "2023-06-01"),)) == (turn.call.path, turn.call.headers)
    assert {
        "model": MIDDLE,
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "stream": True,
    } == json.loads(turn.call.body)


@pytest.mark.parametrize(
    ("part", "block"),
    [
        pytest.param(
            Text("x", CacheMark("1h")),
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            id="a cache mark",
        ),
        pytest.param(
            Image("image/png", "iVBO"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
            id="an image",
        ),
        pytest.param(
            Image(url="https://x/y.png", cache=CacheMark()),
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"},
             "cache_control": {"type": "ephemeral"}},
            id="an image's URL",
        ),
        pytest.param(
            Image("application/pdf", "JVBE"),
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
            id="a PDF in the place of an image",
        ),
        pytest.param(
            Document("application/pdf", data="JVBE", title="a.pdf"),
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
             "title": "a.pdf"},
            id="a PDF",
        ),
        pytest.param(
            Document("text/markdown", data="R3LDvMOf"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüß"}},
            id="a text in base64",
        ),
        pytest.param(
            Document("text/plain", text="abc"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "abc"}},
            id="a text",
        ),
        pytest.param(
            Document("application/pdf", url="https://x/y.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}},
            id="a document's URL",
        ),
        pytest.param(
            ToolResult("call_1", (Text("22"), Text(""), Image("image/png", "iVBO")), is_error=True),
            {"type": "tool_result", "tool_use_id": "call_1", "is_error": True, "content": [
                {"type": "text", "text": "22"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}]},
            id="a result",
        ),
        pytest.param(
            ToolResult("call_1", (Text(""),)), {"type": "tool_result", "tool_use_id": "call_1"}, id="an empty result"
        ),
    ],
)  # fmt: skip
def test_what_a_user_says(part: Part, block: dict[str, Any]) -> None:
    """Each part in the vendor's words."""
    assert [block] == blocks_of(part)


@pytest.mark.parametrize(
    ("part", "blocks"),
    [
        pytest.param(
            ToolCall("call_1", "get_weather", '{"city": "Bonn"}'),
            [{"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Bonn"}}],
            id="a call",
        ),
        pytest.param(
            ToolCall("call_1", "get_time", ""),
            [{"type": "tool_use", "id": "call_1", "name": "get_time", "input": {}}],
            id="a call without arguments",
        ),
        pytest.param(
            Thinking("Hm.", Signature("EqQB", Issuer.ANTHROPIC)),
            [{"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}],
            id="its own reasoning",
        ),
        pytest.param(Thinking(redacted="Emw"), [{"type": "redacted_thinking", "data": "Emw"}], id="hidden reasoning"),
        pytest.param(Thinking("Hm.", Signature("CoQB", Issuer.GEMINI)), [], id="another vendor's reasoning"),
        pytest.param(Thinking("Hm."), [], id="reasoning nobody signed"),
        pytest.param(Refusal("No."), [{"type": "text", "text": "No."}], id="a refusal"),
    ],
)
def test_what_a_model_said(part: Part, blocks: list[Any]) -> None:
    """Calls as objects; reasoning only if the vendor will know it again."""
    assert [*blocks, {"type": "text", "text": "so"}] == blocks_of(part, Text("so  \n"), role=Role.ASSISTANT)


@pytest.mark.parametrize(
    ("chat", "error"),
    [
        pytest.param(replace(CHAT, choices=2), Unsupported, id="two answers"),
        pytest.param(replace(CHAT, sampling=Sampling(logprobs=True)), Unsupported, id="logprobs"),
        pytest.param(replace(CHAT, sampling=Sampling(top_logprobs=2)), Unsupported, id="top_logprobs"),
        pytest.param(Chat("m", (Message(Role.USER, (Audio("audio/wav", "UklG"),)),)), Unsupported, id="audio"),
        pytest.param(Chat("m", (Message(Role.USER, (Image("image/tiff", "SUk"),)),)), Unsupported, id="TIFF"),
        pytest.param(Chat("m", (Message(Role.USER, (Document("a/b", "SUk"),)),)), Unsupported, id="any file"),
        pytest.param(Chat("m", (Message(Role.USER, (Document("text/csv", "/w"),)),)), RequestError, id="bad base64"),
        pytest.param(Chat("m", ()), RequestError, id="nothing said"),
        pytest.param(
            Chat("m", (HELLO, Message(Role.ASSISTANT, (ToolCall("c", "f", "[1]"),)))), RequestError, id="a list"
        ),
        pytest.param(
            Chat("m", (HELLO, Message(Role.ASSISTANT, (ToolCall("c", "f", "{"),)))), RequestError, id="no JSON"
        ),
        pytest.param(replace(CHAT, tool_choice=ToolChoice(ToolMode.REQUIRED)), RequestError, id="no tool to call"),
    ],
)
def test_what_cannot_be_said(chat: Chat, error: type[Exception]) -> None:
    """What changes the meaning is never left out without a word."""
    with pytest.raises(error):
        sent(chat)


@pytest.mark.parametrize(
    ("chat", "model", "fields"),
    [
        pytest.param(replace(CHAT, max_tokens=7), OLD, {"max_tokens": 7}, id="max_tokens"),
        pytest.param(
            replace(CHAT, sampling=Sampling(temperature=0.5, top_k=3, stop=("END",))),
            MIDDLE,
            {"temperature": 0.5, "top_k": 3, "stop_sequences": ["END"]},
            id="sampling",
        ),
        pytest.param(
            replace(CHAT, sampling=Sampling(temperature=0.5, top_p=0.9)),
            OLD,
            {"temperature": 0.5, "top_p": 0.9},
            id="both, with a model that takes both",
        ),
        pytest.param(
            replace(CHAT, tools=(WEATHER, TIME), parallel_tool_calls=False),
            MIDDLE,
            {
                "tools": [
                    {
                        "name": "get_weather",
                        "description": "Tells it",
                        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
                        "strict": True,
                    },
                    {"name": "get_time", "input_schema": {"type": "object", "properties": {}}},
                ],
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            },
            id="tools, one at a time",
        ),
        pytest.param(
            replace(CHAT, tools=(TIME,), tool_choice=ToolChoice(ToolMode.REQUIRED)),
            OLD,
            {"tools": [{"name": "get_time", "input_schema": {"type": "object", "properties": {}}}],
             "tool_choice": {"type": "any"}},
            id="any tool",
        ),
        pytest.param(
            replace(CHAT, tools=(TIME, Tool("f")), tool_choice=ToolChoice(ToolMode.REQUIRED, ("f",))),
            OLD,
            {"tools": [{"name": "get_time", "input_schema": {"type": "object", "properties": {}}},
                       {"name": "f", "input_schema": {"type": "object", "properties": {}}}],
             "tool_choice": {"type": "tool", "name": "f"}},
            id="one tool among others",
        ),
        pytest.param(
            replace(CHAT, tools=(WEATHER, TIME), tool_choice=ToolChoice(ToolMode.AUTO, ("get_time",))),
            OLD,
            {"tools": [{"name": "get_time", "input_schema": {"type": "object", "properties": {}}}]},
            id="some of the tools",
        ),
        pytest.param(
            replace(CHAT, format=JsonFormat({"type": "object", "additionalProperties": False})),
            MIDDLE,
            {"output_config": {"format": {"type": "json_schema",
                                          "schema": {"type": "object", "additionalProperties": False}}}},
            id="a JSON Schema",
        ),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.HIGH)), NEW,
                     {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}, "max_tokens": 16_384},
                     id="effort"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.MINIMAL, visible=True)), NEW,
                     {"thinking": {"type": "adaptive", "display": "summarized"},
                      "output_config": {"effort": "low"}, "max_tokens": 16_384}, id="the least effort, to be read"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.NONE)), NEW, {"thinking": {"type": "disabled"}},
                     id="no thinking"),
        pytest.param(replace(CHAT, reasoning=Reasoning(budget_tokens=10_000)), NEW,
                     {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}, "max_tokens": 16_384},
                     id="a budget in words"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.HIGH)), MIDDLE,
                     {"thinking": {"type": "enabled", "budget_tokens": 4096}, "max_tokens": 8192}, id="in tokens"),
        pytest.param(replace(CHAT, reasoning=Reasoning(budget_tokens=5000), max_tokens=4000), MIDDLE,
                     {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
                     id="room for an answer"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.NONE)), OLD, {}, id="no thinking is the old way"),
        pytest.param(replace(CHAT, user="u-17", service_tier="default"), OLD,
                     {"metadata": {"user_id": "u-17"}, "service_tier": "standard_only"}, id="for whom"),
    ],
)  # fmt: skip
def test_fields(chat: Chat, model: str, fields: dict[str, Any]) -> None:
    """What is said beside the conversation, and nothing more, without a warning."""
    encoded = sent(chat, model)
    rest = {name: value for name, value in encoded.body.items() if name not in {"model", "messages"}}
    assert {"max_tokens": 4096} | fields == rest
    assert () == encoded.warnings


@pytest.mark.parametrize(
    ("chat", "model", "absent", "about"),
    [
        pytest.param(replace(CHAT, sampling=Sampling(seed=7)), OLD, "seed", "'seed'", id="seed"),
        pytest.param(replace(CHAT, extra={"verbosity": "low"}), OLD, "verbosity", "'verbosity'", id="another's field"),
        pytest.param(replace(CHAT, sampling=Sampling(temperature=0.5, top_p=0.5)), MIDDLE, "top_p", "'top_p'",
                     id="both"),
        pytest.param(replace(CHAT, sampling=Sampling(temperature=0.5)), NEW, "temperature", "'temperature'",
                     id="sampling of a model that takes none"),
        pytest.param(replace(CHAT, sampling=Sampling(temperature=0.5), reasoning=Reasoning(Effort.LOW)), MIDDLE,
                     "temperature", "'temperature'", id="sampling while thinking"),
        pytest.param(replace(CHAT, sampling=Sampling(stop=("\n",))), OLD, "stop_sequences", "white space",
                     id="white space"),
        pytest.param(replace(CHAT, user="a@example.com"), OLD, "metadata", "'user'", id="an address"),
        pytest.param(replace(CHAT, service_tier="flex"), OLD, "service_tier", "'flex'", id="a tier"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.LOW), max_tokens=1000), OLD, "thinking", "1000 tokens",
                     id="no room to think"),
        pytest.param(replace(CHAT, tools=(TIME,), tool_choice=ToolChoice(ToolMode.REQUIRED),
                             reasoning=Reasoning(Effort.LOW)), NEW, "thinking", "tool must be called",
                     id="thinking before a forced call"),
        pytest.param(replace(CHAT, reasoning=Reasoning(Effort.LOW), messages=(
            HELLO, Message(Role.ASSISTANT, (ToolCall("c", "f", ""),)), Message(Role.USER, (ToolResult("c", ()),)))),
                     MIDDLE, "thinking", "its own reasoning", id="going on without the reasoning"),
    ],
)  # fmt: skip
def test_what_is_left_out_is_said(chat: Chat, model: str, absent: str, about: str) -> None:
    """What does not change the meaning is left out, and the client is told."""
    encoded = sent(chat, model)
    assert absent not in encoded.body
    (warning,) = encoded.warnings
    assert about in warning


def test_a_high_temperature_is_lowered() -> None:
    """Anthropic's scale ends where OpenAI's has its middle."""
    encoded = sent(replace(CHAT, sampling=Sampling(temperature=1.7)))
    assert 1 == encoded.body["temperature"]
    assert ("'temperature' was lowered to 1, the highest here.",) == encoded.warnings


def test_a_schema_for_a_model_without_json_schema() -> None:
    """It must call a tool that takes the answer; one of the client's own tools may come first."""
    chat = replace(CHAT, format=JsonFormat({"properties": {}}, description="A city"))
    alone, among = sent(chat, OLD).body, sent(replace(chat, tools=(TIME,)), OLD).body
    assert ({"type": "tool", "name": "json_tool_call"}, {"type": "any"}) == (alone["tool_choice"], among["tool_choice"])
    assert ["get_time", "json_tool_call"] == [tool["name"] for tool in among["tools"]]
    assert {"type": "object", "properties": {}} == alone["tools"][0]["input_schema"]


def test_json_without_a_schema_is_asked_for_in_words() -> None:
    """There is no mode for it, so the system prompt says it, and the client is told."""
    encoded = sent(replace(CHAT, system=(Text("Be kind."), Text(" ")), format=JsonFormat()))
    assert ["Be kind.", True] == [encoded.body["system"][0]["text"], "JSON" in encoded.body["system"][1]["text"]]
    assert 1 == len(encoded.warnings)


def test_the_user_has_the_first_word() -> None:
    """A conversation that begins with the model gets a beginning, and an empty message a word."""
    encoded = sent(Chat("m", (Message(Role.ASSISTANT, (Text("Hi"),)), Message(Role.USER, (Text(""),)))))
    said = [(turn["role"], turn["content"][0]["text"]) for turn in encoded.body["messages"]]
    assert [("user", "."), ("assistant", "Hi"), ("user", ".")] == said
    assert 2 == len(encoded.warnings)


def test_ids_and_names_that_the_vendor_refuses_are_changed_everywhere() -> None:
    """A call and its result still meet, and two different names never become one."""
    encoded = sent(
        Chat(
            "m",
            (
                HELLO,
                Message(Role.ASSISTANT, (ToolCall("a.b", "f.x", ""), ToolCall("a:b", "f:x", ""))),
                Message(Role.USER, (ToolResult("a.b", ()), ToolResult("a:b", ()))),
            ),
            tools=(Tool("f.x"), Tool("f:x"), Tool("f_x")),
        )
    )
    calls, results = (encoded.body["messages"][place]["content"] for place in (1, 2))
    assert [call["id"] for call in calls] == [result["tool_use_id"] for result in results]
    names = [tool["name"] for tool in encoded.body["tools"]]
    assert 3 == len(set(names))
    assert names[:2] == [call["name"] for call in calls]
    assert ["f.x", "f:x", "f_x"] == [encoded.names.back(name) for name in names]
    assert ["a.b", "a:b"] == [encoded.ids.back(call["id"]) for call in calls]


@pytest.mark.parametrize(
    ("longest", "budget", "expected"),
    [
        pytest.param(None, None, 4096, id="nobody knows the limit"),
        pytest.param(8192, None, 8192, id="a low limit"),
        pytest.param(64_000, None, 16_384, id="a high limit"),
        pytest.param(64_000, 30_000, 34_096, id="room to answer after thinking"),
    ],
)
def test_a_bound_for_who_states_none(longest: int | None, budget: int | None, expected: int) -> None:
    """The vendor wants a bound for every answer."""
    chat = CHAT if budget is None else replace(CHAT, reasoning=Reasoning(budget_tokens=budget))
    assert expected == sent(chat, max_output_tokens=longest).body["max_tokens"]


def test_counting_asks_for_the_same_without_an_answer() -> None:
    """A count takes no field that is about the answer."""
    chat = replace(CHAT, max_tokens=7, stream=True, sampling=Sampling(temperature=0.5), user="u", tools=(TIME,))
    assert {"model", "messages", "tools"} == set(to_count(sent(chat).body))


def test_a_nest_too_deep_is_an_error_of_the_client() -> None:
    """What can be read but not be written again is refused, not an exception."""
    schema: dict[str, Any] = {}
    for _ in range(300):
        schema = {"a": schema}
    with pytest.raises(RequestError):
        written(sent(replace(CHAT, tools=(Tool("f", parameters=schema),))).body)
