"""Reading a chat completion request."""

import base64
import contextlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_api.config import Capability
from understudy_proxy.dialects.openai.request import (
    AUDIO_TOKENS,
    FILE_TOKENS,
    IMAGE_TOKENS,
    ChatRequest,
    read,
)
from understudy_proxy.dialects.request_error import RequestError

HELLO = {"role": "user", "content": "Hello"}
BASE: dict[str, Any] = {"model": "chat", "messages": [HELLO]}
PICTURE = "data:image/png;base64," + base64.b64encode(b"p" * 30_000).decode()


def _read(**fields: Any) -> ChatRequest:
    return read(orjson.dumps(BASE | fields))


def _user(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


@pytest.mark.parametrize(
    ("fields", "capabilities"),
    [
        pytest.param({}, set(), id="plain"),
        pytest.param({"stream": True}, {Capability.STREAMING}, id="a stream"),
        pytest.param({"tools": [{"type": "function"}]}, {Capability.TOOLS}, id="tools"),
        pytest.param({"tools": []}, set(), id="an empty list of tools"),
        pytest.param({"functions": [{"name": "f"}]}, {Capability.TOOLS}, id="functions, the older form"),
        pytest.param(
            {"messages": _user({"type": "image_url", "image_url": {"url": PICTURE}})},
            {Capability.VISION},
            id="picture",
        ),
        pytest.param(
            {"messages": _user({"type": "image_url", "image_url": PICTURE})}, {Capability.VISION}, id="a bare picture"
        ),
        pytest.param(
            {"messages": _user({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})},
            {Capability.AUDIO},
            id="sound in",
        ),
        pytest.param({"modalities": ["text", "audio"]}, {Capability.AUDIO}, id="sound out"),
        pytest.param({"modalities": ["text"]}, set(), id="text out"),
        pytest.param({"response_format": {"type": "json_schema"}}, {Capability.JSON_SCHEMA}, id="a schema"),
        pytest.param({"response_format": {"type": "json_object"}}, set(), id="any JSON"),
        pytest.param(
            {"messages": _user({"type": "text", "text": "a"}, {"type": "something_new"})},
            set(),
            id="unknown parts",
        ),
        pytest.param(
            {
                "stream": True,
                "tools": [{}],
                "response_format": {"type": "json_schema"},
                "messages": [HELLO, *_user({"type": "image_url", "image_url": {"url": "https://x/y.png"}})],
            },
            {Capability.STREAMING, Capability.TOOLS, Capability.JSON_SCHEMA, Capability.VISION},
            id="all at once",
        ),
    ],
)
def test_what_it_needs(fields: dict[str, Any], capabilities: set[Capability]) -> None:
    """A request is only sent to models that can do what it asks for."""
    assert _read(**fields).need.capabilities == {Capability.CHAT} | capabilities


OPTIONAL = [
    "stream",
    "stream_options",
    "tools",
    "functions",
    "response_format",
    "modalities",
    "max_tokens",
    "max_completion_tokens",
    "n",
]


@pytest.mark.parametrize("name", OPTIONAL)
def test_null_is_absent(name: str) -> None:
    """An explicit null asks for nothing, as OpenAI has it."""
    given_null, plain = _read(**{name: None}), _read()
    assert given_null.need.capabilities == plain.need.capabilities
    assert given_null.need.max_output_tokens is None
    assert (given_null.stream, given_null.include_usage, given_null.choices) == (False, False, 1)


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"max_tokens": 5}, 5, id="older"),
        pytest.param({"max_completion_tokens": 6}, 6, id="newer"),
        pytest.param({"max_tokens": 5, "max_completion_tokens": 6}, 6, id="the newer one counts"),
        pytest.param({"max_tokens": 0}, None, id="nothing sensible"),
    ],
)
def test_output_limit(fields: dict[str, Any], tokens: int | None) -> None:
    """The answer's length is known where the client limits it."""
    assert _read(**fields).need.max_output_tokens == tokens


@pytest.mark.parametrize(
    ("fields", "include_usage"),
    [
        pytest.param({"stream": True}, False, id="not asked"),
        pytest.param({"stream": True, "stream_options": {"include_usage": True}}, True, id="asked"),
        pytest.param({"stream": True, "stream_options": {"include_usage": None}}, False, id="null"),
        pytest.param({"stream_options": {"include_usage": True}}, False, id="not a stream"),
    ],
)
def test_include_usage(fields: dict[str, Any], include_usage: bool) -> None:
    """Whether the client wants to see the usage chunk."""
    assert _read(**fields).include_usage is include_usage


ENGLISH = "The quick brown fox jumps over the lazy dog. " * 400
CHINESE = "敏捷的棕色狐狸跳过了那只懒狗。" * 400


@pytest.mark.parametrize(
    ("text", "tokens"),
    [pytest.param(ENGLISH, 400 * 10, id="English"), pytest.param(CHINESE, 400 * 14, id="Chinese")],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_the_estimate_is_about_right(text: str, tokens: int, escaped: bool) -> None:
    r"""The estimate is within a third of what tokenizers say, however the client spells its characters."""
    body = {"model": "chat", "messages": [{"role": "user", "content": text}]}
    estimate = read(json.dumps(body, ensure_ascii=escaped).encode()).need.input_tokens
    assert tokens * 0.67 < estimate < tokens * 1.34


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        pytest.param({"type": "image_url", "image_url": {"url": PICTURE}}, IMAGE_TOKENS, id="picture"),
        pytest.param({"type": "input_audio", "input_audio": {"data": PICTURE}}, AUDIO_TOKENS, id="sound"),
        pytest.param({"type": "file", "file": {"file_data": PICTURE}}, FILE_TOKENS, id="a file"),
    ],
)
def test_media_count_flat(part: dict[str, Any], tokens: int) -> None:
    """Forty kilobytes of base64 are not ten thousand tokens."""
    one = _read(messages=_user(part)).need.input_tokens
    two = _read(messages=_user(part, part)).need.input_tokens
    assert two - one == pytest.approx(tokens, abs=30)


def test_tools_count() -> None:
    """A long tool schema takes room in the window as well."""
    tools = [{"type": "function", "function": {"name": "f", "description": "d" * 4000}}]
    assert _read(tools=tools).need.input_tokens > 1000


INVALID = [
    pytest.param(b"", None, None, id="nothing"),
    pytest.param(b"{", None, None, id="cut"),
    pytest.param(b"not json", None, None, id="no JSON"),
    pytest.param(b'{"model": "\xff\xfe"}', None, None, id="invalid UTF-8"),
    pytest.param(b'{"model": "\\ud800"}', None, None, id="a lone surrogate"),
    pytest.param(b'{"a": NaN}', None, None, id="NaN"),
    pytest.param(b'{"a": 1e999}', None, None, id="infinity"),
    pytest.param(b"[" * 2000 + b"]" * 2000, None, None, id="nested 2000 deep"),
    pytest.param(b"\xef\xbb\xbf{}", None, None, id="a byte order mark"),
    pytest.param(b"[]", None, None, id="a list"),
    pytest.param(b"null", None, None, id="null"),
    pytest.param(b"1" * 5000, None, None, id="a huge number"),
    pytest.param(b"{}", "model", "missing_required_parameter", id="no model"),
    pytest.param(b'{"model": null}', "model", "missing_required_parameter", id="model is null"),
    pytest.param(b'{"model": ""}', "model", "missing_required_parameter", id="model is empty"),
    pytest.param(b'{"model": 5}', "model", "invalid_type", id="model is a number"),
    pytest.param(b'{"model": "m"}', "messages", "missing_required_parameter", id="no messages"),
    pytest.param(b'{"model": "m", "messages": "hi"}', "messages", "invalid_type", id="messages is a string"),
    pytest.param(b'{"model": "m", "messages": []}', "messages", "empty_array", id="no message"),
    pytest.param(b'{"model": "m", "messages": [5]}', "messages[0]", "invalid_type", id="a message is a number"),
    pytest.param(
        b'{"model": "m", "messages": [{"content": "a"}]}',
        "messages[0].role",
        "missing_required_parameter",
        id="no role",
    ),
    pytest.param(
        b'{"model": "m", "messages": [{"role": 1}]}', "messages[0].role", "invalid_type", id="a role is a number"
    ),
    pytest.param(
        b'{"model": "m", "messages": [{"role": "user", "content": 5}]}',
        "messages[0].content",
        "invalid_type",
        id="content is a number",
    ),
    pytest.param(
        b'{"model": "m", "messages": [{"role": "user", "content": {"type": "text"}}]}',
        "messages[0].content",
        "invalid_type",
        id="content is an object",
    ),
    pytest.param(
        b'{"model": "m", "messages": [{"role": "user", "content": ["a"]}]}',
        "messages[0].content[0]",
        "invalid_type",
        id="a part is a string",
    ),
    *(
        pytest.param(orjson.dumps(BASE | {name: "many"}), name, "invalid_type", id=f"{name} is a string")
        for name in OPTIONAL
    ),
    pytest.param(orjson.dumps(BASE | {"n": True}), "n", "invalid_type", id="n is a boolean"),
    pytest.param(orjson.dumps(BASE | {"stream": 1}), "stream", "invalid_type", id="stream is a number"),
    pytest.param(orjson.dumps(BASE | {"max_tokens": 1.5}), "max_tokens", "invalid_type", id="max_tokens is a fraction"),
    pytest.param(
        orjson.dumps(BASE)[:-1] + b',"max_tokens":' + b"9" * 40 + b"}",
        "max_tokens",
        "invalid_type",
        id="huge",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), INVALID)
def test_what_is_wrong_is_said(body: bytes, param: str | None, code: str | None) -> None:
    """A request that is none gets OpenAI's kind of error, which names the field."""
    with pytest.raises(RequestError) as caught:
        read(body)
    error = caught.value
    assert (error.status, error.type, error.param, error.code) == (400, "invalid_request_error", param, code)
    assert len(error.message) < 300
    assert param is None or f"'{param}'" in error.message


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Any bytes are a request or a RequestError."""
    with contextlib.suppress(RequestError):
        read(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "image_url", "url", "input_audio", "data", "file"]), children
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["model", "messages", *OPTIONAL]), _JSON))
def test_no_json_raises_anything_else(fields: dict[str, Any]) -> None:
    """Any JSON is a request or a RequestError, whatever stands where."""
    for body in (fields, BASE | fields, BASE | {"messages": [fields]}):
        with contextlib.suppress(RequestError):
            read(orjson.dumps(body))
