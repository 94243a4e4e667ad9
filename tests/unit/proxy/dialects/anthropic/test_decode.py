"""Answers of Anthropic, whole and streamed: `streams/NAME.sse` amounts to the message `streams/NAME.json`."""

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.anthropic.decode import read
from understudy_proxy.dialects.anthropic.decoder import MessagesDecoder
from understudy_proxy.dialects.anthropic.encode import Encoded, encode
from understudy_proxy.dialects.canonical.answer import Answer, Finish
from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Tool
from understudy_proxy.dialects.canonical.content import Message, Role, Text, ToolCall
from understudy_proxy.dialects.canonical.events import Ended, Event, Failed, KeptAlive
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.sse"))
streams = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in STREAMS])
HELLO = Chat("m", (Message(Role.USER, (Text("Hello"),)),))


def encoded(chat: Chat = HELLO, model: str = "claude-sonnet-4-5") -> Encoded:
    """A request as it was sent."""
    return encode(chat, a_candidate("ai/claude:m", a_model(upstream_name=model)))


def events_of(*chunks: bytes, sent: Encoded | None = None) -> list[Event]:
    """What a stream says, pings aside, that then ends by itself."""
    decoder = MessagesDecoder(sent or encoded())
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [event for event in events + decoder.close() if not isinstance(event, KeptAlive)]


def whole(path: Path, sent: Encoded | None = None) -> Answer:
    """The same answer in one piece."""
    answer = read(200, {}, path.with_suffix(".json").read_bytes(), sent or encoded())
    assert isinstance(answer, Answer)
    return answer


@streams
def test_a_stream_and_a_whole_answer_say_the_same(path: Path) -> None:
    """Content, ids, arguments, finish and usage do not depend on whether an answer was streamed."""
    events = events_of(path.read_bytes())
    assert isinstance(events[-1], Ended)
    assert whole(path) == fold(events)


@streams
def test_cut_anywhere_a_stream_says_the_same(path: Path) -> None:
    """Pieces fall anywhere: inside of a character, between CR and LF."""
    data = path.read_bytes()
    expected = events_of(data)
    for place in range(len(data) + 1):
        assert expected == events_of(data[:place], data[place:])
    assert expected == events_of(*(data[place : place + 1] for place in range(len(data))))


@streams
def test_a_stream_that_is_cut_has_not_ended(path: Path) -> None:
    """Without `message_stop` an answer is not whole, however much of it there is."""
    data = path.read_bytes()
    for end in range(data.index(b"event: message_stop")):
        assert not any(isinstance(event, Ended) for event in events_of(data[:end]))


def test_usage_is_everything_that_was_read_and_written() -> None:
    """Cached tokens count as input, and a later count takes the place of an earlier one."""
    answer = fold(events_of((Path(__file__).parent / "streams" / "thinking.sse").read_bytes()))
    assert Usage(input=1510, output=42, cached_input=1000, cache_write=500, reasoning=30) == answer.usage


def test_an_answer_in_a_tools_clothes_is_unwrapped() -> None:
    """Models without JSON Schema answer through a tool; nobody sees that."""
    sent = encoded(
        Chat("m", HELLO.messages, format=JsonFormat({"properties": {"city": {"type": "string"}}})), "claude-sonnet-4"
    )
    stream = (Path(__file__).parent / "streams" / "parallel-tools.sse").read_bytes()
    answer = fold(events_of(stream.replace(b'"get_weather"', b'"json_tool_call"'), sent=sent))
    texts = [part.text for part in answer.choices[0].parts if isinstance(part, Text)]
    assert ['Let me look.{"city":"Zürich"}'] == texts
    calls = [part for part in answer.choices[0].parts if isinstance(part, ToolCall)]
    assert [("toolu_02", "{}"), ("toolu_03", '{"topics":["sport"]}')] == [(one.id, one.arguments) for one in calls]


def test_only_an_answer_in_a_tools_clothes_is_an_ordinary_end() -> None:
    """It finishes as an answer does, not as tool calls do."""
    sent = encoded(Chat("m", HELLO.messages, format=JsonFormat({"type": "object"})), "claude-sonnet-4")
    body = b"""{"content": [{"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {"a": 1}}],
      "stop_reason": "tool_use"}"""
    answer = read(200, {}, body, sent)
    assert isinstance(answer, Answer)
    assert (Finish.STOP, (Text('{"a":1}'),)) == (answer.choices[0].finish, answer.choices[0].parts)


def test_names_come_back_as_the_client_knows_them() -> None:
    """A tool whose name the vendor does not take is called by another, and called back by its own."""
    sent = encoded(Chat("m", HELLO.messages, tools=(Tool("files.read"),)))
    name = sent.body["tools"][0]["name"]
    body = b'{"content": [{"type": "tool_use", "id": "t", "name": "%s", "input": {}}]}' % name.encode()
    answer = read(200, {}, body, sent)
    assert isinstance(answer, Answer)
    assert (ToolCall("t", "files.read", "{}"),) == answer.choices[0].parts


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
                     FailureKind.OVERLOADED, id="an error under 200"),
        pytest.param(b'{"type":"message"}', FailureKind.INVALID_RESPONSE, id="no content"),
        pytest.param(b"<html><title>Sorry</title>", FailureKind.INVALID_RESPONSE, id="HTML"),
        pytest.param(b"", FailureKind.INVALID_RESPONSE, id="nothing"),
        pytest.param(b"[]", FailureKind.INVALID_RESPONSE, id="a list"),
    ],
)  # fmt: skip
def test_no_answer_under_200(body: bytes, kind: FailureKind) -> None:
    """A success is believed only with an answer in it."""
    failure = read(200, {}, body, encoded())
    assert isinstance(failure, UpstreamFailure)
    assert kind is failure.kind


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        pytest.param(400, {"type": "invalid_request_error", "message": "max_tokens: Field required"},
                     FailureKind.BAD_REQUEST, id="400"),
        pytest.param(400, {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"},
                     FailureKind.CONTEXT_LENGTH_EXCEEDED, id="too long"),
        pytest.param(400, {"type": "invalid_request_error",
                           "message": "input length and `max_tokens` exceed context limit: 9 + 8 > 10"},
                     FailureKind.CONTEXT_LENGTH_EXCEEDED, id="too long with the answer"),
        pytest.param(400, {"type": "invalid_request_error", "message": "Your credit balance is too low to access"},
                     FailureKind.QUOTA_EXCEEDED, id="no credit"),
        pytest.param(401, {"type": "authentication_error", "message": "invalid x-api-key"},
                     FailureKind.AUTHENTICATION, id="401"),
        pytest.param(402, {"type": "billing_error", "message": "Pay."}, FailureKind.QUOTA_EXCEEDED, id="402"),
        pytest.param(403, {"type": "permission_error", "message": "No."}, FailureKind.AUTHENTICATION, id="403"),
        pytest.param(404, {"type": "not_found_error", "message": "model: claude-9"},
                     FailureKind.MODEL_NOT_FOUND, id="404"),
        pytest.param(409, {"type": "conflict_error", "message": "Again."}, FailureKind.CONFLICT, id="409"),
        pytest.param(413, {"type": "request_too_large", "message": "Too large."}, FailureKind.BAD_REQUEST, id="413"),
        pytest.param(429, {"type": "rate_limit_error", "message": "Slow."}, FailureKind.RATE_LIMITED, id="429"),
        pytest.param(429, {"type": "rate_limit_error", "message": "Spent.",
                           "details": {"error_code": "enforced_spend_limit_reached"}},
                     FailureKind.QUOTA_EXCEEDED, id="spend limit"),
        pytest.param(500, {"type": "api_error", "message": "Internal"}, FailureKind.SERVER_ERROR, id="500"),
        pytest.param(504, {"type": "timeout_error", "message": "Late"}, FailureKind.SERVER_ERROR, id="504"),
        pytest.param(529, {"type": "overloaded_error", "message": "Overloaded"}, FailureKind.OVERLOADED, id="529"),
    ],
)  # fmt: skip
def test_errors(status: int, error: dict[str, object], kind: FailureKind) -> None:
    """Each of the vendor's errors is what it means for failover."""
    failure = read(status, {}, orjson.dumps({"type": "error", "error": error, "request_id": "req_1"}), encoded())
    assert isinstance(failure, UpstreamFailure)
    assert (kind, status) == (failure.kind, failure.status)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"O"}}\n\n',
                     FailureKind.OVERLOADED, id="an error event"),
        pytest.param(b'data: {"type":"error","error":{"type":"rate_limit_error","message":"O"}}\n\n',
                     FailureKind.RATE_LIMITED, id="without its name"),
        pytest.param(b"event: error\ndata: oh\n\n", FailureKind.INVALID_RESPONSE, id="an error that is no JSON"),
        pytest.param(b"data: [DONE]\n\n", FailureKind.INVALID_RESPONSE, id="another dialect's end"),
        pytest.param(b'{"type":"error","error":{"type":"api_error","message":"O"}}', FailureKind.SERVER_ERROR,
                     id="an error without a stream"),
        pytest.param(b'{"content":[],"stop_reason":"end_turn"}', FailureKind.INVALID_RESPONSE,
                     id="an answer without a stream"),
        pytest.param(b"x" * (8 * 1024 * 1024 + 1), FailureKind.INVALID_RESPONSE, id="an event without an end"),
    ],
)  # fmt: skip
def test_streams_that_fail(data: bytes, kind: FailureKind) -> None:
    """An error in a stream is a failure of its kind, and the last that is said."""
    (failed,) = events_of(data, b"event: ping\ndata: {}\n\n" if data.endswith(b"\n") else b"")
    assert isinstance(failed, Failed)
    assert kind is failed.failure.kind


@given(st.lists(st.one_of(st.binary(), st.sampled_from([
    b'data: {"type":"content_block_start","index":[],"content_block":{"type":"tool_use"}}\n\n',
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","input":7}}\n\n',
    b'data: {"type":"content_block_delta","index":{},"delta":{"type":"input_json_delta","partial_json":"{"}}\n\n',
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":1}}\n\n',
    b'data: {"type":"content_block_stop","index":[]}\n\n', b'data: {"type":"message_start","message":[]}\n\n',
    b'data: {"type":"message_delta","delta":null,"usage":{"output_tokens":-1}}\n\n', b'data: {"type":[]}\n\n',
    b'data: {"type":"message_delta","delta":{"stop_reason":{}},"usage":[]}\n\n', b'data: {"type":"message_stop"}\n\n',
]))))  # fmt: skip
def test_no_stream_is_an_exception(chunks: list[bytes]) -> None:
    """Whatever comes, it is events or a failure; and the events fit together."""
    fold(events_of(*chunks))


FIELDS = st.sampled_from(["content", "type", "text", "usage", "input", "tool_use"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner),
)


@given(JSON)
def test_no_answer_is_an_exception(value: object) -> None:
    """As `test_no_stream_is_an_exception`, in one piece."""
    for body in (value, {"content": value}, {"content": [value], "usage": value, "stop_reason": value}):
        read(200, {}, json.dumps(body).encode(), encoded())
