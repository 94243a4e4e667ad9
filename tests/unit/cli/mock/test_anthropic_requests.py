"""Reading Anthropic's request bodies, as strictly as the vendor."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.asks import Call, Chat, Media, MediaKind, Operation
from understudy.mock.dialects.anthropic_requests import read_messages
from understudy.mock.failures import RefusedError
from understudy.mock.signatures import signature

OLDER = Call(Operation.CHAT, variant="2023-06-01")
NEWER = Call(Operation.CHAT, variant="2026-10-21")
COUNT = Call(Operation.COUNT, variant="2023-06-01")

HI = {"role": "user", "content": "Hi"}
YES = {"role": "assistant", "content": "Yes?"}
WEATHER = {"name": "weather", "input_schema": {"type": "object"}}
TIME = {"name": "time", "type": "custom", "input_schema": {"type": "object"}}
SEARCH = {"name": "search", "type": "web_search_20260209"}
TEXT = {"type": "text", "text": "See"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "YQ=="}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "YQ=="}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": signature("anthropic", "hm")}
ENABLED = {"type": "enabled", "budget_tokens": 1024}

CALL = {"type": "tool_use", "id": "a", "name": "weather", "input": {}}


def use(*ids: str) -> dict[str, Any]:
    """Return a message of the assistant that calls tools."""
    blocks = [{"type": "tool_use", "id": one, "name": "weather", "input": {}} for one in ids]
    return {"role": "assistant", "content": blocks}


def result(*ids: str, content: object = "22 C") -> dict[str, Any]:
    """Return a message of the user with the tools' results."""
    blocks = [{"type": "tool_result", "tool_use_id": one, "content": content} for one in ids]
    return {"role": "user", "content": blocks}


def user(*blocks: object) -> dict[str, Any]:
    """Return a message of the user."""
    return {"role": "user", "content": list(blocks)}


def body(**fields: Any) -> dict[str, Any]:
    """Return a request body that is well formed but for `fields`."""
    return {"model": "claude", "max_tokens": 2000, "messages": [HI], **fields}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({}, "said", "Hi", id="what the user said"),
        pytest.param({"messages": [HI, YES, {"role": "user", "content": "Bye"}]}, "said", "Bye", id="said last"),
        pytest.param({"messages": [user(TEXT, IMAGE, TEXT)]}, "said", "See\nSee", id="the text of blocks"),
        pytest.param({"messages": [HI, YES]}, "said", "Hi", id="before an answer that has begun"),
        pytest.param({"messages": [HI, HI]}, "said", "Hi", id="two turns of one role"),
        pytest.param(
            {"messages": [user(TEXT, IMAGE, PDF)]},
            "media",
            (Media(MediaKind.IMAGE, "image/png"), Media(MediaKind.DOCUMENT, "application/pdf")),
            id="media",
        ),
        pytest.param(
            {"messages": [user({"type": "image", "source": {"type": "url", "url": "https://example.com/"}})]},
            "media",
            (Media(MediaKind.IMAGE, "by URL"),),
            id="an image by URL",
        ),
        pytest.param({"messages": [HI, use("a"), result("a")]}, "tool_result", "22 C", id="a tool's result"),
        pytest.param(
            {"messages": [HI, use("a", "b"), result("b", "a")]}, "tool_result", "22 C, 22 C", id="several results"
        ),
        pytest.param(
            {"messages": [HI, use("a"), result("a", content=[TEXT, IMAGE])]}, "tool_result", "See", id="blocks in it"
        ),
        pytest.param(
            {"messages": [HI, use("a"), result("a", content=[IMAGE])]},
            "media",
            (Media(MediaKind.IMAGE, "image/png"),),
            id="an image from a tool",
        ),
        pytest.param({"messages": [HI, use("a"), result("a", content=None)]}, "tool_result", "", id="no result"),
        pytest.param(
            {"messages": [HI, use("a"), {**result("a"), "content": [*result("a")["content"], TEXT]}]},
            "tool_result",
            None,
            id="text after the result",
        ),
        pytest.param({"stream": True}, "stream", True, id="stream"),
        pytest.param({"max_tokens": 0}, "max_tokens", 0, id="no token at all"),
        pytest.param({"stop_sequences": ["END"]}, "stop", ("END",), id="stop"),
        pytest.param({"temperature": 0.5, "top_p": 0.9, "top_k": 40}, "model", "claude", id="sampling"),
        pytest.param(
            {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}},
            "schema",
            {"type": "object"},
            id="schema",
        ),
        pytest.param({"tools": [WEATHER], "tool_choice": {"type": "auto"}}, "parallel", True, id="parallel calls"),
        pytest.param(
            {"tools": [WEATHER], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            "parallel",
            False,
            id="one call at most",
        ),
        pytest.param(
            {
                "thinking": ENABLED,
                "messages": [HI, {"role": "assistant", "content": [THOUGHT, *use("a")["content"]]}, result("a")],
            },
            "tool_result",
            "22 C",
            id="a thought that comes back",
        ),
        pytest.param({"metadata": {"user_id": "u"}, "service_tier": "auto"}, "said", "Hi", id="what changes nothing"),
    ],
)
def test_reads(fields: dict[str, Any], name: str, value: object) -> None:
    """Each field of a body means what Anthropic's reference says."""
    assert value == getattr(read_messages(OLDER, body(**fields)), name)


@pytest.mark.parametrize(
    ("choice", "called", "allowed"),
    [
        pytest.param(None, [], ["weather", "time"], id="null"),
        pytest.param({"type": "auto"}, [], ["weather", "time"], id="auto"),
        pytest.param({"type": "none"}, [], [], id="none"),
        pytest.param({"type": "any"}, ["weather"], ["weather", "time"], id="any: the first"),
        pytest.param({"type": "tool", "name": "time"}, ["time"], ["time"], id="named"),
    ],
)
def test_knows_which_tools_to_call(choice: object, called: list[str], allowed: list[str]) -> None:
    """The caller's own tools are called as the choice says; those that the vendor runs are not."""
    chat = read_messages(OLDER, body(tools=[SEARCH, WEATHER, TIME], tool_choice=choice))
    assert (called, allowed) == ([tool.name for tool in chat.calls], [tool.name for tool in chat.tools])


def test_counts_what_it_reads() -> None:
    """A longer prompt has more tokens, wherever it is longer."""
    sizes = [
        read_messages(OLDER, body(**fields)).prompt_tokens
        for fields in ({}, {"system": "Be brief"}, {"system": [TEXT, TEXT, TEXT]}, {"messages": [HI, YES, HI]})
    ]
    assert len({*sizes}) == len(sizes)
    assert min(sizes) == sizes[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "body: Input should be a valid dictionary", id="no object"),
        pytest.param({"max_tokens": 5, "messages": [HI]}, "model: Field required", id="no model"),
        pytest.param(body(model=""), "model: String should have", id="empty model"),
        pytest.param({"model": "claude", "messages": [HI]}, "max_tokens: Field required", id="no max_tokens"),
        pytest.param(body(max_tokens="5"), "max_tokens: Input should be a valid integer", id="max_tokens a string"),
        pytest.param(body(max_tokens=-1), "max_tokens: Input should be greater", id="max_tokens negative"),
        pytest.param(body(n=2), "n: Extra inputs are not permitted", id="a field of somebody else"),
        pytest.param(
            body(messages=[{**HI, "name": "me"}]), "messages.0.name: Extra inputs", id="a field of another's message"
        ),
        pytest.param(
            body(messages=[user({**TEXT, "index": 0})]),
            "messages.0.content.0.text.index: Extra inputs",
            id="a field of another's block",
        ),
        pytest.param(
            body(tools=[{**TIME, "parameters": {}}]), "parameters: Extra inputs", id="a field of another's tool"
        ),
        pytest.param(body(temperature=1.5), "temperature: Input should be", id="temperature of OpenAI"),
        pytest.param(body(stop_sequences="END"), "stop_sequences: Input should be a valid list", id="stop a string"),
        pytest.param(body(stop_sequences=["\n"]), "stop_sequences: each stop sequence", id="stop at white space"),
        pytest.param(body(system=[{"type": "text", "text": ""}]), "must be non-empty", id="empty system"),
        pytest.param(body(system=[{"type": "image"}]), "system.0.type: Input should be 'text'", id="system no text"),
        pytest.param(body(messages=[]), "messages: at least one message is required", id="no message"),
        pytest.param(body(messages=[YES]), 'first message must use the "user" role', id="assistant first"),
        pytest.param(body(messages=[{"role": "tool"}]), "messages.0.role: Input should be", id="role of OpenAI"),
        pytest.param(body(messages=[{"role": "user"}]), "messages.0.content: Field required", id="no content"),
        pytest.param(body(messages=[user()]), "messages.0: all messages must have non-empty", id="empty content"),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": ""}, HI]), "messages.1: all messages", id="empty answer"
        ),
        pytest.param(body(messages=[user({"type": "text", "text": ""})]), "must be non-empty", id="empty text"),
        pytest.param(
            body(messages=[user({"type": "text", "text": " \n"})]), "must contain non-whitespace", id="blank text"
        ),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": "So "}]),
            "cannot end with trailing whitespace",
            id="white space before the answer",
        ),
        pytest.param(body(messages=[user({"type": "image_url"})]), "Input tag 'image_url'", id="block of OpenAI"),
        pytest.param(body(messages=[user({"type": "thinking"})]), "not permitted in user", id="a user's thought"),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": [IMAGE]}]),
            "not permitted in assistant",
            id="an assistant's image",
        ),
        pytest.param(
            body(messages=[user({"type": "image", "source": {**IMAGE["source"], "data": "%%"}})]),  # type: ignore[dict-item]
            "Invalid base64 data",
            id="broken image",
        ),
        pytest.param(
            body(messages=[user({"type": "image", "source": {**IMAGE["source"], "media_type": "image/tiff"}})]),  # type: ignore[dict-item]
            "media_type: Input should be one of",
            id="unknown image",
        ),
        pytest.param(
            body(messages=[user({"type": "image", "source": {"type": "url", "url": "data:image/png;base64,YQ=="}})]),
            "Only HTTPS URLs",
            id="data URL",
        ),
        pytest.param(
            body(messages=[HI, use("a")]),
            "without `tool_result` blocks immediately after: a",
            id="a call without its result",
        ),
        pytest.param(
            body(messages=[HI, use("a"), HI, result("a")]),
            "without `tool_result` blocks",
            id="something between call and result",
        ),
        pytest.param(
            body(messages=[HI, use("a", "b"), result("a"), result("b")]),
            "immediately after: b",
            id="results in two messages",
        ),
        pytest.param(
            body(messages=[HI, use("a"), {**result("a"), "content": [TEXT, *result("a")["content"]]}]),
            "without `tool_result` blocks",
            id="text before the result",
        ),
        pytest.param(
            body(messages=[HI, use("a"), result("a", "x")]), "unexpected `tool_use_id`", id="a result too many"
        ),
        pytest.param(body(messages=[HI, use("a"), result("a", "a")]), "must have a single result", id="a result twice"),
        pytest.param(body(messages=[result("a")]), "unexpected `tool_use_id`", id="a result without a call"),
        pytest.param(
            body(messages=[HI, use("a"), result("a"), use("a"), result("a")]), "ids must be unique", id="an id twice"
        ),
        pytest.param(
            body(messages=[HI, use("call:1"), result("call:1")]),
            "tool_use.id: String should match",
            id="an id of another alphabet",
        ),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": [{**CALL, "input": "{}"}]}, result("a")]),
            "tool_use.input: Input should be a valid dictionary",
            id="arguments as a string",
        ),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": [{**THOUGHT, "thinking": "changed"}]}]),
            "Invalid `signature` in `thinking` block",
            id="a changed thought",
        ),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]}]),
            "thinking.signature: Field required",
            id="a thought without a signature",
        ),
        pytest.param(
            body(messages=[HI, {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}]}]),
            "Invalid `data` in `redacted_thinking` block",
            id="a hidden thought of somebody else",
        ),
        pytest.param(
            body(thinking=ENABLED, messages=[HI, use("a"), result("a")]),
            "must start with a thinking block",
            id="a thought that was lost",
        ),
        pytest.param(body(thinking=ENABLED, max_tokens=1024), "`max_tokens` must be greater", id="no room to think"),
        pytest.param(
            body(thinking={"type": "enabled", "budget_tokens": 5}),
            "greater than or equal to 1024",
            id="too little to think",
        ),
        pytest.param(
            body(thinking=ENABLED, temperature=0.5),
            "`temperature` may only be set to 1",
            id="temperature while thinking",
        ),
        pytest.param(
            body(thinking=ENABLED, tools=[TIME], tool_choice={"type": "any"}),
            "Thinking may not be enabled",
            id="forced while thinking",
        ),
        pytest.param(body(thinking={"type": "deep"}), "thinking.type: Input should be", id="unknown thinking"),
        pytest.param(body(tools=[{"name": "weather"}]), "input_schema: Field required", id="tool without a schema"),
        pytest.param(
            body(tools=[{"name": "weather", "input_schema": {}}]),
            "input_schema.type: Input should be",
            id="schema without a type",
        ),
        pytest.param(body(tools=[{**TIME, "name": "a.b"}]), "name: String should match", id="name of a tool"),
        pytest.param(body(tools=[TIME, TIME]), "must be unique", id="a tool twice"),
        pytest.param(
            body(tools=[{"type": "function", "function": {"name": "x"}}]), "tag 'function'", id="a tool of OpenAI"
        ),
        pytest.param(body(tool_choice={"type": "auto"}), "while providing tools", id="choice without tools"),
        pytest.param(body(tools=[TIME], tool_choice="auto"), "tool_choice: Input should be", id="choice of OpenAI"),
        pytest.param(body(tools=[TIME], tool_choice={"type": "required"}), "tool_choice.type", id="unknown choice"),
        pytest.param(body(tools=[TIME], tool_choice={"type": "tool", "name": "x"}), "'x' not found", id="no such tool"),
        pytest.param(
            body(tools=[TIME], tool_choice={"type": "none", "disable_parallel_tool_use": True}),
            "Extra inputs are not permitted",
            id="no call, and no two",
        ),
        pytest.param(body(output_config={"effort": "minimal"}), "output_config.effort", id="effort of OpenAI"),
        pytest.param(body(output_config={"format": {"type": "json_object"}}), "output_config.format.type", id="format"),
        pytest.param(
            body(system=[{**TEXT, "cache_control": {"type": "ephemeral"}}] * 5),
            "A maximum of 4 blocks with cache_control may be provided. Found 5",
            id="cache marks",
        ),
    ],
)
def test_refuses(content: object, message: str) -> None:
    """What Anthropic would refuse is refused with 400, in words that name the field."""
    with pytest.raises(RefusedError) as caught:
        read_messages(OLDER, content)
    assert (400, True) == (caught.value.failure.status, message in caught.value.failure.message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"temperature": 1}, "temperature: Extra inputs are not permitted", id="temperature"),
        pytest.param({"top_p": None}, "top_p: Extra inputs are not permitted", id="null is one, too"),
        pytest.param({"top_k": 5}, "top_k: Extra inputs are not permitted", id="top_k"),
        pytest.param(
            {"messages": [HI, {"role": "assistant", "content": [PDF]}, HI]},
            "`document` blocks are not permitted in assistant messages",
            id="a document of the assistant",
        ),
        pytest.param(
            {"messages": [user({**TEXT, "citations": [{}]})]}, "citations: Extra inputs", id="a citation of the user"
        ),
    ],
)
def test_the_newer_version_refuses_more(fields: dict[str, Any], message: str) -> None:
    """What was good under 2023-06-01 is not all good under 2026-10-21."""
    assert isinstance(read_messages(OLDER, body(**fields)), Chat)
    with pytest.raises(RefusedError) as caught:
        read_messages(NEWER, body(**fields))
    assert message in caught.value.failure.message


def test_counting_needs_no_longest_answer() -> None:
    """A body to count has no max_tokens, and may have none."""
    asked = {name: value for name, value in body().items() if name != "max_tokens"}
    assert read_messages(COUNT, asked).prompt_tokens == read_messages(OLDER, body()).prompt_tokens
    with pytest.raises(RefusedError, match="max_tokens: Extra inputs"):
        read_messages(COUNT, body())


FIELDS = ["role", "content", "type", "text", "source", "id", "name", "input", "tool_use_id", "thinking", "data", "url"]
FIELDS += ["model", "messages", "max_tokens", "tools", "tool_choice", "input_schema", "system", "output_config"]
WORDS = ["user", "assistant", "text", "image", "document", "tool_use", "tool_result", "thinking", "base64", "url"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 5000) | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=20,
)


@given(st.lists(st.fixed_dictionaries({"role": st.sampled_from(WORDS[:2]), "content": JSON})) | JSON, JSON, JSON)
def test_any_body_is_read_or_refused(messages: object, tools: object, choice: object) -> None:
    """No JSON makes reading fail in any other way than by a refusal."""
    for call in (OLDER, NEWER, COUNT):
        with contextlib.suppress(RefusedError):
            read_messages(call, body(messages=messages, tools=tools, tool_choice=choice, system=tools))
