"""Answers of providers of OpenAI's dialect, whole and streamed, and how OpenAI's clients get them from anybody.

`answers/` holds one file a case: the same answer in both ways, and what it is. `streams/` holds streams as servers
send them.
"""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.canonical import decoded, folded, plain
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.events import Counted, Ended, Event, Failed, KeptAlive
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.openai.chunks import ChunkEncoder
from understudy_proxy.dialects.openai.completion import render
from understudy_proxy.dialects.openai.decode import read
from understudy_proxy.dialects.openai.decoder import ChunkDecoder
from understudy_proxy.dialects.openai.request import read as read_request
from understudy_proxy.failure import FailureKind, UpstreamFailure

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
HERE = Path(__file__).parent
CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in sorted(HERE.glob("answers/*.yaml"))]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
RECORDED = [pytest.param(path.read_bytes(), id=path.stem) for path in sorted(HERE.glob("streams/*.sse"))]
DONE = b"data: [DONE]\n\n"
ASKED = read_request(b'{"model":"chat","messages":[{"role":"user","content":"Hello"}]}')
TEXT = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def _names() -> Renaming:
    return Renaming(re.compile("[A-Za-z0-9_-]"), 64)


def _read(body: Any, status: int = 200) -> Answer | UpstreamFailure:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return read(status, {}, raw, names=_names(), call_id=lambda: "call_" + "0" * 24)


def _stream(*chunks: Any, done: bytes = DONE) -> bytes:
    return b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + done


def _events(*chunks: bytes) -> list[Event]:
    return decoded(ChunkDecoder(_names(), call_id=lambda: "call_" + "0" * 24), *chunks)


def _encoder() -> ChunkEncoder:
    return ChunkEncoder(model="chat", include_usage=True, now=lambda: 1_731_679_200.0)


def _failure(events: list[Event]) -> UpstreamFailure:
    assert isinstance(events[-1], Failed)
    return events[-1].failure


@case
def test_whole(case: dict[str, Any]) -> None:
    """An answer in one piece says what its file says."""
    answer = _read(case["whole"])
    assert isinstance(answer, Answer)
    assert case["answer"] == plain(answer)


@case
@pytest.mark.parametrize("done", [pytest.param(DONE, id="with DONE"), pytest.param(b"", id="without")])
def test_streamed(case: dict[str, Any], done: bytes) -> None:
    """The same answer in pieces says the same, and is known to be whole."""
    events = _events(_stream(*case["stream"], done=done))
    assert isinstance(events[-1], Ended)
    assert case["answer"] == folded(events)


@case
def test_cut_at_every_byte(case: dict[str, Any]) -> None:
    """Wherever chunks fall, the events are the same; wherever a stream stops, it is whole or not ended."""
    stream = _stream(*case["stream"])
    for at in range(len(stream)):
        assert case["answer"] == folded(_events(stream[:at], stream[at:]))
        stopped = _events(stream[:at])
        assert not any(isinstance(event, Failed) for event in stopped)
        if any(isinstance(event, Ended) for event in stopped):
            # What may still come after every choice has finished is a count.
            assert case["answer"]["choices"] == folded(stopped)["choices"]


@pytest.mark.parametrize("stream", RECORDED)
def test_recorded_cut_at_every_byte(stream: bytes) -> None:
    """What servers really send gives the same events wherever it is cut."""
    whole = _events(stream)
    assert isinstance(whole[-1], Ended)
    for at in range(len(stream)):
        assert whole == _events(stream[:at], stream[at:])


@unhurried
@given(st.sampled_from(CASES), st.lists(st.integers(0, 3000)))
def test_cut_anywhere(case: dict[str, Any], places: list[int]) -> None:
    """Any cuts at all give the same events."""
    stream = _stream(*case["stream"])
    cuts = sorted({0, len(stream), *(place for place in places if place < len(stream))})
    assert _events(stream) == _events(*(stream[a:b] for a, b in pairwise(cuts)))


@case
def test_to_a_client_whole(case: dict[str, Any]) -> None:
    """What an OpenAI client gets of an answer says the same, whoever gave it."""
    answer = _read(case["whole"])
    assert isinstance(answer, Answer)
    told = orjson.loads(render(answer, ASKED, now=lambda: 1.5))
    assert (told["object"], told["created"], told["model"]) == ("chat.completion", 1, answer.model)
    again = _read(told)
    assert isinstance(again, Answer)
    assert _without_stops(case["answer"]) == _without_stops(plain(again)) | {"id": case["answer"].get("id")}


@case
def test_to_a_client_streamed(case: dict[str, Any]) -> None:
    """What an OpenAI client gets of a stream says the same, and never what its SDK fails on."""
    events = _events(_stream(*case["stream"]))
    told = _encoder().encode(events)
    assert told.endswith(DONE)
    _is_fit_for_sdks(told)
    assert _without_stops(case["answer"]) == _without_stops(folded(_events(told))) | {"id": case["answer"].get("id")}


def _without_stops(answer: dict[str, Any]) -> dict[str, Any]:
    """Neither an id of the gateway's own, nor which stop sequence was met: OpenAI has no field for that."""
    choices = [{k: v for k, v in choice.items() if k != "stop_sequence"} for choice in answer["choices"]]
    return answer | {"choices": choices, "id": answer.get("id")}


def _is_fit_for_sdks(told: bytes) -> None:
    roles, calls, finishes, usages = [], [], [], []
    ids, createds = set(), set()
    for event in told.removesuffix(DONE).split(b"\n\n")[:-1]:
        chunk = orjson.loads(event.removeprefix(b"data: "))
        ids.add(chunk["id"])
        createds.add(chunk["created"])
        usages.append(chunk["usage"])
        for choice in chunk["choices"]:
            delta = choice["delta"]
            roles += [(choice["index"], delta["role"])] if "role" in delta else []
            finishes += [choice["index"]] if choice["finish_reason"] else []
            for call in delta.get("tool_calls", ()):
                is_first = (choice["index"], call["index"]) not in calls
                assert is_first is ("id" in call) is ("type" in call) is ("name" in call["function"])
                calls += [(choice["index"], call["index"])] if is_first else []
    assert len(ids) == len(createds) == 1
    assert len(roles) == len(set(roles)) == len(finishes) == len(set(finishes))
    assert all(usage is None for usage in usages[:-1])
    for index, _ in roles:
        counted = [call for choice, call in calls if choice == index]
        assert counted == list(range(len(counted)))


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        pytest.param(_stream(done=DONE), FailureKind.INVALID_RESPONSE, id="nothing but the end"),
        pytest.param(b"data: {]\n\n", FailureKind.INVALID_RESPONSE, id="no JSON"),
        pytest.param(b"data: 5\n\n", FailureKind.INVALID_RESPONSE, id="no object"),
        pytest.param(_stream(TEXT, {"error": {"message": "no", "code": 500}}), FailureKind.SERVER_ERROR, id="vLLM's"),
        pytest.param(
            b'event: error\ndata: {"message":"slow down","type":"rate_limit_error"}\n\n',
            FailureKind.RATE_LIMITED,
            id="an error event",
        ),
        pytest.param(
            _stream({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}),
            FailureKind.SERVER_ERROR,
            id="Mistral's finish",
        ),
        pytest.param(
            _stream({"choices": [{"index": 0, "delta": {}, "finish_reason": "insufficient_system_resource"}]}),
            FailureKind.OVERLOADED,
            id="DeepSeek's finish",
        ),
        pytest.param(
            _stream({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "a"}]}}]}, STOP),
            FailureKind.INVALID_RESPONSE,
            id="a call without a name",
        ),
        pytest.param(
            _stream({"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "{"}}]}}]}),
            FailureKind.INVALID_RESPONSE,
            id="a call without a name, and no finish",
        ),
        pytest.param(
            _stream({"choices": [{"index": 4096, "delta": {"content": "x"}}]}),
            FailureKind.INVALID_RESPONSE,
            id="a choice beyond all bounds",
        ),
        pytest.param(
            _stream(
                {
                    "choices": [
                        {"delta": {"tool_calls": [{"id": str(n), "function": {"name": "f"}} for n in range(999)]}}
                    ]
                }
            ),
            FailureKind.INVALID_RESPONSE,
            id="calls beyond all bounds",
        ),
        pytest.param(
            orjson.dumps({"error": {"message": "busy", "code": "server_is_overloaded"}}),
            FailureKind.OVERLOADED,
            id="a whole error in the place of a stream",
        ),
        pytest.param(
            orjson.dumps({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}),
            FailureKind.INVALID_RESPONSE,
            id="a whole answer in the place of a stream",
        ),
    ],
)
def test_what_is_no_answer(stream: bytes, kind: FailureKind) -> None:
    """An error, or garbage, in the place of an answer is a failure of its kind, and the last thing that is heard."""
    events = _events(stream)
    assert kind == _failure(events).kind
    assert not any(isinstance(event, (Ended, Failed)) for event in events[:-1])


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(_stream(TEXT, done=b""), id="no finish"),
        pytest.param(_stream(TEXT, done=b"data: [DON"), id="cut in the end"),
        pytest.param(
            _stream({"choices": [{"index": 1, "delta": {"content": "x"}}]}, STOP, done=b""), id="one of two finished"
        ),
    ],
)
def test_a_cut_is_no_end(stream: bytes) -> None:
    """A stream that ends without its end is not ended."""
    assert not any(isinstance(event, (Ended, Failed)) for event in _events(stream))


def test_an_end_without_a_reason() -> None:
    """A server that says `[DONE]` and no reason has ended its answer."""
    assert folded(_events(_stream(TEXT))) == {"choices": [{"parts": [{"text": "Hi"}], "finish": "stop"}]}


def test_a_call_that_the_limit_cut_off() -> None:
    """A call whose name was not reached within the limit was not made."""
    cut = {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a"}]}, "finish_reason": "length"}]}
    assert {"choices": [{"parts": [{"text": "Hi"}], "finish": "length"}]} == folded(_events(_stream(TEXT, cut)))


def test_nothing_after_a_failure_in_the_same_chunk() -> None:
    """Of several answers in a chunk one fails: that is the last that is heard."""
    both = {"choices": [{"delta": {}, "finish_reason": "error"}, {"index": 1, "delta": {"content": "x"}}]}
    assert FailureKind.SERVER_ERROR is _failure(_events(_stream(TEXT, both))).kind


def test_signs_of_life() -> None:
    """Comments of a server that is still at the prompt are passed on; empty events mean nothing."""
    assert [KeptAlive()] == _events(b": ping\n\nevent: ping\n\ndata:\n\n")


def test_nothing_after_the_end() -> None:
    """What a server sends after its last word is not heard."""
    events = _events(_stream(TEXT, STOP) + _stream(TEXT, {"error": "late"}))
    assert sum(isinstance(event, Ended) for event in events) == 1
    assert isinstance(events[-1], Ended)


def test_groq_counts_elsewhere() -> None:
    """Groq states the usage of a stream in a field of its own."""
    events = _events(_stream(TEXT, STOP | {"x_groq": {"usage": {"prompt_tokens": 4, "completion_tokens": 2}}}))
    assert [4] == [event.usage.input for event in events if isinstance(event, Counted)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>", id="HTML"),
        pytest.param(b"", id="nothing"),
        pytest.param({"choices": []}, id="no choices"),
        pytest.param({"choices": [{}]}, id="no message"),
        pytest.param({"choices": ["x"]}, id="choice a string"),
        pytest.param({"choices": [{"message": "x"}]}, id="message a string"),
    ],
)
def test_a_success_that_is_none(body: Any) -> None:
    """A success without an answer in it is a failure."""
    failure = _read(body)
    assert isinstance(failure, UpstreamFailure)
    assert failure.kind is FailureKind.INVALID_RESPONSE


FIELDS = [
    *("choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "id", "index"),
    *("finish_reason", "usage", "error", "reasoning_content", "refusal", "logprobs", "type", "text", "thinking"),
    *("extra_content", "google", "thought_signature"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.sampled_from(["stop", "assistant", "f"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@unhurried
@given(st.lists(json_values, max_size=5), st.booleans())
def test_no_json_is_too_odd(values: list[Any], done: bool) -> None:
    """Whatever JSON a server sends, whole or as chunks: an answer or a failure, never an exception."""
    wrapped = [
        value if isinstance(value, dict) else {"choices": [{"delta": value, "message": value}]} for value in values
    ]
    events = _events(_stream(*wrapped, done=DONE if done else b""))
    _encoder().encode([event for event in events if not isinstance(event, Failed)])
    for value in wrapped:
        answer = _read(value)
        if isinstance(answer, Answer):
            render(answer, ASKED)


@unhurried
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"data: ", b"\n\n", b"\r", b'{"choices":', DONE, b"}"])))
def test_no_bytes_are_too_odd(chunks: list[bytes]) -> None:
    """Whatever bytes a server sends, nothing breaks."""
    _events(*chunks)
