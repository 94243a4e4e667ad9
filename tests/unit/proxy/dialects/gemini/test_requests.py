"""What Google's clients ask for, and what Gemini gets of a canonical request.

`requests/` holds one file a case: a client's body, the canonical request that it is, and the body of that for a model.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.conversations import plain_chat
from harness.runtimes import a_candidate, a_model
from understudy_api.config import Capability
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.gemini.chat import chat_of
from understudy_proxy.dialects.gemini.passing import PassedGenerate
from understudy_proxy.dialects.gemini.provider import GeminiTurn
from understudy_proxy.dialects.gemini.request import GenerateRequest, read
from understudy_proxy.dialects.request_error import RequestError, Unsupported

CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("requests/*")]
HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def _read(body: Any, **how: Any) -> GenerateRequest:
    return read(body if isinstance(body, bytes) else orjson.dumps(body), model="chat", **how)


def _chat(body: dict[str, Any]) -> Chat:
    return chat_of(_read(body))


@pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
def test_cases(case: dict[str, Any]) -> None:
    """A client's request is the canonical one of its file, and that is the provider's one, with its warnings."""
    chat = _chat(case["client"])
    assert plain_chat(chat) == case["chat"]
    call = GeminiTurn(chat, a_candidate("ai/google:m", a_model(upstream_name=case["model"]))).call
    assert orjson.loads(call.body) == case["provider"]
    assert list(call.warnings) == case.get("warnings", [])
    assert call.path == f"/models/{case['model']}:generateContent"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({}, "contents", id="no contents"),
        pytest.param({"contents": []}, "contents", id="empty contents"),
        pytest.param({"contents": "Hi"}, "contents", id="a text for contents"),
        pytest.param({"contents": [7]}, "contents[0]", id="a number for a content"),
        pytest.param({"contents": [{"role": "robot"}]}, "contents[0].role", id="an unknown role"),
        pytest.param({"contents": [{"parts": [7]}]}, "contents[0].parts[0]", id="a number for a part"),
        pytest.param({"contents": [{"parts": [{"text": 7}]}]}, "contents[0].parts[0].text", id="a number for a text"),
        pytest.param(
            {"contents": [{"role": "model", "parts": [{"functionCall": {}}]}]},
            "contents[0].parts[0].functionCall.name",
            id="a call of nothing",
        ),
        pytest.param(
            {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]},
            "contents[0].parts[0].functionResponse",
            id="a result of no call",
        ),
        pytest.param(
            {**HI, "generationConfig": {"temperature": "hot"}}, "generationConfig.temperature", id="a text for a number"
        ),
        pytest.param(
            {**HI, "generationConfig": {"maxOutputTokens": {}}}, "generationConfig.maxOutputTokens", id="tokens"
        ),
        pytest.param(
            {**HI, "generationConfig": {"candidateCount": 1000}}, "generationConfig.candidateCount", id="candidates"
        ),
        pytest.param(
            {**HI, "tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name", id="tool"
        ),
        pytest.param(
            {**HI, "toolConfig": {"functionCallingConfig": {"mode": "MUST"}}},
            "toolConfig.functionCallingConfig.mode",
            id="an unknown mode",
        ),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    """A wrong request is refused with the path of the field, as the client would write it."""
    with pytest.raises(RequestError) as refused:
        _chat(body)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({**HI, "cachedContent": "cachedContents/1"}, id="contents kept at Google"),
        pytest.param({**HI, "tools": [{"googleSearch": {}}]}, id="a tool of Google's"),
        pytest.param({**HI, "tools": [{"functionDeclarations": [], "code_execution": {}}]}, id="one in snake case"),
        pytest.param({**HI, "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}, id="an image as answer"),
        pytest.param({**HI, "generationConfig": {"responseMimeType": "text/x.enum"}}, id="one word of several"),
        pytest.param({"contents": [{"parts": [{"fileData": {"fileUri": "gs://b/a.png"}}]}]}, id="a file in a bucket"),
        pytest.param(
            {
                "contents": [
                    {"parts": [{"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}}]}
                ]
            },
            id="a file kept at Google",
        ),
        pytest.param({"contents": [{"role": "model", "parts": [{"executableCode": {"code": "1"}}]}]}, id="run code"),
    ],
)
def test_what_only_google_can_do(body: dict[str, Any]) -> None:
    """What changes the meaning of a request and only Google's models can do is not left out of it."""
    with pytest.raises(Unsupported):
        _chat(body)


@pytest.mark.parametrize(
    ("body", "more"),
    [
        pytest.param(HI, set(), id="words"),
        pytest.param(
            {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]}]},
            {Capability.VISION},
            id="a picture",
        ),
        pytest.param(
            {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}]}]},
            {Capability.AUDIO},
            id="sound",
        ),
        pytest.param({**HI, "tools": [{"function_declarations": [{"name": "f"}]}]}, {Capability.TOOLS}, id="functions"),
        pytest.param({**HI, "generation_config": {"response_schema": {}}}, set(), id="an empty schema"),
        pytest.param(
            {**HI, "generation_config": {"response_json_schema": {"type": "object"}}},
            {Capability.JSON_SCHEMA},
            id="a schema",
        ),
    ],
)
def test_what_a_request_needs(body: dict[str, Any], more: set[Capability]) -> None:
    """Routing knows what an answer takes, in either spelling."""
    assert _read(body).need.capabilities == {Capability.CHAT, *more}
    assert _read(body, stream=True).need.capabilities == {Capability.CHAT, Capability.STREAMING, *more}


def test_media_do_not_count_as_text() -> None:
    """A picture of a megabyte is no prompt of a quarter of a million tokens."""
    picture = {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "A" * 1_000_000}}]}]}
    assert _read(picture).need.input_tokens < 2000


MANY = 20_000


def test_many_of_everything() -> None:
    """A conversation with as many calls, results and pieces as fit into a body takes no longer than it is long."""
    calls = [{"functionCall": {"name": "f"}} for _ in range(MANY)]
    results = [{"functionResponse": {"name": "f", "response": {"output": "x"}}} for _ in range(MANY)]
    pieces = [{"text": "x" * 50} for _ in range(MANY)]
    thoughts = [{"text": "x" * 50, "thought": True} for _ in range(MANY)]
    contents = [{"role": "model", "parts": [*thoughts, *pieces, *calls]}, {"role": "user", "parts": results}]
    first, second = _chat({"contents": contents}).messages
    assert (len(first.parts), len(second.parts)) == (MANY + 2, MANY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
FIELDS = [
    *("contents", "parts", "role", "text", "thought", "thoughtSignature"),
    *("inlineData", "mimeType", "data", "fileData", "fileUri"),
    *("functionCall", "name", "args", "functionResponse", "response"),
    *(
        "systemInstruction",
        "tools",
        "functionDeclarations",
        "parameters",
        "toolConfig",
        "functionCallingConfig",
        "mode",
    ),
    *("generationConfig", "thinkingConfig", "responseSchema", "stopSequences"),
]
REQUESTS = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(FIELDS), REQUESTS), REQUESTS)
def test_nothing_is_too_odd(body: dict[str, Any], contents: Any) -> None:
    """Whatever a body holds, it is a request or told what is wrong with it."""
    with suppress(RequestError, Unsupported):
        _chat({**body, "contents": contents})


DEEP = "[" * 400 + "]" * 400
A_CALL = '{"role":"model","parts":[{"functionCall":{"name":"f"}}]}'
A_FUNCTION = '{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"a":DEEP}}]}'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"contents":DEEP}', id="contents"),
        pytest.param('{"contents":[{}],"tools":DEEP}', id="tools"),
        pytest.param('{"contents":[{}],"tools":[' + A_FUNCTION + "]}", id="a function"),
        pytest.param('{"contents":[{}],"generationConfig":{"responseSchema":{"items":DEEP}}}', id="a schema"),
        pytest.param('{"contents":[{"parts":[{"functionCall":{"name":"f","args":{"a":DEEP}}}]}]}', id="a call"),
        pytest.param(
            f'{{"contents":[{A_CALL},{{"parts":[{{"functionResponse":{{"name":"f","response":{{"a":DEEP}}}}}}]}}]}}',
            id="a result",
        ),
    ],
)
def test_what_is_nested_too_deeply(body: str) -> None:
    """It can be read and not be written, and is refused or left out, whoever would get it."""
    asked = _read(body.replace("DEEP", DEEP).encode())
    candidate = a_candidate("ai/google:m", a_model(upstream_name="gemini-3-pro"))
    for prepared in (lambda: GeminiTurn(chat_of(asked), candidate), lambda: PassedGenerate(asked, candidate, None)):
        with suppress(RequestError, Unsupported):
            prepared()


@given(st.binary(max_size=100))
def test_no_bytes_are_too_odd(raw: bytes) -> None:
    """Whatever a body is, it is a request or refused."""
    with pytest.raises(RequestError):
        _read(raw)
