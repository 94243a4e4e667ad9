"""Gemini's answers, whole and streamed, as everyone gets them.

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
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.events import Ended, Event, Failed, KeptAlive
from understudy_proxy.dialects.gemini.decode import StreamDecoder, read_answer
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.failure import FailureKind, UpstreamFailure

NAMES = FunctionNames(())
CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("answers/*")]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
HELLO = {"candidates": [{"content": {"parts": [{"text": "Hello"}]}}]}
STOP = {"candidates": [{"finishReason": "STOP"}]}


def _stream(*responses: Any, end: bytes = b"\r\n\r\n") -> bytes:
    return b"".join(b"data: " + orjson.dumps(one) + end for one in responses)


def _read(body: Any, status: int = 200) -> Answer | UpstreamFailure:
    return read_answer(status, {}, body if isinstance(body, bytes) else orjson.dumps(body), NAMES)


def _events(*chunks: bytes) -> list[Event]:
    return decoded(StreamDecoder(NAMES), *chunks)


def _failure(answer: Answer | UpstreamFailure) -> UpstreamFailure:
    assert isinstance(answer, UpstreamFailure)
    return answer


@case
def test_whole(case: dict[str, Any]) -> None:
    """An answer in one piece says what its file says."""
    answer = _read(case["whole"])
    assert isinstance(answer, Answer)
    assert plain(answer) == case["answer"]


@case
@pytest.mark.parametrize("end", [pytest.param(b"\r\n\r\n", id="CRLF"), pytest.param(b"\n\n", id="LF")])
def test_streamed(case: dict[str, Any], end: bytes) -> None:
    """The same answer in pieces says the same, and is known to be whole."""
    events = _events(_stream(*case["stream"], end=end))
    assert isinstance(events[-1], Ended)
    assert folded(events) == case["answer"]


@case
def test_cut_at_every_byte(case: dict[str, Any]) -> None:
    """Wherever chunks fall, the events amount to the same; wherever a stream stops, it is whole or not ended."""
    stream = _stream(*case["stream"])
    for at in range(len(stream)):
        assert folded(_events(stream[:at], stream[at:])) == case["answer"]
        ended = any(isinstance(event, Ended) for event in _events(stream[:at]))
        assert not ended or folded(_events(stream[:at])) == case["answer"]


@given(st.lists(st.integers(0, 1000)))
def test_cut_anywhere(places: list[int]) -> None:
    """Any cuts at all give the same events."""
    stream = _stream(*CASES[0]["stream"])
    cuts = sorted({0, len(stream), *(place for place in places if place < len(stream))})
    assert folded(_events(*(stream[a:b] for a, b in pairwise(cuts)))) == CASES[0]["answer"]


@given(st.binary(max_size=300))
def test_garbage_never_raises(garbage: bytes) -> None:
    """Whatever bytes come, before an answer or within it, they are events or a failure."""
    for stream in (garbage, _stream(HELLO) + garbage + _stream(STOP), b"data: " + garbage + b"\n\n"):
        _events(stream)
    _read(garbage)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: JSON
            | st.lists(st.dictionaries(st.sampled_from(["index", "content", "finishReason", "logprobsResult"]), JSON))
            for name in ("candidates", "promptFeedback", "usageMetadata", "modelVersion", "error")
        },
    )
)
def test_wrong_types_never_raise(response: dict[str, Any]) -> None:
    """A field of any other type than Google's is a failure, or as if it were not there."""
    body = orjson.dumps(response)
    _read(body)
    _events(b"data: " + body + b"\n\n")


def test_thoughts_that_nobody_sees_leave_no_signature() -> None:
    """A client that wants no reasoning gets no part of it, not even the signature of a text."""
    answer = _read({"candidates": [{"content": {"parts": [{"text": "Hi", "thoughtSignature": "c2ln"}]}}]})
    assert isinstance(answer, Answer)
    assert plain(answer)["choices"][0]["parts"] == [{"text": "Hi"}]


def test_calls_keep_their_own_ids() -> None:
    """An id that Gemini gives is the client's too, unless two calls have the same."""
    calls = [{"functionCall": {"id": "a1", "name": "f"}}, {"functionCall": {"id": "a1", "name": "f"}}]
    answer = _read({"candidates": [{"content": {"parts": calls}, "finishReason": "STOP"}]})
    assert isinstance(answer, Answer)
    assert [part["id"] for part in plain(answer)["choices"][0]["parts"]] == ["a1", "made up"]


def test_names_are_given_back() -> None:
    """A function whose name had to change is called by its own."""
    names = FunctionNames(["7-day forecast"])
    called = {"functionCall": {"name": names.given("7-day forecast")}}
    answer = read_answer(200, {}, orjson.dumps({"candidates": [{"content": {"parts": [called]}}]}), names)
    assert isinstance(answer, Answer)
    assert plain(answer)["choices"][0]["parts"][0]["call"] == "7-day forecast"


@pytest.mark.parametrize("name", ["OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "SOMETHING_NEW"])
def test_a_model_that_failed_has_stopped(name: str) -> None:
    """Reasons of the model's own, and unknown ones, end an answer like any other."""
    answer = _read({"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": name}]})
    assert isinstance(answer, Answer)
    assert answer.choices[0].finish == "stop"


BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}


def test_a_blocked_prompt_is_a_failure() -> None:
    """HTTP 200 without candidates, because the prompt was blocked, is no empty answer."""
    assert _failure(_read(BLOCKED)).kind is FailureKind.CONTENT_FILTERED
    failed = _events(_stream(BLOCKED))[-1]
    assert isinstance(failed, Failed)
    assert failed.failure.kind is FailureKind.CONTENT_FILTERED


def _error(code: int, status: str, message: str = "No.", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, **more}}


DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]}
TOO_LONG = "The input token count (1048600) exceeds the maximum number of tokens allowed (1048575)."
ERRORS = [
    pytest.param(_error(400, "INVALID_ARGUMENT"), FailureKind.BAD_REQUEST, id="bad request"),
    pytest.param(_error(400, "INVALID_ARGUMENT", TOO_LONG), FailureKind.CONTEXT_LENGTH_EXCEEDED, id="too long"),
    pytest.param(
        _error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        FailureKind.AUTHENTICATION,
        id="bad key",
    ),
    pytest.param(
        _error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        FailureKind.AUTHENTICATION,
        id="not in this country",
    ),
    pytest.param(_error(403, "PERMISSION_DENIED"), FailureKind.AUTHENTICATION, id="forbidden"),
    pytest.param(_error(404, "NOT_FOUND"), FailureKind.MODEL_NOT_FOUND, id="no such model"),
    pytest.param(_error(429, "RESOURCE_EXHAUSTED", details=[MINUTE]), FailureKind.RATE_LIMITED, id="a minute's quota"),
    pytest.param(_error(429, "RESOURCE_EXHAUSTED", details=[DAY]), FailureKind.QUOTA_EXCEEDED, id="a day's quota"),
    pytest.param(_error(500, "INTERNAL"), FailureKind.SERVER_ERROR, id="internal"),
    pytest.param(_error(503, "UNAVAILABLE"), FailureKind.OVERLOADED, id="overloaded"),
    pytest.param(_error(504, "DEADLINE_EXCEEDED"), FailureKind.SERVER_ERROR, id="deadline"),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS)
def test_errors(error: dict[str, Any], kind: FailureKind) -> None:
    """An error is the same wherever it stands: alone, in a list, under 200, in a stream, and bare in a stream."""
    code = error["error"]["code"]
    bare = orjson.dumps(error, option=orjson.OPT_INDENT_2)
    found = [_read(error, code), _read([error], code), _read(error), _read([error])]
    for stream in (_stream(error), _stream(HELLO, error), _stream(HELLO) + bare, _stream(HELLO, [error]), bare):
        failed = _events(stream)[-1]
        assert isinstance(failed, Failed)
        found.append(failed.failure)
    assert {_failure(one).kind for one in found} == {kind}


def test_when_to_come_back_is_in_the_body() -> None:
    """Google tells how long to wait in a detail of the error."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}]
    assert _failure(_read(_error(429, "RESOURCE_EXHAUSTED", details=details), 429)).retry_after_seconds == 1.5


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="a page"),
        pytest.param({}, id="an empty object"),
        pytest.param({"candidates": []}, id="no candidate"),
        pytest.param({"candidates": [{}]}, id="a candidate with nothing"),
        pytest.param({"candidates": [7]}, id="a number"),
        pytest.param({"candidates": [{"index": -1, "content": {"parts": []}}]}, id="a negative index"),
        pytest.param({"candidates": [{"index": 10**9, "content": {"parts": []}}]}, id="a huge index"),
        pytest.param({"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]}, id="a call of nothing"),
        pytest.param({"candidates": [{"content": {"parts": [{"inlineData": {"data": "AA"}}]}}]}, id="a picture"),
    ],
)
def test_a_success_without_an_answer(body: Any) -> None:
    """A success that holds no answer is not one."""
    assert _failure(_read(body)).kind is FailureKind.INVALID_RESPONSE


def test_comments_keep_alive() -> None:
    """A comment between events is passed on as a sign of life."""
    assert KeptAlive() in _events(b": ping\r\n\r\n" + _stream(HELLO, STOP))
