"""Any conversation that OpenAI's dialect can say comes back from it as it was; any body at all is read or refused."""

import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.runtimes import a_model, a_provider, a_runtime
from understudy_proxy.dialects.canonical.answer import Answer
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
    Message,
    Part,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.passing import PassedChat
from understudy_proxy.dialects.openai.provider import PROVIDER
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.request_error import RequestError, Unsupported

# It takes most of what can be said.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
OPENROUTER = (
    a_runtime(a_provider("ai/p", serves={"m": a_model(upstream_name="m")}, type="OpenRouter"))
    .upstreams["ai/p"]
    .candidates["m"]
)

words = st.text(min_size=1, max_size=20)
names = st.text("abcXYZ019_-", min_size=1, max_size=20)
marks = st.none() | st.builds(CacheMark, st.sampled_from([None, "5m", "1h"]))
base64 = st.sampled_from(["QUJD", "AA==", ""])
texts = st.builds(Text, words, marks)
images = st.builds(Image, st.sampled_from(["image/png", "image/webp"]), base64, cache=marks) | st.builds(
    Image, url=st.just("https://example.com/a.png"), detail=st.sampled_from([None, "low"]), cache=marks
)
sounds = st.builds(Audio, st.sampled_from(["audio/wav", "audio/mp3"]), base64)
files = st.builds(Document, st.just("application/pdf"), base64, title=st.just("a.pdf"), cache=marks)
user_parts = st.one_of(
    st.tuples(texts),
    st.lists(texts | images | sounds | files, min_size=2, max_size=4)
    .filter(lambda parts: not all(isinstance(part, Text) for part in parts))
    .map(tuple),
)
arguments = st.dictionaries(names, st.integers() | words, max_size=2).map(json.dumps)
tools = st.lists(
    st.builds(
        Tool,
        names,
        st.none() | words,
        st.none() | st.just({"type": "object", "properties": {}}),
        st.none() | st.booleans(),
    ),
    max_size=3,
    unique_by=lambda tool: tool.name,
).map(tuple)


@st.composite
def rounds(draw: st.DrawFn, number: int) -> list[Message]:
    """An answer, and what the user says to it."""
    said: list[Part] = []
    if draw(st.booleans()):
        said.append(Thinking(draw(words)))
    said.append(Text(draw(words)))
    calls = [
        ToolCall(f"call_{number}_{index}", draw(names), draw(arguments)) for index in range(draw(st.integers(0, 2)))
    ]
    results = [ToolResult(call.id, (Text(draw(words)),), name=call.name) for call in calls]
    heard: list[Part] = [*results]
    if not results or draw(st.booleans()):
        heard += draw(user_parts)
    return [Message(Role.ASSISTANT, (*said, *calls)), Message(Role.USER, tuple(heard))]


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    """A request."""
    turns = [Message(Role.USER, draw(user_parts))]
    for number in range(draw(st.integers(0, 3))):
        turns += draw(rounds(number))
    offered = draw(tools)
    choices = st.none() | st.builds(ToolChoice, st.sampled_from(ToolMode))
    one = choices if not offered else choices | st.just(ToolChoice(ToolMode.REQUIRED, (offered[0].name,)))
    return Chat(
        model="m",
        messages=tuple(turns),
        system=draw(st.just(()) | st.tuples(texts)),
        tools=offered,
        tool_choice=draw(one) if offered else None,
        parallel_tool_calls=draw(st.none() | st.booleans()) if offered else None,
        sampling=draw(samplings),
        max_tokens=draw(st.none() | st.integers(1, 99)),
        choices=draw(st.integers(1, 3)),
        format=draw(st.none() | st.builds(JsonFormat, st.just({"type": "object"}), names)),
        reasoning=draw(reasonings),
        user=draw(st.none() | words),
        stream=draw(st.booleans()),
    )


reasonings = (
    st.none()
    | st.builds(
        Reasoning,
        effort=st.sampled_from([Effort.NONE, Effort.LOW, Effort.MEDIUM, Effort.HIGH]),
        visible=st.sampled_from([None, False]),
    )
    | st.builds(Reasoning, budget_tokens=st.none() | st.integers(1, 9999))
)
samplings = st.builds(
    Sampling,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 9),
    frequency_penalty=st.none() | st.floats(-2, 2),
    seed=st.none() | st.integers(0, 99),
    stop=st.lists(words, max_size=3).map(tuple),
    logit_bias=st.none() | st.just({"5": -1}),
    logprobs=st.just(False),
)


@unhurried
@given(chats())
def test_there_and_back(chat: Chat) -> None:
    """What is said to a provider in OpenAI's words means, read again, what it meant."""
    call = PROVIDER.chat(chat, OPENROUTER).call
    assert call.warnings == ()
    assert chat == CLIENT.chat(read(call.body))


FIELDS = [
    *("role", "content", "type", "text", "image_url", "url", "input_audio", "data", "format", "file", "file_data"),
    *("tool_calls", "tool_call_id", "function", "name", "arguments", "id", "refusal", "thinking_blocks", "signature"),
    *("messages", "tools", "tool_choice", "allowed_tools", "mode", "response_format", "json_schema", "schema", "stop"),
    *(
        "functions",
        "function_call",
        "logit_bias",
        "reasoning_effort",
        "temperature",
        "n",
        "modalities",
        "extra_content",
    ),
]
WORDS = [
    "user",
    "assistant",
    "tool",
    "function",
    "text",
    "image_url",
    "file",
    "data:image/png;base64,AA",
    "json_schema",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=40,
)
messages = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4).flatmap(
    lambda fields: st.sampled_from(["user", "assistant", "tool", "system", "function"]).map(
        lambda role: fields | {"role": role}
    )
)


@unhurried
@given(st.lists(messages, max_size=4), st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5))
def test_no_body_is_too_odd(said: list[Any], fields: dict[str, Any]) -> None:
    """Whatever a client sends: it is read, or refused with the field that is wrong."""
    body = fields | {"model": "chat", "messages": [{"role": "user", "content": "Hello"}, *said]}
    refused = _refused(orjson.dumps(body))
    assert refused is None or refused.param


@unhurried
@given(
    st.lists(messages, max_size=4),
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5),
    st.sampled_from(["OpenAI", "Mistral", "DeepSeek", "VLLM", "OpenAICompatible"]),
)
def test_no_body_is_too_odd_to_pass(said: list[Any], fields: dict[str, Any], kind: str) -> None:
    """What passes through is only made fit: the provider judges the rest."""
    body = fields | {"model": "chat", "messages": [{"role": "user", "content": "Hello"}, *said]}
    provider = a_provider("ai/p", serves={"m": a_model(upstream_name="o3")}, type=kind)
    candidate = a_runtime(provider).upstreams["ai/p"].candidates["m"]
    try:
        asked = read(orjson.dumps(body))
    except RequestError:
        return
    assert "o3" == orjson.loads(PassedChat(asked, candidate, None).call.body)["model"]


def _refused(body: bytes) -> RequestError | Unsupported | None:
    try:
        PROVIDER.chat(CLIENT.chat(read(body)), OPENROUTER)
    except (RequestError, Unsupported) as refusal:
        return refusal
    return None


@unhurried
@given(st.lists(texts, max_size=3), st.lists(texts, min_size=1, max_size=3))
def test_prompts_and_texts_that_stand_apart(system: list[Text], said: list[Text]) -> None:
    """Several texts become one with an empty line between them: servers that take a string take it."""
    assume(not any(text.cache for text in (*system, *said)))
    chat = Chat("m", (Message(Role.USER, tuple(said)),), tuple(system))
    sent = orjson.loads(PROVIDER.chat(chat, OPENROUTER).call.body)["messages"]
    assert "\n\n".join(text.text for text in said) == sent[-1]["content"]
    assert ["\n\n".join(text.text for text in system)] * bool(system) == [one["content"] for one in sent[:-1]]


def test_pictures_that_a_tool_returned() -> None:
    """A tool's message holds text alone: what else was returned follows in the user's name, and says whence it is."""
    picture = Image("image/png", "AA==")
    chat = Chat(
        "m",
        (
            Message(Role.USER, (Text("Draw."),)),
            Message(Role.ASSISTANT, (ToolCall("a", "draw", "{}"), ToolCall("b", "draw", "{}"))),
            Message(
                Role.USER,
                (
                    ToolResult("a", (Text("Done."), picture, Document("text/plain", text="Log", title="log.txt"))),
                    ToolResult("b", (), is_error=True),
                    Text("Nice?"),
                ),
            ),
        ),
    )
    sent = orjson.loads(PROVIDER.chat(chat, OPENROUTER).call.body)["messages"]
    assert ["user", "assistant", "tool", "tool", "user"] == [message["role"] for message in sent]
    assert sent[2]["content"].startswith("Done.\n\nlog.txt\n\nLog\n\n")
    assert "Error" == sent[3]["content"]
    assert [
        {"type": "text", "text": "Returned by the tool call a:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "text", "text": "Nice?"},
    ] == sent[4]["content"]


def test_what_openai_would_refuse() -> None:
    """Names of users and of tools, ids of calls and schemas that other vendors take go out as OpenAI takes them."""
    call = ToolCall("tooluse_" + "x" * 64, "files.read", "{}")
    chat = Chat(
        "m",
        (
            Message(Role.USER, (Text("Read."),)),
            Message(Role.ASSISTANT, (call,)),
            Message(Role.USER, (ToolResult(call.id, (Text("ok"),)),)),
        ),
        tools=(Tool("files.read", parameters={"type": "object"}),),
        user="user_" + "x" * 90,
    )
    turn = PROVIDER.chat(chat, OPENROUTER)
    body = orjson.loads(turn.call.body)
    _, asked, result = body["messages"]
    name = body["tools"][0]["function"]["name"]
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", name)
    assert name == asked["tool_calls"][0]["function"]["name"]
    assert asked["tool_calls"][0]["id"] == result["tool_call_id"]
    assert 40 >= len(result["tool_call_id"])
    assert 64 >= len(body["user"])
    assert {"type": "object", "properties": {}} == body["tools"][0]["function"]["parameters"]
    message = {"tool_calls": [{"id": "a", "function": {"name": name, "arguments": ""}}]}
    answer = turn.read(200, {}, orjson.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}))
    assert isinstance(answer, Answer)
    assert (ToolCall("a", "files.read", "{}"),) == answer.choices[0].parts


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        pytest.param((), (), id="no tools"),
        pytest.param((Tool("f"),), ("g", "h"), id="others"),
    ],
)
def test_a_tool_that_is_not_there(tools: tuple[Tool, ...], names: tuple[str, ...]) -> None:
    """Whoever must call a tool that nobody declared is told so, and not left without a call."""
    hello = (Message(Role.USER, (Text("Hello"),)),)
    chat = Chat("m", hello, tools=tools, tool_choice=ToolChoice(ToolMode.REQUIRED, names))
    with pytest.raises(RequestError, match="tool_choice"):
        PROVIDER.chat(chat, OPENROUTER)


def test_a_refusal_is_said_where_there_is_no_field_for_it() -> None:
    """Only OpenAI takes a refusal back as one; elsewhere it is what the assistant said."""
    chat = Chat(
        "m",
        (
            Message(Role.USER, (Text("1"),)),
            Message(Role.ASSISTANT, (Refusal("No."),)),
            Message(Role.USER, (Text("2"),)),
        ),
    )
    sent = orjson.loads(PROVIDER.chat(chat, OPENROUTER).call.body)["messages"]
    assert {"role": "assistant", "content": "No."} == sent[1]
