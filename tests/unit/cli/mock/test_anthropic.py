"""Anthropic's wire format, as its reference has it."""

import json
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Operation, Tool
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.anthropic import Anthropic
from understudy.mock.failures import RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings
from understudy.mock.signatures import signature

ANTHROPIC = Anthropic()
STAMP = Stamp("ada.b", 7, 1700000000)
VERSION = {"anthropic-version": "2023-06-01"}
WEATHER = Tool("weather", {"type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "string"}}})
TIME = Tool("time", {"type": "object"})

CHATS = [
    pytest.param(Chat("claude", said="Hi", prompt_tokens=5), id="text"),
    pytest.param(Chat("claude", said='"quoted" — 🙂\n', prompt_tokens=5), id="text to escape"),
    pytest.param(Chat("claude", said="[call: 1, 2]", tools=(WEATHER, TIME)), id="two tool calls"),
    pytest.param(Chat("claude", said="[think: hm so] [say: Let me see] [call]", tools=(WEATHER,)), id="all at once"),
    pytest.param(Chat("claude", said="[think: hm so]"), id="a thought"),
    pytest.param(Chat("claude", said="[refuse]"), id="a refusal"),
    pytest.param(Chat("claude", said="Hi", max_tokens=2), id="cut off"),
    pytest.param(Chat("claude", said="Hi", max_tokens=0), id="nothing at all"),
    pytest.param(Chat("claude", said="[say: a b END c]", stop=("END",)), id="stopped"),
    pytest.param(Chat("claude", said="[cached: 7] [written: 2]", prompt_tokens=20), id="cached"),
]


def whole(chat: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    reply = reply_to(chat, name="ada", settings=Settings())
    answer: dict[str, Any] = json.loads(ANTHROPIC.answer(chat, reply, STAMP))
    return answer


def events(content: bytes) -> list[dict[str, Any]]:
    """Return the events in some bytes; the name of each is the type in its data."""
    found = []
    for event in content.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def streamed(chat: Chat) -> list[dict[str, Any]]:
    """Return the events of the answer as a stream."""
    stream = ANTHROPIC.stream(chat, reply_to(chat, name="ada", settings=Settings()), STAMP)
    return events(b"".join((*stream.opening, *stream.pieces, *stream.closing)))


def folded(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Put a message together from its events, as an SDK does."""
    message: dict[str, Any] = {}
    arguments: dict[int, str] = {}
    for event in told:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                kind = delta.pop("type")
                if kind == "input_json_delta":
                    arguments[event["index"]] = arguments.get(event["index"], "") + delta["partial_json"]
                else:
                    ((name, piece),) = delta.items()
                    assert kind == f"{name}_delta"
                    block[name] += piece
            case "content_block_stop" if event["index"] in arguments:
                message["content"][event["index"]]["input"] = json.loads(arguments[event["index"]])
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
    return message


def test_answer() -> None:
    """An answer has every field that Anthropic's has."""
    assert whole(Chat("claude", said="[think: hm] [say: Hello] [call] [cached: 7] [written: 2]", tools=(TIME,))) == {
        "id": "msg_ada.b_7",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": signature("anthropic", "hm")},
            {"type": "text", "text": "Hello"},
            {"type": "tool_use", "id": "toolu_ada_b_7_0", "name": "time", "input": {}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"thinking_tokens": 1},
            "service_tier": "standard",
        },
    }


@pytest.mark.parametrize("chat", CHATS)
def test_a_stream_says_what_the_answer_says(chat: Chat) -> None:
    """Put together, the events are the answer in one piece."""
    assert whole(chat) == folded(streamed(chat))


@pytest.mark.parametrize("chat", CHATS)
def test_a_stream_has_its_order(chat: Chat) -> None:
    """Each block begins and ends before the next one; the end is told last, once."""
    kinds = [event["type"] for event in streamed(chat) if event["type"] != "content_block_delta"]
    blocks = len(whole(chat)["content"])
    around = ["content_block_start", "content_block_stop"] * blocks
    assert ["message_start", "ping", *around, "message_delta", "message_stop"] == kinds


@pytest.mark.parametrize(
    ("chat", "reason", "sequence"),
    [
        pytest.param(Chat("claude"), "end_turn", None, id="by itself"),
        pytest.param(Chat("claude", max_tokens=1), "max_tokens", None, id="too long"),
        pytest.param(Chat("claude", calls=(TIME,)), "tool_use", None, id="a call"),
        pytest.param(Chat("claude", said="[refuse]"), "refusal", None, id="a refusal"),
        pytest.param(Chat("claude", stop=("is",)), "stop_sequence", "is", id="stopped"),
    ],
)
def test_says_why_it_ends(chat: Chat, reason: str, sequence: str | None) -> None:
    """Each end has Anthropic's word."""
    answer = whole(chat)
    assert (reason, sequence) == (answer["stop_reason"], answer["stop_sequence"])


def test_input_is_what_no_cache_had() -> None:
    """The input of a prompt of 20 tokens, 7 of them read from a cache and 2 written to it, is 11."""
    usage = whole(Chat("claude", said="[cached: 7] [written: 2]", prompt_tokens=20))["usage"]
    assert (11, 7, 2) == (
        usage["input_tokens"],
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        pytest.param("POST", "/v1/messages", Call(Operation.CHAT, variant="2023-06-01"), id="messages"),
        pytest.param("POST", "/v1/messages?beta=true", Call(Operation.CHAT, variant="2023-06-01"), id="with a query"),
        pytest.param("POST", "/v1/messages/count_tokens", Call(Operation.COUNT, variant="2023-06-01"), id="count"),
        pytest.param("GET", "/v1/models", Call(Operation.MODELS), id="models"),
        pytest.param("GET", "/v1/models/claude%2Fx", Call(Operation.MODEL, "claude/x"), id="a model"),
        pytest.param("POST", "/v1/complete", None, id="another path"),
        pytest.param("POST", "/v1/chat/completions", None, id="a path of OpenAI"),
    ],
)
def test_finds(method: str, path: str, call: Call | None) -> None:
    """The paths of Anthropic's API are found, others are left to others."""
    assert call == ANTHROPIC.find(Head(method, path, VERSION))


def test_models_are_anthropics_only_with_its_version() -> None:
    """OpenAI has the same path."""
    assert ANTHROPIC.find(Head("GET", "/v1/models", {})) is None


@pytest.mark.parametrize(
    ("method", "headers", "status", "message"),
    [
        pytest.param("GET", VERSION, 405, "use POST", id="method"),
        pytest.param("POST", {}, 400, "anthropic-version: header is required", id="no version"),
        pytest.param("POST", {"anthropic-version": "2024-01-01"}, 400, "is not a valid version", id="no such version"),
    ],
)
def test_refuses(method: str, headers: dict[str, str], status: int, message: str) -> None:
    """A request needs the right method and one of the two versions."""
    with pytest.raises(RefusedError) as caught:
        ANTHROPIC.find(Head(method, "/v1/messages", headers))
    assert (status, True) == (caught.value.failure.status, message in caught.value.failure.message)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        pytest.param({"x-api-key": "k"}, "k", id="x-api-key"),
        pytest.param({"authorization": "Bearer t"}, "t", id="bearer"),
        pytest.param({"x-api-key": "k", "authorization": "Bearer t"}, "k", id="both: x-api-key wins"),
        pytest.param({"x-goog-api-key": "g"}, None, id="another vendor's"),
    ],
)
def test_credential(headers: dict[str, str], key: str | None) -> None:
    """A key is found where Anthropic's SDKs of each version put it."""
    assert key == ANTHROPIC.credential(Head("POST", "/v1/messages", headers))


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        pytest.param("400", 400, "invalid_request_error", id="400"),
        pytest.param("context", 400, "invalid_request_error", id="context"),
        pytest.param("filter", 400, "invalid_request_error", id="filter"),
        pytest.param("401", 401, "authentication_error", id="401"),
        pytest.param("402", 402, "billing_error", id="402"),
        pytest.param("403", 403, "permission_error", id="403"),
        pytest.param("404", 404, "not_found_error", id="404"),
        pytest.param("409", 409, "conflict_error", id="409"),
        pytest.param("413", 413, "request_too_large", id="413"),
        pytest.param("418", 418, "invalid_request_error", id="a status without a meaning"),
        pytest.param("429", 429, "rate_limit_error", id="429"),
        pytest.param("quota", 429, "rate_limit_error", id="quota"),
        pytest.param("500", 500, "api_error", id="500"),
        pytest.param("503", 503, "overloaded_error", id="503"),
        pytest.param("504", 504, "timeout_error", id="504"),
        pytest.param("529", 529, "overloaded_error", id="529"),
    ],
)
def test_errors(error: str, status: int, kind: str) -> None:
    """Each scripted error has the status and type that Anthropic gives it, in a body and in a stream."""
    failure = scripted(error, model="claude", words=ANTHROPIC.words)
    told = json.loads(ANTHROPIC.error(None, failure, STAMP))
    assert (status, "error", kind, "req_ada.b_7") == (
        failure.status,
        told["type"],
        told["error"]["type"],
        told["request_id"],
    )
    assert [told] == events(ANTHROPIC.error_event(Call(Operation.CHAT), failure, STAMP, first=True))


def test_a_spent_budget_can_be_told_from_a_rate() -> None:
    """Who has no money left need not come back soon."""
    spent, fast = (
        json.loads(ANTHROPIC.error(None, scripted(error, model="m", words=ANTHROPIC.words), STAMP))["error"]
        for error in ("quota", "429")
    )
    assert spent["details"] == {"error_code": "enforced_spend_limit_reached"}
    assert "details" not in fast


def test_headers_tell_the_limits() -> None:
    """Limits reset at a point in time, and a request that is refused for its rate has none left."""
    headers = ANTHROPIC.headers(Call(Operation.CHAT), STAMP)
    assert (headers["request-id"], headers["anthropic-ratelimit-tokens-reset"]) == (
        "req_ada.b_7",
        "2023-11-14T22:13:21Z",
    )
    assert ANTHROPIC.error_headers(scripted("429", model="m")) == {"anthropic-ratelimit-requests-remaining": "0"}


def test_lists_models() -> None:
    """A list is one page, and an entry is as in the list."""
    page = json.loads(ANTHROPIC.model_list(["a", "b"], STAMP))
    assert (["a", "b"], False, "a", "b") == (
        [model["id"] for model in page["data"]],
        page["has_more"],
        page["first_id"],
        page["last_id"],
    )
    assert page["data"][0] == json.loads(ANTHROPIC.model_entry("a", STAMP))
