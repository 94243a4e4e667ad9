"""Bedrock's wire format, as AWS's model of the service has it."""

import json
from typing import Any

import pytest

from harness.event_frames import parsed_frames
from understudy.mock.asks import Call, Chat, Operation, Tool
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.bedrock import Bedrock
from understudy.mock.failures import RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings
from understudy.mock.signatures import signature

BEDROCK = Bedrock()
STAMP = Stamp("ada.b", 7, 1700000000)
CONVERSE = Call(Operation.CHAT, "claude", "converse")
WEATHER = Tool("weather", {"type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "string"}}})
TIME = Tool("time", {"type": "object"})
SIGNED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/20261121/us-east-1/bedrock/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'a' * 64}",
    "x-amz-date": "20261121T060000Z",
}

CHATS = [
    pytest.param(Chat("claude", said="Hi", prompt_tokens=5), id="text"),
    pytest.param(Chat("claude", said='"quoted" — 🙂\n', prompt_tokens=5), id="text to escape"),
    pytest.param(Chat("claude", said="[call: 1, 2]", tools=(WEATHER, TIME)), id="two tool calls"),
    pytest.param(Chat("claude", said="[think: hm so] [say: Let me see] [call]", tools=(WEATHER,)), id="all at once"),
    pytest.param(Chat("claude", said="[refuse]"), id="a refusal"),
    pytest.param(Chat("claude", said="Hi", max_tokens=2), id="cut off"),
]


def whole(chat: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    answer: dict[str, Any] = json.loads(BEDROCK.answer(chat, reply_to(chat, name="ada", settings=Settings()), STAMP))
    return answer


def streamed(chat: Chat) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of the answer as a stream, each with its type."""
    stream = BEDROCK.stream(chat, reply_to(chat, name="ada", settings=Settings()), STAMP)
    frames = parsed_frames(b"".join((*stream.opening, *stream.pieces, *stream.closing)))
    assert {headers[":message-type"] for headers, _ in frames} == {"event"}
    return [(headers[":event-type"], json.loads(payload)) for headers, payload in frames]


def folded(told: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Put an answer together from its events."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for kind, event in told:
        index = event.get("contentBlockIndex", 0)
        if kind == "contentBlockStart":
            blocks[index] = {"toolUse": {**event["start"]["toolUse"], "input": ""}}
        elif kind == "contentBlockDelta":
            _add(blocks.setdefault(index, {}), event["delta"])
        elif kind == "messageStop":
            answer["stopReason"] = event["stopReason"]
        elif kind == "metadata":
            answer |= event
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    answer["output"] = {"message": {"role": told[0][1]["role"], "content": [blocks[index] for index in sorted(blocks)]}}
    return answer


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    ((name, piece),) = delta.items()
    if name == "text":
        block["text"] = block.get("text", "") + piece
    elif name == "toolUse":
        block["toolUse"]["input"] += piece["input"]
    else:
        ((part, text),) = piece.items()
        thought = block.setdefault("reasoningContent", {"reasoningText": {}})["reasoningText"]
        thought[part] = thought.get(part, "") + text


def test_answer() -> None:
    """An answer has every field that Bedrock's has."""
    chat = Chat("m", said="[think: hm] [say: Hello] [call] [cached: 7] [written: 2]", tools=(TIME,), prompt_tokens=20)
    assert whole(chat) == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": signature("anthropic", "hm")}}},
                    {"text": "Hello"},
                    {"toolUse": {"toolUseId": "tooluse_ada_b_7_0", "name": "time", "input": {}}},
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": {
            "inputTokens": 11,
            "outputTokens": 4,
            "totalTokens": 24,
            "cacheReadInputTokens": 7,
            "cacheWriteInputTokens": 2,
        },
        "metrics": {"latencyMs": 1},
    }


@pytest.mark.parametrize("chat", CHATS)
def test_a_stream_says_what_the_answer_says(chat: Chat) -> None:
    """Put together, the events are the answer in one piece."""
    assert whole(chat) == folded(streamed(chat))


@pytest.mark.parametrize("chat", CHATS)
def test_a_stream_has_its_order(chat: Chat) -> None:
    """Only a call has a beginning, every block has an end, and the usage comes after the stop."""
    kinds = [kind for kind, _ in streamed(chat) if kind != "contentBlockDelta"]
    blocks = [
        kind
        for block in whole(chat)["output"]["message"]["content"]
        for kind in (["contentBlockStart"] if "toolUse" in block else []) + ["contentBlockStop"]
    ]
    assert ["messageStart", *blocks, "messageStop", "metadata"] == kinds


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        pytest.param(Chat("m"), "end_turn", id="by itself"),
        pytest.param(Chat("m", max_tokens=1), "max_tokens", id="too long"),
        pytest.param(Chat("m", calls=(TIME,)), "tool_use", id="a call"),
        pytest.param(Chat("m", said="[refuse]"), "content_filtered", id="a refusal"),
        pytest.param(Chat("m", stop=("is",)), "stop_sequence", id="stopped"),
    ],
)
def test_says_why_it_ends(chat: Chat, reason: str) -> None:
    """Each end has Bedrock's word."""
    assert reason == whole(chat)["stopReason"]


@pytest.mark.parametrize(
    ("path", "call"),
    [
        pytest.param("/model/m/converse", Call(Operation.CHAT, "m", "converse"), id="converse"),
        pytest.param("/model/m/converse-stream", Call(Operation.CHAT, "m", "converse-stream"), id="stream"),
        pytest.param("/model/m/count-tokens", Call(Operation.COUNT, "m", "count-tokens"), id="count"),
        pytest.param("/model/arn%3Aaws%2Fx/converse", Call(Operation.CHAT, "arn:aws/x", "converse"), id="an ARN"),
        pytest.param("/v1/models", None, id="another vendor's"),
    ],
)
def test_finds(path: str, call: Call | None) -> None:
    """The paths of the runtime are found, with the model in them; others are left to others."""
    assert call == BEDROCK.find(Head("POST", path, SIGNED))


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "message"),
    [
        pytest.param("GET", "/model/m/converse", {}, 405, "use POST", id="method"),
        pytest.param("POST", "/model/m/chat", {}, 404, "no operation /model/m/chat", id="operation"),
        pytest.param("POST", "/model/a/b/converse", {}, 404, "no operation", id="a slash that is not encoded"),
        pytest.param("POST", "/model/us.m/count-tokens", {}, 400, "doesn't support counting", id="count of a profile"),
        pytest.param(
            "POST",
            "/model/m/converse",
            SIGNED | {"authorization": SIGNED["authorization"].replace("/bedrock/", "/bedrock-runtime/")},
            403,
            "scoped to correct service",
            id="signed for another service",
        ),
        pytest.param(
            "POST",
            "/model/m/converse",
            SIGNED | {"x-amz-date": "20261122T060000Z"},
            403,
            "Date in Credential scope",
            id="signed for another day",
        ),
        pytest.param(
            "POST",
            "/model/m/converse",
            SIGNED | {"x-amz-security-token": "t"},
            403,
            "x-amz-security-token have to be signed",
            id="a token that is not signed",
        ),
        pytest.param(
            "POST", "/model/m/converse", {"authorization": "AWS4-HMAC-SHA256 x"}, 403, "requires", id="half a signature"
        ),
    ],
)
def test_refuses(method: str, path: str, headers: dict[str, str], status: int, message: str) -> None:
    """A request that AWS would not take is refused, and told why."""
    with pytest.raises(RefusedError) as caught:
        BEDROCK.find(Head(method, path, headers))
    assert (status, True) == (caught.value.failure.status, message in caught.value.failure.message)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        pytest.param(SIGNED, "AKIA1", id="the id of the access key"),
        pytest.param({"authorization": "Bearer k"}, "k", id="an API key"),
        pytest.param({}, None, id="none"),
    ],
)
def test_credential(headers: dict[str, str], key: str | None) -> None:
    """Who asks is known from either way to say so."""
    assert key == BEDROCK.credential(Head("POST", "/model/m/converse", headers))


@pytest.mark.parametrize(
    ("error", "status", "kind", "in_stream"),
    [
        pytest.param("400", 400, "ValidationException", "validationException", id="400"),
        pytest.param("context", 400, "ValidationException", "validationException", id="context"),
        pytest.param("403", 403, "AccessDeniedException", None, id="403"),
        pytest.param("404", 404, "ResourceNotFoundException", None, id="404"),
        pytest.param("408", 408, "ModelTimeoutException", None, id="408"),
        pytest.param("424", 424, "ModelErrorException", "modelStreamErrorException", id="424"),
        pytest.param("429", 429, "ThrottlingException", "throttlingException", id="429"),
        pytest.param("quota", 429, "ThrottlingException", "throttlingException", id="quota"),
        pytest.param("500", 500, "InternalServerException", "internalServerException", id="500"),
        pytest.param("503", 503, "ServiceUnavailableException", "serviceUnavailableException", id="503"),
        pytest.param("529", 529, "ServiceUnavailableException", "serviceUnavailableException", id="529"),
    ],
)
def test_errors(error: str, status: int, kind: str, in_stream: str | None) -> None:
    """The type of an error is in a header; in a stream it is a frame of its own kind."""
    failure = scripted(error, model="m", words=BEDROCK.words)
    told = json.loads(BEDROCK.error(CONVERSE, failure, STAMP))
    given = BEDROCK.error_headers(failure)["x-amzn-ErrorType"].partition(":")[0]
    assert (status, kind, {"message": failure.message}) == (failure.status, given, told)
    ((headers, payload),) = parsed_frames(BEDROCK.error_event(CONVERSE, failure, STAMP, first=True))
    if in_stream is None:
        assert ("error", kind, failure.message) == (
            headers[":message-type"],
            headers[":error-code"],
            headers[":error-message"],
        )
    else:
        assert ("exception", in_stream, told) == (
            headers[":message-type"],
            headers[":exception-type"],
            json.loads(payload),
        )
