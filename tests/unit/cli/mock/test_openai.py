"""OpenAI's wire format, as its reference has it."""

import json
from base64 import b64decode
from collections.abc import Mapping
from struct import unpack
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Embeddings, Operation, Tool
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.failures import RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings

OPENAI = OpenAI()
STAMP = Stamp("ada", 7, 1700000000)
WEATHER = Tool("weather", {"type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "string"}}})

CHATS = [
    pytest.param(Chat("gpt", said="Hi", prompt_tokens=5), id="text"),
    pytest.param(Chat("gpt", said='"quoted" — 🙂\n', prompt_tokens=5), id="text to escape"),
    pytest.param(Chat("gpt", said="Hi", choices=3), id="several choices"),
    pytest.param(Chat("gpt", calls=(WEATHER,)), id="a tool call"),
    pytest.param(Chat("gpt", calls=(WEATHER, WEATHER), choices=2), id="two tool calls, twice"),
    pytest.param(Chat("gpt", said="Hi", max_tokens=2), id="cut off"),
    pytest.param(Chat("gpt", schema={}), id="JSON"),
    pytest.param(Chat("gpt", said="[refuse]"), id="a refusal"),
    pytest.param(Chat("gpt", said="[think: hm so] [say: Let me see] [call]", tools=(WEATHER,)), id="all at once"),
    pytest.param(Chat("gpt", said="[think: hm so] [cached: 7]", prompt_tokens=20), id="a thought"),
]


def whole(chat: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    answer: dict[str, Any] = json.loads(OPENAI.answer(chat, reply_to(chat, name="ada", settings=Settings()), STAMP))
    return answer


def events(chat: Chat) -> list[Any]:
    """Return the events of the answer as a stream; the last is the text after `data: `."""
    stream = OPENAI.stream(chat, reply_to(chat, name="ada", settings=Settings()), STAMP)
    lines = [event.decode() for event in (*stream.opening, *stream.pieces, *stream.closing)]
    assert all(line.startswith("data: ") and line.endswith("\n\n") for line in lines)
    return [*(json.loads(line.removeprefix("data: ")) for line in lines[:-1]), lines[-1].removeprefix("data: ").strip()]


def folded(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put choices together from their deltas, as an SDK does: by index, texts and arguments joined."""
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for part in chunk["choices"]:
            choice = choices.setdefault(part["index"], {"index": part["index"], "message": {}, "calls": {}})
            choice["finish_reason"] = part["finish_reason"]
            for name, value in part["delta"].items():
                if name == "tool_calls":
                    for call in value:
                        _add_call(choice["calls"], call)
                elif isinstance(value, str) and choice["message"].get(name) is not None:
                    choice["message"][name] += value
                else:
                    choice["message"][name] = value
    return [choices[index] for index in sorted(choices)]


def _add_call(calls: dict[int, dict[str, Any]], call: dict[str, Any]) -> None:
    if call["index"] in calls:
        assert call.keys() == {"index", "function"}
        calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    else:
        calls[call.pop("index")] = call


def test_answer() -> None:
    """An answer has every field that OpenAI's has."""
    assert whole(Chat("gpt", said="Hi", prompt_tokens=5)) == {
        "id": "chatcmpl-ada-7",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt",
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": 'This is ada, answering as gpt. You said: "Hi"',
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 5,
            "completion_tokens": 9,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
    }


@pytest.mark.parametrize("chat", CHATS)
def test_a_stream_says_what_the_answer_says(chat: Chat) -> None:
    """Put together, the chunks are the answer in one piece; then comes [DONE]."""
    *chunks, last = events(chat)
    expected = []
    for choice in whole(chat)["choices"]:
        calls = dict(enumerate(choice["message"].pop("tool_calls", [])))
        expected.append({"index": choice["index"], "message": choice["message"], "calls": calls})
        expected[-1]["finish_reason"] = choice["finish_reason"]
    assert (expected, "[DONE]") == (folded(chunks), last)


@pytest.mark.parametrize("chat", CHATS)
def test_a_stream_begins_with_the_role_and_ends_with_a_reason(chat: Chat) -> None:
    """Each choice has its role in its first chunk alone; in its last alone a finish reason, with an empty delta."""
    *chunks, _ = events(chat)
    for index in range(chat.choices):
        parts = [part for chunk in chunks for part in chunk["choices"] if part["index"] == index]
        assert ["role" in part["delta"] for part in parts] == [True] + [False] * (len(parts) - 1)
        assert [part["finish_reason"] is None for part in parts] == [True] * (len(parts) - 1) + [False]
        assert parts[-1]["delta"] == {}


@pytest.mark.parametrize("chat", CHATS)
def test_chunks_belong_together(chat: Chat) -> None:
    """All chunks of a stream have one id, time and model, and none has usage unless it was asked for."""
    *chunks, _ = events(chat)
    heads = {(c["id"], c["created"], c["model"], c["object"], "usage" in c) for c in chunks}
    assert heads == {("chatcmpl-ada-7", 1700000000, "gpt", "chat.completion.chunk", False)}


def test_usage_comes_last_where_it_was_asked_for() -> None:
    """With include_usage, every chunk has null for it but the last, which has no choices."""
    chat = Chat("gpt", said="Hi", prompt_tokens=5, stream_usage=True)
    *chunks, last, _ = events(chat)
    assert {chunk["usage"] for chunk in chunks} == {None}
    assert ([], whole(chat)["usage"]) == (last["choices"], last["usage"])


def test_a_refusal_is_no_content() -> None:
    """The words of a refusal have a field of their own, and the answer ends as any other."""
    choice = whole(Chat("gpt", said="[refuse]"))["choices"][0]
    message = choice["message"]
    assert (None, True, "stop") == (message["content"], bool(message["refusal"]), choice["finish_reason"])


def test_counts_by_kind() -> None:
    """What a cache had is part of the prompt, what was thought part of the completion."""
    usage = whole(Chat("gpt", said="[think: hm so] [say: Hello] [cached: 7] [written: 2]", prompt_tokens=20))["usage"]
    prompt, completion = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    assert (20, 3, 23) == (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"])
    assert (7, 2, 2) == (prompt["cached_tokens"], prompt["cache_write_tokens"], completion["reasoning_tokens"])


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        pytest.param("POST", "/v1/chat/completions", Call(Operation.CHAT), id="chat"),
        pytest.param("POST", "/v1/embeddings", Call(Operation.EMBEDDINGS), id="embeddings"),
        pytest.param("GET", "/v1/models", Call(Operation.MODELS), id="models"),
        pytest.param("GET", "/v1/models/org/m", Call(Operation.MODEL, "org/m"), id="a model with a slash"),
        pytest.param("GET", "/v1/models/org%2Fm", Call(Operation.MODEL, "org/m"), id="the same, encoded"),
    ],
)
def test_finds(method: str, path: str, call: Call) -> None:
    """The paths of OpenAI's API are found."""
    assert call == OPENAI.find(Head(method, path, {}))


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        pytest.param("/chat/completions", "the base URL has to end in /v1", id="base URL without /v1"),
        pytest.param("/v1/v1/chat/completions", "Invalid URL", id="too much of it"),
        pytest.param("//v1/chat/completions", "Invalid URL", id="double slash"),
        pytest.param("/v1/chat/completions/", "Invalid URL", id="trailing slash"),
        pytest.param("/v1/models/", "Invalid URL", id="no model"),
    ],
)
def test_does_not_find(path: str, hint: str) -> None:
    """A path that OpenAI would not know is not known, and the message says what to change."""
    head = Head("POST", path, {})
    failure = OPENAI.unknown(head)
    assert (None, 404, True) == (OPENAI.find(head), failure.status, hint in failure.message)


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        pytest.param("GET", "/v1/chat/completions", "use POST", id="chat"),
        pytest.param("POST", "/v1/models/m", "use GET", id="a model"),
    ],
)
def test_refuses_a_wrong_method(method: str, path: str, hint: str) -> None:
    """A path that is known takes its own method alone, and the message says which."""
    with pytest.raises(RefusedError) as caught:
        OPENAI.find(Head(method, path, {}))
    assert (405, True) == (caught.value.failure.status, hint in caught.value.failure.message)


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        pytest.param("400", 400, "invalid_request_error", None, id="400"),
        pytest.param("context", 400, "invalid_request_error", "context_length_exceeded", id="context"),
        pytest.param("filter", 400, "invalid_request_error", "content_policy_violation", id="filter"),
        pytest.param("401", 401, "invalid_request_error", "invalid_api_key", id="401"),
        pytest.param("402", 402, "insufficient_quota", "credit_balance_exhausted", id="402"),
        pytest.param("403", 403, "invalid_request_error", "permission_denied", id="403"),
        pytest.param("404", 404, "invalid_request_error", "model_not_found", id="404"),
        pytest.param("418", 418, "api_error", None, id="a status without a meaning"),
        pytest.param("429", 429, "requests", "rate_limit_exceeded", id="429"),
        pytest.param("quota", 429, "insufficient_quota", "insufficient_quota", id="quota"),
        pytest.param("500", 500, "server_error", None, id="500"),
        pytest.param("502", 502, "server_error", None, id="502"),
        pytest.param("503", 503, "service_unavailable_error", "server_is_overloaded", id="503"),
        pytest.param("520", 520, "server_error", None, id="any other of the server"),
        pytest.param("529", 529, "service_unavailable_error", "server_is_overloaded", id="529"),
    ],
)
def test_errors(error: str, status: int, kind: str, code: str | None) -> None:
    """Each scripted error has the status, type and code that OpenAI gives it."""
    failure = scripted(error, model="gpt")
    told = json.loads(OPENAI.error(None, failure, STAMP))["error"]
    assert (status, {"message": failure.message, "type": kind, "param": None, "code": code}) == (failure.status, told)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        pytest.param({"authorization": "Bearer sk-1"}, "sk-1", id="bearer"),
        pytest.param({"authorization": "bearer  sk-1 "}, "sk-1", id="bearer in any case"),
        pytest.param({"api-key": "sk-2"}, "sk-2", id="api-key"),
        pytest.param({"authorization": "Basic x"}, None, id="another scheme"),
        pytest.param({}, None, id="none"),
    ],
)
def test_credential(headers: Mapping[str, str], key: str | None) -> None:
    """A key is found where OpenAI's and Azure's clients put it."""
    assert key == OPENAI.credential(Head("POST", "/", headers))


def test_vectors_in_either_encoding() -> None:
    """Base64 holds the same numbers, as little-endian float32."""
    vectors = [[0.5, -0.25], [1.0, 0.0]]
    plain, packed = (
        json.loads(OPENAI.vectors(Embeddings("e", ("a", "b"), 2, base64=base64, prompt_tokens=3), vectors))
        for base64 in (False, True)
    )
    decoded = [list(unpack("<2f", b64decode(entry["embedding"]))) for entry in packed["data"]]
    assert (vectors, vectors) == ([entry["embedding"] for entry in plain["data"]], decoded)
    assert plain["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
