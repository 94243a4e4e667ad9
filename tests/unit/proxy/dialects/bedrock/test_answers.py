"""What Bedrock answers, whole and streamed, and how it fails."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes import a_candidate, a_model
from understudy.mock.dialects.event_stream import error, event, exception
from understudy_proxy.dialects.bedrock.decode import read
from understudy_proxy.dialects.bedrock.decoder import ConverseDecoder
from understudy_proxy.dialects.bedrock.encode import Encoded, encode
from understudy_proxy.dialects.canonical.answer import Answer, Finish
from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Sampling, Tool
from understudy_proxy.dialects.canonical.content import Issuer, Message, Role, Signature, Text, Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import Ended, Event, Failed
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HELLO = Chat("m", (Message(Role.USER, (Text("Hello"),)),))
USAGE = {"inputTokens": 9, "outputTokens": 7, "totalTokens": 16, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 2}
WHOLE = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm. Tea?", "signature": "EqQB"}}},
                {"reasoningContent": {"redactedContent": "EmwK"}},
                {"text": "Grüß Gott 👋"},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Zürich"}}},
                {"toolUse": {"toolUseId": "tooluse_2", "name": "get_time", "input": {}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": USAGE,
    "metrics": {"latencyMs": 5},
}


def delta(index: int, **said: Any) -> bytes:
    """More of a block."""
    return event("contentBlockDelta", orjson.dumps({"contentBlockIndex": index, "delta": said, "p": "abc"}))


def started(index: int, call: str, name: str) -> bytes:
    """The beginning of a call."""
    start = {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": call, "name": name}}}
    return event("contentBlockStart", orjson.dumps(start))


def stopped(index: int) -> bytes:
    """The end of a block."""
    return event("contentBlockStop", orjson.dumps({"contentBlockIndex": index}))


BEGINNING = event("messageStart", b'{"role":"assistant"}')
CONTENT = (
    delta(0, reasoningContent={"text": "Hm. "})
    + delta(0, reasoningContent={"text": "Tea?"})
    + delta(0, reasoningContent={"signature": "EqQB"})
    + stopped(0)
    + delta(1, reasoningContent={"redactedContent": "EmwK"})
    + stopped(1)
    + delta(2, text="Grüß")
    + delta(2, text=" Gott 👋")
    + stopped(2)
    + started(3, "tooluse_1", "get_weather")
    + delta(3, toolUse={"input": ""})
    + delta(3, toolUse={"input": '{"city":'})
    + delta(3, toolUse={"input": '"Zürich"}'})
    + stopped(3)
    + started(4, "tooluse_2", "get_time")
    + stopped(4)
)
STOP = event("messageStop", b'{"stopReason":"tool_use"}')
METADATA = event("metadata", orjson.dumps({"usage": USAGE, "metrics": {"latencyMs": 5}}))
STREAM = BEGINNING + CONTENT + STOP + METADATA


def encoded(chat: Chat = HELLO, model: str = CLAUDE) -> Encoded:
    """A request as it was sent."""
    return encode(chat, a_candidate("ai/aws:m", a_model(upstream_name=model)))


def events_of(*chunks: bytes, sent: Encoded | None = None) -> list[Event]:
    """What a stream says that comes in these chunks and ends."""
    decoder = ConverseDecoder(sent or encoded())
    events = [said for chunk in chunks for said in decoder.feed(chunk)]
    return events + decoder.close()


def whole(body: object = WHOLE, sent: Encoded | None = None) -> Answer:
    """An answer in one piece."""
    answer = read(200, {}, orjson.dumps(body), sent or encoded())
    assert isinstance(answer, Answer)
    return answer


def test_a_stream_and_a_whole_answer_say_the_same() -> None:
    """Content, ids, arguments, finish and usage, with what was cached counted as input."""
    answer = whole()
    assert answer == fold(events_of(STREAM))
    assert Usage(16, 7, cached_input=5, cache_write=2) == answer.usage
    assert Finish.TOOL_CALLS is answer.choices[0].finish
    assert (
        Thinking("Hm. Tea?", Signature("EqQB", Issuer.ANTHROPIC)),
        Thinking(redacted="EmwK"),
        Text("Grüß Gott 👋"),
        ToolCall("tooluse_1", "get_weather", '{"city":"Zürich"}'),
        ToolCall("tooluse_2", "get_time", "{}"),
    ) == answer.choices[0].parts


def test_cut_anywhere_a_stream_says_the_same() -> None:
    """Inside of frames, of their lengths, of characters."""
    expected = events_of(STREAM)
    assert isinstance(expected[-1], Ended)
    for place in range(len(STREAM) + 1):
        assert expected == events_of(STREAM[:place], STREAM[place:])


def test_a_stream_that_is_cut_has_not_ended() -> None:
    """Without the end of the message an answer is not whole; without the count of its tokens it is."""
    for end in range(len(BEGINNING + CONTENT + STOP)):
        assert not any(isinstance(said, Ended) for said in events_of(STREAM[:end]))
    assert isinstance(events_of(BEGINNING + CONTENT + STOP)[-1], Ended)
    assert not any(isinstance(said, Ended) for said in events_of(BEGINNING + CONTENT + STOP + METADATA[:20]))


def test_a_changed_byte_is_a_failure() -> None:
    """A frame with a bad checksum ends the stream, and what was good before it has been said."""
    changed = bytearray(STREAM)
    changed[len(BEGINNING + CONTENT) + 60] ^= 1
    *good, failed = events_of(bytes(changed))
    assert isinstance(failed, Failed)
    assert FailureKind.INVALID_RESPONSE is failed.failure.kind
    assert not any(isinstance(said, Ended) for said in good)


def test_other_models_reasoning_is_nobodys() -> None:
    """A signature means something to the family of models that issued it, and only Claude's is known."""
    answer = whole(sent=encoded(model="us.deepseek.r1-v1:0"))
    assert Thinking("Hm. Tea?") == answer.choices[0].parts[0]


@pytest.mark.parametrize(
    ("asked", "reason", "expected"),
    [
        pytest.param(("END",), "stop_sequence", "END", id="the one"),
        pytest.param(("END", "STOP"), "stop_sequence", None, id="one of two, and nobody says which"),
        pytest.param(("END",), "end_turn", None, id="an end of its own"),
    ],
)
def test_at_which_sequence_an_answer_ended(asked: tuple[str, ...], reason: str, expected: str | None) -> None:
    """Bedrock only says that it was one of those which the request named."""
    sent = encoded(replace(HELLO, sampling=Sampling(stop=asked)))
    answer = whole({**WHOLE, "output": {"message": {"content": [{"text": "Hi"}]}}, "stopReason": reason}, sent)
    stop = event("messageStop", orjson.dumps({"stopReason": reason}))
    streamed = fold(events_of(BEGINNING + delta(0, text="Hi") + stopped(0) + stop + METADATA, sent=sent))
    assert expected == answer.choices[0].stop_sequence
    assert answer == streamed


def test_names_and_ids_come_back() -> None:
    """What had to be changed on the way out is the client's own again on the way in."""
    sent = encoded(Chat("m", HELLO.messages, tools=(Tool("get.weather"),)))
    name = sent.body["toolConfig"]["tools"][0]["toolSpec"]["name"]
    assert name != "get.weather"
    stream = STREAM.replace(started(3, "tooluse_1", "get_weather"), started(3, "tooluse_1", name))
    calls = [part for part in fold(events_of(stream, sent=sent)).choices[0].parts if isinstance(part, ToolCall)]
    assert ["get.weather", "get_time"] == [call.name for call in calls]


def test_an_answer_in_a_tools_clothes_is_unwrapped() -> None:
    """An older Claude answers to a schema through a tool; nobody sees that."""
    chat = Chat("m", HELLO.messages, format=JsonFormat({"type": "object"}))
    sent = encoded(chat, "anthropic.claude-3-haiku-20240307-v1:0")
    stream = BEGINNING + started(0, "t", "json_tool_call") + delta(0, toolUse={"input": '{"a":1}'}) + STOP + METADATA
    answer = fold(events_of(stream, sent=sent))
    assert ((Text('{"a":1}'),), Finish.STOP) == (answer.choices[0].parts, answer.choices[0].finish)
    content = [{"toolUse": {"toolUseId": "t", "name": "json_tool_call", "input": {"a": 1}}}]
    body = {"output": {"message": {"content": content}}, "stopReason": "tool_use", "usage": USAGE}
    assert answer == whole(body, sent)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        pytest.param("end_turn", Finish.STOP, id="end_turn"),
        pytest.param("stop_sequence", Finish.STOP, id="stop_sequence"),
        pytest.param("max_tokens", Finish.LENGTH, id="max_tokens"),
        pytest.param("model_context_window_exceeded", Finish.LENGTH, id="window"),
        pytest.param("guardrail_intervened", Finish.CONTENT_FILTER, id="guardrail"),
        pytest.param("content_filtered", Finish.CONTENT_FILTER, id="filter"),
        pytest.param("malformed_model_output", Finish.STOP, id="malformed"),
        pytest.param("something_new", Finish.STOP, id="unknown"),
        pytest.param(None, Finish.STOP, id="none"),
    ],
)
def test_why_an_answer_ends(reason: str | None, finish: Finish) -> None:
    """In canonical words; what nobody knows is an ordinary end."""
    body = {"output": {"message": {"content": [{"text": "Hi"}]}}, "stopReason": reason}
    assert finish is whole(body).choices[0].finish


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"usage": USAGE}, id="no output"),
        pytest.param({"output": {}}, id="no message"),
        pytest.param({"output": {"message": {"content": None}}}, id="no content"),
        pytest.param([], id="a list"),
        pytest.param("sorry", id="a text"),
    ],
)
def test_no_answer_under_200(body: object) -> None:
    """A success is believed only with an answer in it."""
    failure = read(200, {}, orjson.dumps(body), encoded())
    assert isinstance(failure, UpstreamFailure)
    assert FailureKind.INVALID_RESPONSE is failure.kind


FAILURES = [
    pytest.param("ThrottlingException", 429, "Too many requests", FailureKind.RATE_LIMITED, id="throttling"),
    pytest.param("ModelNotReadyException", 429, "Not ready", FailureKind.RATE_LIMITED, id="not ready"),
    pytest.param("ServiceQuotaExceededException", 400, "Over quota", FailureKind.QUOTA_EXCEEDED, id="quota"),
    pytest.param("ValidationException", 400, "Malformed input request", FailureKind.BAD_REQUEST, id="validation"),
    pytest.param("ValidationException", 400, "Input is too long for requested model.",
                 FailureKind.CONTEXT_LENGTH_EXCEEDED, id="too long"),
    pytest.param("ValidationException", 400, "The provided model identifier is invalid.",
                 FailureKind.MODEL_NOT_FOUND, id="no such model"),
    pytest.param("AccessDeniedException", 403, "You don't have access", FailureKind.AUTHENTICATION, id="denied"),
    pytest.param("ResourceNotFoundException", 404, "Not found", FailureKind.MODEL_NOT_FOUND, id="not found"),
    pytest.param("ModelTimeoutException", 408, "Timed out", FailureKind.UPSTREAM_TIMEOUT, id="timeout"),
    pytest.param("ModelErrorException", 424, "The model failed", FailureKind.SERVER_ERROR, id="model error"),
    pytest.param("InternalServerException", 500, "Sorry", FailureKind.SERVER_ERROR, id="internal"),
    pytest.param("ServiceUnavailableException", 503, "Later", FailureKind.OVERLOADED, id="unavailable"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "message", "kind"), FAILURES)
@pytest.mark.parametrize("field", ["message", "Message"])
def test_errors(name: str, status: int, message: str, kind: FailureKind, *, field: str) -> None:
    """Each of the vendor's errors is what it means for failover, and keeps the vendor's name."""
    headers = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    failure = read(status, headers, orjson.dumps({field: message}), encoded())
    assert isinstance(failure, UpstreamFailure)
    assert (kind, status, message, name) == (failure.kind, failure.status, failure.message, failure.type)


@pytest.mark.parametrize(("name", "status", "message", "kind"), FAILURES)
@pytest.mark.parametrize("before", [pytest.param(b"", id="first"), pytest.param(BEGINNING + CONTENT, id="later")])
def test_exceptions_in_streams(name: str, status: int, message: str, kind: FailureKind, *, before: bytes) -> None:
    """An exception under a status that promised an answer is the same failure, as the first frame and later."""
    payload = orjson.dumps({"message": message})
    stream = before + exception(name[0].lower() + name[1:], payload) + STOP + METADATA
    failed = events_of(stream)[-1]
    assert isinstance(failed, Failed)
    assert (kind, status, message) == (failed.failure.kind, failed.failure.status, failed.failure.message)


def test_an_error_that_is_no_exception() -> None:
    """The encoding has a second way to say it, in headers alone."""
    (failed,) = events_of(error("internalServerException", "Sorry"))
    assert isinstance(failed, Failed)
    assert (FailureKind.SERVER_ERROR, "Sorry") == (failed.failure.kind, failed.failure.message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["contentBlockIndex", "delta", "start", "toolUse", "input", "text", "usage", "stopReason"]),
            inner,
            max_size=4,
        )
    ),
)
KINDS = st.sampled_from(
    ["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "new"]
)


@given(st.lists(st.one_of(st.binary(), st.tuples(KINDS, JSON).map(lambda one: event(one[0], orjson.dumps(one[1]))))))
def test_no_stream_is_an_exception(chunks: list[bytes]) -> None:
    """Whatever comes, it is events or a failure; and the events fit together."""
    fold(events_of(*chunks))


@given(JSON)
def test_no_answer_is_an_exception(value: object) -> None:
    """As `test_no_stream_is_an_exception`, in one piece."""
    for body in (value, {"output": {"message": {"content": [value]}}, "usage": value, "stopReason": value}):
        read(200, {}, orjson.dumps(body), encoded())
