"""Ollama's answers, whole and line by line, as everyone gets them; and back, as its clients do.

`answers/` holds one file a case: the same answer in both ways, and what it is.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.canonical import decoded, folded, plain
from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import Refusal, Text, Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    TextDelta,
    ThinkingDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.ollama.answer import write_answer
from understudy_proxy.dialects.ollama.clock import Clock
from understudy_proxy.dialects.ollama.decode import StreamDecoder, read_answer
from understudy_proxy.dialects.ollama.encoder import StreamEncoder
from understudy_proxy.dialects.ollama.request import OllamaRequest, read_chat, read_generate
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("answers/*")]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
HELLO = {"model": "m", "message": {"role": "assistant", "content": "Hello"}, "done": False}
DONE = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
CUT = UpstreamFailure(FailureKind.INTERRUPTED, "a secret of the provider's")


class Ticking:
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> int:
        """Nanoseconds."""
        self.seconds += 1
        return self.seconds * 1_000_000_000


def _asked(*, generate: bool = False, **fields: Any) -> OllamaRequest:
    clock = Clock(elapsed=Ticking(), now=lambda: 1_767_225_600_123_456_789)
    if generate:
        return read_generate(orjson.dumps({"model": "chat", "prompt": "Hi", **fields}), clock=clock)
    said = [{"role": "user", "content": "Hi"}]
    return read_chat(orjson.dumps({"model": "chat", "messages": said, **fields}), clock=clock)


def _stream(*objects: Any, end: bytes = b"\n") -> bytes:
    return b"".join(orjson.dumps(one) + end for one in objects)


def _read(body: Any, status: int = 200) -> Answer | UpstreamFailure:
    return read_answer(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


def _events(*chunks: bytes) -> list[Event]:
    return decoded(StreamDecoder(), *chunks)


def _failure(answer: Answer | UpstreamFailure) -> UpstreamFailure:
    assert isinstance(answer, UpstreamFailure)
    return answer


def _lines(out: bytes) -> list[dict[str, Any]]:
    assert out.endswith(b"\n")
    return [orjson.loads(line) for line in out.splitlines()]


@case
def test_whole(case: dict[str, Any]) -> None:
    """An answer in one piece says what its file says."""
    answer = _read(case["whole"])
    assert isinstance(answer, Answer)
    assert plain(answer) == case["answer"]


@case
@pytest.mark.parametrize("end", [pytest.param(b"\r\n", id="CRLF"), pytest.param(b"\n", id="LF")])
def test_streamed(case: dict[str, Any], end: bytes) -> None:
    """The same answer in lines says the same, and is known to be whole, even without its last line end."""
    stream = _stream(*case["stream"], end=end)
    for whole in (stream, stream.removesuffix(end)):
        events = _events(whole)
        assert isinstance(events[-1], Ended)
        assert folded(events) == case["answer"]


@case
def test_cut_at_every_byte(case: dict[str, Any]) -> None:
    """Wherever chunks fall, the events amount to the same; wherever a stream stops, it is whole or not ended."""
    stream = _stream(*case["stream"])
    for at in range(len(stream)):
        assert folded(_events(stream[:at], stream[at:])) == case["answer"]
        ended = any(isinstance(event, Ended) for event in _events(stream[:at]))
        assert ended is (at == len(stream) - 1)


@given(st.lists(st.integers(0, 1000)))
def test_cut_anywhere(places: list[int]) -> None:
    """Any cuts at all give the same events."""
    stream = _stream(*CASES[0]["stream"])
    cuts = sorted({0, len(stream), *(place for place in places if place < len(stream))})
    assert folded(_events(*(stream[a:b] for a, b in pairwise(cuts)))) == CASES[0]["answer"]


@given(st.binary(max_size=300))
def test_garbage_never_raises(garbage: bytes) -> None:
    """Whatever bytes come, before an answer or within it, they are events or a failure."""
    for stream in (garbage, _stream(HELLO) + garbage + _stream(DONE), garbage + b"\n"):
        _events(stream)
    _read(garbage)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MESSAGES = st.dictionaries(st.sampled_from(["content", "thinking", "tool_calls"]), JSON)
NAMES = ("message", "done", "done_reason", "model", "eval_count", "prompt_eval_count", "logprobs", "error")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON | MESSAGES)))
def test_wrong_types_never_raise(said: dict[str, Any]) -> None:
    """A field of any other type than Ollama's is a failure, or as if it were not there."""
    _read(said)
    _events(_stream(said))


ERRORS = [
    pytest.param(400, "llama3 does not support tools", FailureKind.BAD_REQUEST, id="bad request"),
    pytest.param(
        400, "the input length exceeds the context length", FailureKind.CONTEXT_LENGTH_EXCEEDED, id="too long"
    ),
    pytest.param(401, "unauthorized", FailureKind.AUTHENTICATION, id="bad key"),
    pytest.param(404, "model 'x' not found", FailureKind.MODEL_NOT_FOUND, id="not pulled"),
    pytest.param(500, "llama runner process has terminated", FailureKind.SERVER_ERROR, id="crashed"),
    pytest.param(
        503, "server busy, please try again.  maximum pending requests exceeded", FailureKind.OVERLOADED, id="busy"
    ),
]


@pytest.mark.parametrize(("status", "message", "kind"), ERRORS)
def test_errors(status: int, message: str, kind: FailureKind) -> None:
    """A text and a status are all that tells the kind of an error."""
    assert _failure(_read({"error": message}, status)).kind is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        pytest.param("an error was encountered while running the model", FailureKind.SERVER_ERROR, id="any"),
        pytest.param("server busy, please try again.", FailureKind.OVERLOADED, id="busy"),
    ],
)
def test_errors_under_200(message: str, kind: FailureKind) -> None:
    """An error in place of an answer or of a line of it is one."""
    assert _failure(_read({"error": message})).kind is kind
    for stream in (_stream({"error": message}), _stream(HELLO, {"error": message}, DONE)):
        failed = _events(stream)[-1]
        assert isinstance(failed, Failed)
        assert failed.failure.kind is kind


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="a page"),
        pytest.param({}, id="an empty object"),
        pytest.param({"message": "Hi"}, id="a text for a message"),
        pytest.param({"message": {"tool_calls": [{"function": {}}]}}, id="a call of nothing"),
        pytest.param({"message": {"tool_calls": [7]}}, id="a number for a call"),
    ],
)
def test_a_success_without_an_answer(body: Any) -> None:
    """A success that holds no answer is not one."""
    assert _failure(_read(body)).kind is FailureKind.INVALID_RESPONSE


def test_a_line_without_end_is_bounded() -> None:
    """A server that never ends a line is given up, in a time that grows with what it sent."""
    decoder, chunk = StreamDecoder(), b"x" * 65536
    events = [event for _ in range(200) for event in decoder.feed(chunk)]
    assert [type(event) for event in events] == [Failed]


@case
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_and_back(case: dict[str, Any], stream: bool) -> None:
    """An answer that is written for a client and read again says the same, under the name that the client asked for."""
    events = _events(_stream(*case["stream"]))
    if stream:
        again = folded(_events(StreamEncoder(_asked()).encode(events)))
    else:
        answer = _read(case["whole"])
        assert isinstance(answer, Answer)
        read = _read(write_answer(answer, _asked()))
        assert isinstance(read, Answer)
        again = plain(read)
    for choice in [*again["choices"], *case["answer"]["choices"]]:
        for part in choice["parts"]:
            part.pop("id", None)
    assert again == case["answer"] | {"model": "chat"}


def test_how_long_it_took() -> None:
    """The last line tells what was measured: all of it, up to the first word, and from there."""
    usage = Usage(input=7, output=2)
    events: list[Event] = [Began(), TextDelta("Hi"), TextDelta("!"), Finished(Finish.STOP), Counted(usage), Ended()]
    lines = _lines(StreamEncoder(_asked()).encode(events))
    assert lines[0] == {
        "model": "chat",
        "created_at": "2026-01-01T00:00:00.123456Z",
        "message": {"role": "assistant", "content": "Hi"},
        "done": False,
    }
    second = 1_000_000_000
    assert lines[-1] == {
        "model": "chat",
        "created_at": "2026-01-01T00:00:00.123456Z",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "total_duration": 2 * second,
        "load_duration": 0,
        "prompt_eval_duration": second,
        "eval_duration": second,
        "prompt_eval_count": 7,
        "eval_count": 2,
    }


def test_generate() -> None:
    """Of `/api/generate` the words are a response, without a role."""
    events: list[Event] = [ThinkingDelta("Hm."), TextDelta("Hi"), Finished(Finish.LENGTH), Ended()]
    thought, said, last = _lines(StreamEncoder(_asked(generate=True)).encode(events))
    assert (thought["response"], thought["thinking"], said["response"]) == ("", "Hm.", "Hi")
    assert (last["response"], last["done_reason"]) == ("", "length")
    answer = Answer((Choice((Thinking("Hm."), Text("Hi")), Finish.LENGTH),), None)
    whole = orjson.loads(write_answer(answer, _asked(generate=True)))
    assert (whole["response"], whole["thinking"], whole["done_reason"]) == ("Hi", "Hm.", "length")


def test_thoughts_that_nobody_wants() -> None:
    """With `think` false there are none."""
    events: list[Event] = [ThinkingDelta("Hm."), TextDelta("Hi"), Finished(Finish.STOP), Ended()]
    asked = _asked(think=False)
    assert b"Hm." not in StreamEncoder(asked).encode(events)
    answer = Answer((Choice((Thinking("Hm."), Text("Hi")), Finish.STOP),), None)
    assert b"Hm." not in write_answer(answer, asked)


def test_calls_go_out_whole() -> None:
    """Arguments in pieces, those of two calls by turns, are objects to the client."""
    pieces = [ArgumentsDelta(0, '{"x":'), ArgumentsDelta(1, "{}"), ArgumentsDelta(0, "1}")]
    ends: list[Event] = [Finished(Finish.TOOL_CALLS), Ended()]
    encoder = StreamEncoder(_asked())
    events: list[Event] = [ToolCallBegan(0, "a", "f"), ToolCallBegan(1, "b", "g"), *pieces, *ends]
    first, second, last = _lines(b"".join(encoder.encode([event]) for event in events))
    assert [first["message"]["tool_calls"], second["message"]["tool_calls"]] == [
        [{"id": "a", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}}],
        [{"id": "b", "function": {"index": 1, "name": "g", "arguments": {}}}],
    ]
    assert last["done_reason"] == "stop"


@pytest.mark.parametrize("arguments", ["[1", "[]", '{"a":' * 300 + "1" + "}" * 300], ids=len)
def test_arguments_that_are_no_object(arguments: str) -> None:
    """What the model wrote is said, as Ollama does it."""
    call: list[Event] = [ToolCallBegan(0, "a", "f"), ArgumentsDelta(0, arguments), Finished(Finish.TOOL_CALLS), Ended()]
    assert _lines(StreamEncoder(_asked()).encode(call))[0]["message"]["content"] == f"f({arguments})"
    answer = Answer((Choice((ToolCall("a", "f", arguments),), Finish.TOOL_CALLS),), None)
    assert orjson.loads(write_answer(answer, _asked()))["message"] == {
        "role": "assistant",
        "content": f"f({arguments})",
    }


def test_refusals() -> None:
    """They are words where there are no others."""
    finished: list[Event] = [Finished(Finish.CONTENT_FILTER), Ended()]
    alone = _lines(StreamEncoder(_asked()).encode([RefusalDelta("No."), *finished]))
    beside = _lines(StreamEncoder(_asked()).encode([TextDelta("First,"), RefusalDelta("No."), *finished]))
    assert [line["message"]["content"] for line in alone] == ["No.", ""]
    assert [line["message"]["content"] for line in beside] == ["First,", ""]
    both = Answer((Choice((Text("First,"), Refusal("No.")), Finish.CONTENT_FILTER),), None)
    whole = orjson.loads(write_answer(both, _asked()))
    assert (whole["message"]["content"], whole["done_reason"]) == ("First,", "content_filter")


def test_a_stream_that_goes_on_elsewhere() -> None:
    """The next line names who goes on; signs of life are not passed on."""
    out = StreamEncoder(_asked()).encode([TextDelta("Hel"), KeptAlive(), Resumed("default/b:m"), TextDelta("lo")])
    first, second = _lines(out)
    assert "understudy" not in first
    assert second["understudy"] == {"resumed_by": "default/b:m"}


def test_a_stream_that_breaks_off() -> None:
    """The client is told by a line, for which its SDK raises, and not in whose words."""
    encoder = StreamEncoder(_asked())
    out = encoder.encode([TextDelta("Hel")]) + encoder.failed(CUT)
    assert b"secret" not in out
    assert _lines(out)[-1].keys() == {"error"}
