"""What Google's clients get of canonical answers: whole, as events, and as an array in pieces."""

from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.canonical import decoded, folded, plain
from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import (
    Issuer,
    Message,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.gemini.answer import write_answer
from understudy_proxy.dialects.gemini.chat import chat_of
from understudy_proxy.dialects.gemini.client import ARRAY_CLIENT, CLIENT
from understudy_proxy.dialects.gemini.decode import StreamDecoder, read_answer
from understudy_proxy.dialects.gemini.encoder import StreamEncoder
from understudy_proxy.dialects.gemini.errors import render
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.request import GenerateRequest, read
from understudy_proxy.failure import FailureKind, UpstreamFailure

NAMES = FunctionNames(())
CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("answers/*")]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
CUT = UpstreamFailure(FailureKind.INTERRUPTED, "a secret of the provider's")
ANTHROPIC = Signature("EqQBCg==", Issuer.ANTHROPIC)


def _asked(*, thoughts: bool | None = True, array: bool = False) -> GenerateRequest:
    body: dict[str, Any] = {"contents": [{"parts": [{"text": "Hi"}]}]}
    if thoughts is not None:
        body["generationConfig"] = {"thinkingConfig": {"includeThoughts": thoughts}}
    return read(orjson.dumps(body), model="chat", stream=True, array=array)


def _answer(case: dict[str, Any]) -> Answer:
    answer = read_answer(200, {}, orjson.dumps(case["whole"]), NAMES)
    assert isinstance(answer, Answer)
    return answer


def _named(answer: dict[str, Any]) -> dict[str, Any]:
    """As a client sees it, who gets the name that it asked for where the provider says none, and ids for all calls."""
    return {"model": "chat", **answer}


def _without_made_up_ids(answer: dict[str, Any]) -> dict[str, Any]:
    for choice in answer["choices"]:
        for part in choice["parts"]:
            part.pop("id", None)
    return answer


@case
def test_whole_and_back(case: dict[str, Any]) -> None:
    """An answer that is written for a client and read again says the same."""
    written = write_answer(_answer(case), _asked())
    again = read_answer(200, {}, written, NAMES)
    assert isinstance(again, Answer)
    assert plain(again) == plain(_answer(case)) | {"model": case["answer"].get("model", "chat")}


@case
def test_streamed_and_back(case: dict[str, Any]) -> None:
    """A stream that is written for a client and read again says the same, and ends once."""
    stream = b"".join(b"data: " + orjson.dumps(one) + b"\n\n" for one in case["stream"])
    out = StreamEncoder(_asked()).encode(decoded(StreamDecoder(NAMES), stream))
    assert _without_made_up_ids(folded(decoded(StreamDecoder(NAMES), out))) == _without_made_up_ids(
        _named(case["answer"])
    )
    reasons = [one for event in _responses(out) for one in event["candidates"] if "finishReason" in one]
    assert len(reasons) == len(case["answer"]["choices"])


@case
def test_an_array_in_pieces(case: dict[str, Any]) -> None:
    """Without `alt=sse` a stream is one JSON array, whose elements are what the events are."""
    stream = b"".join(b"data: " + orjson.dumps(one) + b"\n\n" for one in case["stream"])
    events = decoded(StreamDecoder(NAMES), stream)
    encoder = StreamEncoder(_asked(array=True))
    array = orjson.loads(b"".join(encoder.encode([event]) for event in events))
    assert array == _responses(StreamEncoder(_asked()).encode(events))


def _responses(out: bytes) -> list[dict[str, Any]]:
    """The events, read as strictly as Google's SDK does: it takes a comment for an answer."""
    events = out.split(b"\r\n\r\n")
    assert events.pop() == b""
    assert all(event.startswith(b"data: {") and b"\n" not in event for event in events)
    return [orjson.loads(event.removeprefix(b"data: ")) for event in events]


def _parts(out: bytes) -> list[dict[str, Any]]:
    return [part for one in _responses(out) for part in one["candidates"][0].get("content", {}).get("parts", [])]


def test_a_call_goes_out_whole() -> None:
    """Arguments that come in pieces, those of two calls by turns, are put together: these clients do not."""
    events: list[Event] = [
        TextDelta("Let me see."),
        ToolCallBegan(0, "a", "f"),
        ToolCallBegan(1, "b", "g"),
        ArgumentsDelta(0, '{"x":'),
        ArgumentsDelta(1, "{"),
        ArgumentsDelta(0, "1}"),
        ArgumentsDelta(1, "}"),
        Finished(Finish.TOOL_CALLS),
        Ended(),
    ]
    encoder = StreamEncoder(_asked())
    out = b"".join(encoder.encode([event]) for event in events)
    assert _parts(out) == [
        {"text": "Let me see."},
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
        {"text": ""},
    ]


@pytest.mark.parametrize("arguments", ["{", "[]", "nonsense", '{"a":' * 300 + "1" + "}" * 300], ids=len)
def test_arguments_that_are_no_object(arguments: str) -> None:
    """A call that these clients cannot be given ends the answer as Gemini ends such ones, streamed and not."""
    events: list[Event] = [
        ToolCallBegan(0, "a", "f"),
        ArgumentsDelta(0, arguments),
        Finished(Finish.TOOL_CALLS),
        Ended(),
    ]
    (last,) = _responses(StreamEncoder(_asked()).encode(events))
    answer = Answer((Choice((ToolCall("a", "f", arguments),), Finish.TOOL_CALLS),), None)
    for response in (last, orjson.loads(write_answer(answer, _asked()))):
        assert response["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"


@pytest.mark.parametrize("thoughts", [False, None])
def test_thoughts_that_were_not_asked_for(thoughts: bool | None) -> None:
    """A client that did not ask for thoughts gets none, as from Gemini."""
    events: list[Event] = [
        ThinkingDelta("Hm."),
        ThinkingSigned(ANTHROPIC),
        TextDelta("Hi"),
        Finished(Finish.STOP),
        Ended(),
    ]
    assert _parts(StreamEncoder(_asked(thoughts=thoughts)).encode(events)) == [{"text": "Hi"}, {"text": ""}]
    answer = Answer((Choice((Thinking("Hm.", ANTHROPIC), Text("Hi")), Finish.STOP),), None)
    whole = orjson.loads(write_answer(answer, _asked(thoughts=thoughts)))
    assert whole["candidates"][0]["content"]["parts"] == [{"text": "Hi"}]


@pytest.mark.parametrize(
    "thinking",
    [
        pytest.param(Thinking("Hm.", ANTHROPIC), id="Anthropic's"),
        pytest.param(Thinking("", Signature("rs_1", Issuer.OPENAI)), id="OpenAI's"),
        pytest.param(Thinking("Hm.", Signature("c2ln", Issuer.GEMINI)), id="Gemini's own"),
        pytest.param(Thinking("Hm."), id="nobody's"),
        pytest.param(Thinking(redacted="EmwKA="), id="redacted"),
    ],
)
def test_reasoning_comes_back(thinking: Thinking) -> None:
    """Whose reasoning it is survives a client that decodes and encodes signatures, in the alphabet of its choice."""
    answer = Answer((Choice((thinking, Text("Hi")), Finish.STOP),), None)
    content = orjson.loads(write_answer(answer, _asked()))["candidates"][0]["content"]
    for part in content["parts"]:
        if "thoughtSignature" in part:
            part["thoughtSignature"] = part["thoughtSignature"].replace("+", "-").replace("/", "_")
    sent = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}, content]}
    chat = chat_of(read(orjson.dumps(sent), model="chat"))
    assert chat.messages[1] == Message(Role.ASSISTANT, (thinking, Text("Hi")))


def test_a_refusal_of_an_answer_that_had_begun() -> None:
    """It stands beside the answer, where Google says such things; without an answer it is the answer."""
    said, declined, finished = TextDelta("First, take"), RefusalDelta("No."), Finished(Finish.CONTENT_FILTER)
    responses = _responses(StreamEncoder(_asked()).encode([said, declined, finished, Ended()]))
    choice = Choice((Text("First, take"), Refusal("No.")), Finish.CONTENT_FILTER)
    whole = orjson.loads(write_answer(Answer((choice,), None), _asked()))
    assert "".join(part["text"] for one in responses for part in one["candidates"][0]["content"]["parts"]) == said.text
    assert whole["candidates"][0]["content"]["parts"] == [{"text": said.text}]
    assert [responses[-1]["candidates"][0]["finishMessage"], whole["candidates"][0]["finishMessage"]] == ["No."] * 2
    assert _parts(StreamEncoder(_asked()).encode([declined, finished, Ended()]))[0] == {"text": "No."}


def test_nothing_but_answers_goes_out() -> None:
    """Google's SDK fails on comments and on fields that it does not know: signs of life are not passed on."""
    encoder = StreamEncoder(_asked())
    assert encoder.encode([Began(), KeptAlive(), Resumed("default/b:m")]) == b""


def test_a_stream_that_breaks_off() -> None:
    """The client is told in the stream, by the only kind of event that its SDK raises for, and not in whose words."""
    encoder = StreamEncoder(_asked())
    out = encoder.encode([TextDelta("Hel")]) + encoder.failed(CUT)
    assert b"secret" not in out
    (_, error) = _responses(out)
    assert list(error) == ["error"]
    assert (error["error"]["code"], error["error"]["status"]) == (503, "UNAVAILABLE")
    array = StreamEncoder(_asked(array=True))
    assert orjson.loads(array.encode([TextDelta("Hel")]) + array.failed(CUT) + b"]")[1] == error


def test_stream_types() -> None:
    """Each kind of stream says what it is."""
    assert CLIENT.stream_type.startswith("text/event-stream")
    assert ARRAY_CLIENT.stream_type.startswith("application/json")


def test_errors() -> None:
    """An error is Google's, with when to come back and which field was wrong in its details."""
    error = orjson.loads(render(429, "Slow down.", reason="rate_limited", param="contents", retry_after_seconds=1.5))
    assert error["error"]["status"] == "RESOURCE_EXHAUSTED"
    kinds = {detail["@type"].rpartition(".")[2]: detail for detail in error["error"]["details"]}
    assert kinds["RetryInfo"]["retryDelay"] == "1.5s"
    assert kinds["ErrorInfo"]["reason"] == "RATE_LIMITED"
    assert kinds["BadRequest"]["fieldViolations"][0]["field"] == "contents"


def test_foreign_signatures_are_base64() -> None:
    """SDKs decode signatures, so what is written is base64 in either alphabet."""
    encoded = b64encode(b"understudy.anthropic.EqQBCg==")
    answer = Answer((Choice((Thinking("Hm.", ANTHROPIC),), Finish.STOP),), None)
    part = orjson.loads(write_answer(answer, _asked()))["candidates"][0]["content"]["parts"][0]
    assert part["thoughtSignature"].encode() in {encoded, urlsafe_b64encode(b"understudy.anthropic.EqQBCg==")}
