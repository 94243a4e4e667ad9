"""Reading OpenAI's request bodies."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.asks import Chat, Media, MediaKind, Tool
from understudy.mock.dialects.openai_requests import read_chat, read_embeddings
from understudy.mock.failures import RefusedError

HI = {"role": "user", "content": "Hi"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
TIME = {"type": "function", "function": {"name": "time"}}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}


def body(**fields: Any) -> dict[str, Any]:
    """Return a request body that is well formed but for `fields`."""
    return {"model": "gpt", "messages": [HI], **fields}


def calling(*ids: str, **function: object) -> dict[str, Any]:
    """Return a message of the assistant that calls tools."""
    told = {"name": "weather", "arguments": "{}", **function}
    return {"role": "assistant", "tool_calls": [{"id": one, "type": "function", "function": told} for one in ids]}


def returned(called: str) -> dict[str, Any]:
    """Return a message with a tool's result."""
    return {"role": "tool", "tool_call_id": called, "content": "22 C"}


def user(*parts: object) -> dict[str, Any]:
    """Return a message of the user."""
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({}, "said", "Hi", id="what the user said"),
        pytest.param(
            {"messages": [HI, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Bye"}]},
            "said",
            "Bye",
            id="what the user said last",
        ),
        pytest.param(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "See"},
                            {"type": "image_url", "image_url": {"url": "https://example.com/"}},
                            {"type": "text", "text": "this"},
                        ],
                    }
                ]
            },
            "said",
            "See\nthis",
            id="the text of parts",
        ),
        pytest.param({"messages": [{"role": "system", "content": "x"}]}, "said", "", id="no user at all"),
        pytest.param(
            {"messages": [HI, calling("1"), returned("1")]},
            "tool_result",
            "22 C",
            id="a tool's result",
        ),
        pytest.param(
            {
                "messages": [
                    HI,
                    calling("1", "2"),
                    returned("1"),
                    {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "10:15"}]},
                ]
            },
            "tool_result",
            "22 C, 10:15",
            id="several results",
        ),
        pytest.param(
            {"messages": [HI, calling("1"), returned("1"), HI]},
            "tool_result",
            None,
            id="a result that was talked about",
        ),
        pytest.param(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": "data:image/png;base64,YQ=="}},
                            {"type": "input_audio", "input_audio": {"format": "wav", "data": "YQ=="}},
                            {"type": "file", "file": {"file_data": "data:application/pdf;base64,YQ=="}},
                        ],
                    }
                ]
            },
            "media",
            (
                Media(MediaKind.IMAGE, "image/png"),
                Media(MediaKind.AUDIO, "audio/wav"),
                Media(MediaKind.DOCUMENT, "application/pdf"),
            ),
            id="media",
        ),
        pytest.param({"stop": "END"}, "stop", ("END",), id="a text to stop at"),
        pytest.param({"stop": ["a", "b"]}, "stop", ("a", "b"), id="texts to stop at"),
        pytest.param({"parallel_tool_calls": False}, "parallel", False, id="one call at most"),
        pytest.param({"model": "gpt-5", "max_completion_tokens": 5}, "max_tokens", 5, id="the name for GPT-5"),
        pytest.param({"stream": None}, "stream", False, id="null is absent"),
        pytest.param({"stream": True}, "stream", True, id="stream"),
        pytest.param({"stream": True, "stream_options": None}, "stream_usage", False, id="no usage unless asked"),
        pytest.param({"stream": True, "stream_options": {"include_usage": True}}, "stream_usage", True, id="usage"),
        pytest.param({"n": 3}, "choices", 3, id="n"),
        pytest.param({"max_tokens": 5}, "max_tokens", 5, id="max_tokens"),
        pytest.param({"max_tokens": 5, "max_completion_tokens": 7}, "max_tokens", 7, id="the newer name wins"),
        pytest.param({"response_format": {"type": "text"}}, "schema", None, id="text"),
        pytest.param({"response_format": {"type": "json_object"}}, "schema", {}, id="json_object"),
        pytest.param(
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}},
            "schema",
            {"type": "array"},
            id="json_schema",
        ),
    ],
)
def test_reads(fields: dict[str, Any], name: str, value: object) -> None:
    """Each field of a body means what OpenAI's reference says."""
    assert value == getattr(read_chat(body(**fields)), name)


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        pytest.param(None, [], id="null"),
        pytest.param("none", [], id="none"),
        pytest.param("auto", [], id="auto"),
        pytest.param("required", ["weather"], id="required: the first function"),
        pytest.param({"type": "function", "function": {"name": "time"}}, ["time"], id="named"),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TIME]}},
            ["time"],
            id="one of those allowed",
        ),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TIME]}},
            [],
            id="allowed, not required",
        ),
    ],
)
def test_knows_which_tool_has_to_be_called(choice: object, called: list[str]) -> None:
    """A tool is called where the request leaves no choice, and not otherwise."""
    chat = read_chat(body(tools=[CUSTOM, WEATHER, TIME], tool_choice=choice))
    assert called == [tool.name for tool in chat.calls]


@pytest.mark.parametrize(
    ("choice", "allowed"),
    [
        pytest.param("none", [], id="none"),
        pytest.param("auto", ["weather", "time"], id="auto"),
        pytest.param("required", ["weather", "time"], id="required"),
        pytest.param({"type": "function", "function": {"name": "time"}}, ["time"], id="named"),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TIME]}}, ["time"], id="allowed"
        ),
    ],
)
def test_knows_which_tools_may_be_called(choice: object, allowed: list[str]) -> None:
    """Whoever directs the answer chooses among those that the request allows."""
    chat = read_chat(body(tools=[CUSTOM, WEATHER, TIME], tool_choice=choice))
    assert allowed == [tool.name for tool in chat.tools]


def test_a_tool_without_parameters_takes_none() -> None:
    """Absent parameters are those of an object without properties."""
    assert (Tool("time", {"type": "object"}),) == read_chat(body(tools=[TIME], tool_choice="required")).calls


@pytest.mark.parametrize(
    ("content", "param"),
    [
        pytest.param([], None, id="no object"),
        pytest.param({"messages": [HI]}, "model", id="no model"),
        pytest.param(body(model=5), "model", id="model no string"),
        pytest.param({"model": "gpt"}, "messages", id="no messages"),
        pytest.param(body(messages=[]), "messages", id="no message"),
        pytest.param(body(messages="Hi"), "messages", id="messages no array"),
        pytest.param(body(messages=[HI, "Hi"]), "messages[1].role", id="message no object"),
        pytest.param(body(messages=[{"role": "robot"}]), "messages[0].role", id="unknown role"),
        pytest.param(body(messages=[{"role": []}]), "messages[0].role", id="role no string"),
        pytest.param(body(messages=[{"role": "tool"}]), "messages[0].tool_call_id", id="tool without call"),
        pytest.param(body(stream="yes"), "stream", id="stream no boolean"),
        pytest.param(body(stream_options={"include_usage": True}), "stream_options", id="options without stream"),
        pytest.param(body(n=0), "n", id="n too small"),
        pytest.param(body(n=129), "n", id="n too large"),
        pytest.param(body(n=True), "n", id="n no number"),
        pytest.param(body(max_tokens=0), "max_tokens", id="no tokens"),
        pytest.param(body(max_completion_tokens=1.5), "max_completion_tokens", id="half a token"),
        pytest.param(body(model="gpt-5-mini", max_tokens=5), "max_tokens", id="the older name for GPT-5"),
        pytest.param(body(model="o3", max_tokens=5), "max_tokens", id="the older name for o3"),
        pytest.param(body(stop=["a"] * 5), "stop", id="too many texts to stop at"),
        pytest.param(body(stop=[5]), "stop", id="stop at a number"),
        pytest.param(
            body(
                messages=[
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,%"}}],
                    }
                ]
            ),
            "messages[0].content[0].image_url",
            id="broken image",
        ),
        pytest.param(body(tools={}), "tools", id="tools no array"),
        pytest.param(body(tools=[{"type": "function"}]), "tools[0].function.name", id="tool without a name"),
        pytest.param(body(tool_choice="required"), "tool_choice", id="required without tools"),
        pytest.param(body(tool_choice="maybe"), "tool_choice", id="unknown choice"),
        pytest.param(body(tool_choice=["auto"]), "tool_choice", id="choice of a wrong type"),
        pytest.param(
            body(tools=[TIME], tool_choice={"type": "function", "function": {"name": "x"}}),
            "tool_choice",
            id="no such tool",
        ),
        pytest.param(body(response_format={"type": "xml"}), "response_format", id="unknown format"),
        pytest.param(body(response_format={"type": "json_schema"}), "response_format", id="schema missing"),
    ],
)
def test_refuses(content: object, param: str | None) -> None:
    """A body that OpenAI would refuse is refused with 400, and names the field at fault."""
    with pytest.raises(RefusedError) as caught:
        read_chat(content)
    assert (400, param) == (caught.value.failure.status, caught.value.failure.param)


@pytest.mark.parametrize(
    ("given_input", "inputs", "tokens"),
    [
        pytest.param("four", ("four",), 1, id="one text"),
        pytest.param(["a", "b"], ("a", "b"), 2, id="several texts"),
        pytest.param([1, 2, 3], ("1 2 3",), 3, id="one text as tokens"),
        pytest.param([[1, 2], [3]], ("1 2", "3"), 3, id="several texts as tokens"),
    ],
)
def test_reads_embeddings(given_input: object, inputs: tuple[str, ...], tokens: int) -> None:
    """An input may be text or tokens, one or several."""
    ask = read_embeddings({"model": "e", "input": given_input})
    assert (inputs, tokens) == (ask.inputs, ask.prompt_tokens)


@pytest.mark.parametrize(
    ("content", "param"),
    [
        pytest.param({"model": "e"}, "input", id="no input"),
        pytest.param({"model": "e", "input": []}, "input", id="nothing"),
        pytest.param({"model": "e", "input": ["a", 1]}, "input", id="mixed"),
        pytest.param({"model": "e", "input": [["a"]]}, "input", id="texts where tokens belong"),
        pytest.param({"model": "e", "input": "a", "dimensions": 5000}, "dimensions", id="too many dimensions"),
        pytest.param({"model": "e", "input": "a", "encoding_format": "hex"}, "encoding_format", id="unknown encoding"),
        pytest.param({"input": "a"}, "model", id="no model"),
    ],
)
def test_refuses_embeddings(content: object, param: str) -> None:
    """A request for vectors that cannot be met names the field at fault."""
    with pytest.raises(RefusedError) as caught:
        read_embeddings(content)
    assert (400, param) == (caught.value.failure.status, caught.value.failure.param)


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,YQ=="}}


@pytest.mark.parametrize(
    ("messages", "param", "hint"),
    [
        pytest.param([{"role": "user"}], "messages[0].content", "got null", id="nothing said"),
        pytest.param([{"role": "user", "content": 5}], "messages[0].content", "a string or an array", id="a number"),
        pytest.param([HI, {"role": "assistant"}], "messages[1].content", "got null", id="an answer without anything"),
        pytest.param(
            [HI, {"role": "assistant", "tool_calls": []}], "messages[1].tool_calls", "minimum length 1", id="no call"
        ),
        pytest.param([user({"type": "tool_result"})], "messages[0].content[0].type", "Supported values", id="a block"),
        pytest.param([user("Hi")], "messages[0].content[0].type", "Supported values", id="a part that is no object"),
        pytest.param([user({"type": "text"})], "messages[0].content[0].text", "a string", id="text without text"),
        pytest.param(
            [user({"type": "image_url", "image_url": "https://example.com"})],
            "messages[0].content[0].image_url",
            "an object",
            id="an image's address alone",
        ),
        pytest.param(
            [user({"type": "image_url", "image_url": {"url": "YQ=="}})],
            "messages[0].content[0].image_url.url",
            "a valid URL",
            id="an image without an address",
        ),
        pytest.param(
            [HI, calling("1"), {**returned("1"), "content": [PICTURE]}],
            "messages[2].content[0]",
            "only allowed for messages with role 'user'",
            id="an image from a tool",
        ),
        pytest.param([HI, returned("1")], "messages.[1].role", "must be a response", id="a result without a call"),
        pytest.param(
            [HI, calling("1"), HI], "messages.[2].role", "did not have response", id="a call without a result"
        ),
        pytest.param([HI, calling("1")], "messages.[2].role", "did not have response messages: 1", id="no result yet"),
        pytest.param(
            [HI, calling("1", "2"), returned("1"), HI], "messages.[3].role", "response messages: 2", id="one missing"
        ),
        pytest.param(
            [HI, calling("1"), returned("1"), HI, returned("1")], "messages.[4].role", "must be a response", id="late"
        ),
        pytest.param(
            [HI, calling("1", arguments={}), returned("1")],
            "messages[1].tool_calls[0].function.arguments",
            "a string",
            id="arguments as an object",
        ),
        pytest.param(
            [HI, {"role": "assistant", "tool_calls": [{}]}], "messages[1].tool_calls[0].id", "a string", id="no id"
        ),
    ],
)
def test_refuses_messages(messages: list[object], param: str, hint: str) -> None:
    """A gateway that translates wrongly into OpenAI's messages is told so, with the place."""
    with pytest.raises(RefusedError) as caught:
        read_chat(body(messages=messages))
    assert (param, True) == (caught.value.failure.param, hint in caught.value.failure.message)


FIELDS = [
    "model",
    "messages",
    "role",
    "content",
    "stream",
    "stream_options",
    "n",
    "tools",
    "tool_choice",
    "allowed_tools",
    "type",
    "function",
    "name",
    "parameters",
    "response_format",
    "json_schema",
    "input",
    "tool_calls",
    "tool_call_id",
    "image_url",
    "url",
]
WORDS = st.sampled_from(["user", "tool", "function", "allowed_tools", "required", "json_schema", "gpt"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.booleans())
def test_any_body_is_read_or_refused(content: dict[str, Any], well_formed: bool) -> None:
    """No JSON makes reading fail in any other way than by a refusal."""
    with contextlib.suppress(RefusedError):
        assert isinstance(read_chat(body(**{**content, "messages": [HI]}) if well_formed else content), Chat)
    with contextlib.suppress(RefusedError):
        ask = read_embeddings(content)
        assert content["model"] == ask.model
