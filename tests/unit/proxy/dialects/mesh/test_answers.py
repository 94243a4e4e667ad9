"""Agents' answers, whole and as they come.

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
from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.canonical.events import Ended, Event, Failed, KeptAlive, TextDelta
from understudy_proxy.dialects.mesh.decoder import AgentDecoder
from understudy_proxy.dialects.mesh.provider import MeshTurn
from understudy_proxy.failure import FailureKind, UpstreamFailure

CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("answers/*")]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
CHUNK = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "message": "Hello"}}
DONE = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "Hello"}]}}


def _stream(*messages: Any, end: bytes = b"\n") -> bytes:
    return b"".join(b"event: message%bdata: %b%b%b" % (end, orjson.dumps(one), end, end) for one in messages)


def _read(body: Any, status: int = 200) -> Answer | UpstreamFailure:
    turn = MeshTurn(Chat("m", (Message(Role.USER, (Text("Hi"),)),)), a_candidate("ai/mesh:m", a_model()))
    return turn.read(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


def _events(*chunks: bytes) -> list[Event]:
    return decoded(AgentDecoder(), *chunks)


def _failed(said: Answer | UpstreamFailure) -> UpstreamFailure:
    assert isinstance(said, UpstreamFailure)
    return said


@case
def test_whole(case: dict[str, Any]) -> None:
    """An answer says what its file says, be it one object or a stream of one event."""
    model = {"model": case["model"]} if "model" in case else {}
    for body in (orjson.dumps(case["whole"]), _stream(case["whole"])):
        answer = _read(body)
        assert isinstance(answer, Answer)
        assert case["answer"] | model == plain(answer)


@case
@pytest.mark.parametrize("end", [pytest.param(b"\r\n", id="CRLF"), pytest.param(b"\n", id="LF")])
def test_streamed(case: dict[str, Any], end: bytes) -> None:
    """The same answer as it comes says the same, also where the agent's server breaks off right behind it."""
    stream = b": ping" + end + end + _stream(*case["stream"], end=end)
    for whole in (stream, stream.removesuffix(end), stream.removesuffix(end + end)):
        events = _events(whole)
        assert isinstance(events[-1], Ended)
        assert case["answer"] == folded(events)


@case
def test_an_object_where_a_stream_was_asked_for(case: dict[str, Any]) -> None:
    """An agent may answer with one object; it is read once all of it is there."""
    body = orjson.dumps(case["whole"])
    events = _events(body[:5], body[5:])
    assert isinstance(events[-1], Ended)
    assert case["answer"]["choices"] == folded(events)["choices"]


@case
def test_cut_at_every_byte(case: dict[str, Any]) -> None:
    """Wherever chunks fall, the events amount to the same; wherever a stream stops, it is whole or not ended."""
    stream = _stream(*case["stream"])
    for at in range(len(stream)):
        assert case["answer"] == folded(_events(stream[:at], stream[at:]))
        ended = any(isinstance(event, Ended) for event in _events(stream[:at]))
        assert ended is (at >= len(stream) - 2)


@given(st.lists(st.integers(0, 1000)))
def test_cut_anywhere(places: list[int]) -> None:
    """Any cuts at all give the same events."""
    stream = _stream(*CASES[0]["stream"])
    cuts = sorted({0, len(stream), *(place for place in places if place < len(stream))})
    assert CASES[0]["answer"] == folded(_events(*(stream[a:b] for a, b in pairwise(cuts))))


@given(st.binary(max_size=300))
def test_garbage_never_raises(garbage: bytes) -> None:
    """Whatever bytes come, before an answer or within it, they are events or a failure."""
    for stream in (garbage, _stream(CHUNK) + garbage + _stream(DONE), b"data: " + garbage + b"\n\n"):
        _events(stream)
        _read(stream)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ASSISTANT = st.fixed_dictionaries(
    {"role": st.just("assistant")},
    optional={"content": JSON, "tool_calls": JSON | st.lists(JSON), "_mesh_usage": JSON, "_mesh_stop_reason": JSON},
)
RESULTS = st.fixed_dictionaries({}, optional={"content": JSON, "structuredContent": ASSISTANT | JSON, "isError": JSON})
NAMES = {"result": RESULTS | JSON, "error": JSON, "method": JSON, "params": JSON}


@given(st.fixed_dictionaries({}, optional=NAMES))
def test_wrong_types_never_raise(said: dict[str, Any]) -> None:
    """A field of any other type than agents' is a failure, or as if it were not there."""
    _read(said)
    _events(_stream(said))


def _error(text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": [{"type": "text", "text": text}]}}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        pytest.param(_error("Error calling tool 'chat': boom"), FailureKind.SERVER_ERROR, id="a tool that failed"),
        pytest.param(_error("Unknown tool: 'chat'"), FailureKind.MODEL_NOT_FOUND, id="a tool that is gone"),
        pytest.param(
            _error("429 {'type': 'rate_limit_error'}"), FailureKind.RATE_LIMITED, id="its vendor's rate limit"
        ),
        pytest.param(_error("litellm.RateLimitError: slow"), FailureKind.RATE_LIMITED, id="a rate limit by LiteLLM"),
        pytest.param(_error("529 overloaded_error"), FailureKind.OVERLOADED, id="its vendor is overloaded"),
        pytest.param(_error("401 invalid_api_key"), FailureKind.AUTHENTICATION, id="its vendor's key"),
        pytest.param(_error("429 insufficient_quota rate_limit_error"), FailureKind.QUOTA_EXCEEDED, id="its money"),
        pytest.param(_error("prompt is too long: 9 > 8"), FailureKind.CONTEXT_LENGTH_EXCEEDED, id="too long"),
        pytest.param(_error(""), FailureKind.SERVER_ERROR, id="no words"),
        pytest.param(
            {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Unknown tool: x"}},
            FailureKind.MODEL_NOT_FOUND,
            id="an error of the protocol about the tool",
        ),
        pytest.param(
            {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "oops"}},
            FailureKind.SERVER_ERROR,
            id="an error of the protocol",
        ),
        pytest.param({"jsonrpc": "2.0", "id": 1, "error": 7}, FailureKind.SERVER_ERROR, id="an error that is none"),
        pytest.param({"jsonrpc": "2.0", "id": 1}, FailureKind.INVALID_RESPONSE, id="nothing"),
        pytest.param({"result": {"content": []}}, FailureKind.INVALID_RESPONSE, id="an empty result"),
        pytest.param(
            {"result": {"structuredContent": {"role": "assistant", "content": [1]}}},
            FailureKind.INVALID_RESPONSE,
            id="content that is no text",
        ),
        pytest.param(
            {"result": {"structuredContent": {"role": "assistant", "tool_calls": [{"function": {}}]}}},
            FailureKind.INVALID_RESPONSE,
            id="a call without a name",
        ),
        pytest.param([1], FailureKind.INVALID_RESPONSE, id="no object"),
    ],
)
def test_failures(message: Any, kind: FailureKind) -> None:
    """What an agent says of what went wrong decides what is done about it, whole or streamed."""
    assert kind == _failed(_read(_stream(message))).kind
    failed = _events(_stream(CHUNK), _stream(message))
    assert [TextDelta("Hello"), Failed(_failed(_read(_stream(message))))] == failed


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(400, FailureKind.SERVER_ERROR, id="400 is about the call, not about the client's request"),
        pytest.param(404, FailureKind.MODEL_NOT_FOUND, id="404"),
        pytest.param(406, FailureKind.SERVER_ERROR, id="406"),
        pytest.param(307, FailureKind.REDIRECT, id="307"),
        pytest.param(500, FailureKind.SERVER_ERROR, id="500"),
        pytest.param(503, FailureKind.OVERLOADED, id="503"),
    ],
)
def test_statuses(status: int, kind: FailureKind) -> None:
    """An agent that answers with an error status lets others step in."""
    assert kind == _failed(_read(b"no", status=status)).kind


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(_stream(CHUNK), id="words alone"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"resu', id="half an object"),
        pytest.param(b"<html>", id="a page"),
    ],
)
def test_no_result(body: bytes) -> None:
    """An answer whose result never came is none."""
    assert FailureKind.INVALID_RESPONSE == _failed(_read(body)).kind


def test_what_keeps_a_stream_alive() -> None:
    """Comments and notifications are signs of life, and no words."""
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x"}}
    empty = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}
    assert [KeptAlive()] * 3 == _events(b": ping\n\n", _stream(note, empty))


def test_nothing_counts_after_the_end() -> None:
    """The result is the last that is read."""
    decoder = AgentDecoder()
    assert isinstance(decoder.feed(_stream(DONE))[-1], Ended)
    assert [] == decoder.feed(_stream(CHUNK)) + decoder.close()
