"""A provider's stream on its way to the client.

`streams/` holds streams of providers and servers as they send them (`NAME.sse`) and what they say (`NAME.json`).
"""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy_proxy.dialects.openai.stream import ChatStream
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import FailureKind, UpstreamFailure

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.sse"))
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Recorded:
    """A stream, and what it says."""

    name: str
    data: bytes
    text: str
    usage: Usage | None
    choices: int


def _recorded(path: Path) -> Recorded:
    said = json.loads(path.with_suffix(".json").read_text())
    usage = Usage(**said["usage"]) if said["usage"] else None
    return Recorded(path.stem, path.read_bytes(), said["text"], usage, said["choices"])


RECORDED = [_recorded(path) for path in STREAMS]
recorded = pytest.mark.parametrize("stream", [pytest.param(one, id=one.name) for one in RECORDED])


@dataclass(frozen=True)
class Seen:
    """What a client saw of a stream."""

    out: bytes
    began: bool
    finished: bool
    failure: UpstreamFailure | None
    usage: Usage | None


def _run(*chunks: bytes, include_usage: bool = True, choices: int = 1) -> Seen:
    stream = ChatStream(include_usage=include_usage, choices=choices)
    out = b""
    for chunk in chunks:
        fed = stream.feed(chunk)
        assert fed.began or not fed.out
        out += fed.out
        if fed.failure is not None:
            break
    fed = stream.close()
    return Seen(out + fed.out, fed.began, stream.finished, fed.failure, stream.usage)


def _seen(*chunks: bytes, include_usage: bool = True, choices: int = 1) -> Seen:
    """What a client sees, which is the same whether the chunks come one by one or together, before or after a start."""
    whole = _run(b"".join(chunks), include_usage=include_usage, choices=choices)
    for at in range(1, len(chunks)):
        pieces = (b"".join(chunks[:at]), b"".join(chunks[at:]))
        assert _run(*pieces, include_usage=include_usage, choices=choices) == whole
    assert _run(*chunks, include_usage=include_usage, choices=choices) == whole
    return whole


def _chunk(delta: dict[str, Any] | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return b"data: " + orjson.dumps({"id": "1", "choices": [choice], **more}) + b"\n\n"


ROLE = _chunk({"role": "assistant", "content": ""})
TEXT = _chunk({"content": "Hi"})
STOP = _chunk(finish="stop")


def _chunks(out: bytes) -> list[dict[str, Any]]:
    """What is in the events of a stream, read as strictly as a client may: one `data: ` line each, ended by LF LF."""
    events = out.split(b"\n\n")
    assert events.pop() == b""
    datas = [event.removeprefix(b"data: ") for event in events if event != b":"]
    assert all(b"data: " + data in events and b"\n" not in data for data in datas)
    return [orjson.loads(data) for data in datas if data != b"[DONE]"]


def _text(out: bytes) -> str:
    """Everything that is said, thought, refused or called, in order."""
    said = ""
    for chunk in _chunks(out):
        for choice in chunk["choices"]:
            delta = choice["delta"]
            said += delta.get("content") or delta.get("refusal") or delta.get("reasoning_content") or ""
            for call in delta.get("tool_calls") or ():
                said += call["function"]["arguments"]
    return said


@recorded
def test_a_whole_stream_arrives_whole(stream: Recorded) -> None:
    """Whoever sent it: all of the text arrives in whole events, usage is read, and the end is an end."""
    seen = _run(stream.data, choices=stream.choices)
    assert (seen.began, seen.finished, seen.failure, seen.usage) == (True, True, None, stream.usage)
    assert _text(seen.out) == stream.text
    assert seen.out.endswith(DONE)
    assert seen.out.count(DONE) == 1


@recorded
def test_cut_at_every_byte(stream: Recorded) -> None:
    """Wherever a stream is cut, it is whole or a failure, never a silent success, and only whole events went out."""
    for end in range(len(stream.data)):
        seen = _run(stream.data[:end], choices=stream.choices)
        assert seen.finished is (seen.failure is None)
        if seen.finished:
            assert _text(seen.out) == stream.text
            assert seen.out.endswith(DONE)
        else:
            assert stream.text.startswith(_text(seen.out))
            assert DONE not in seen.out


@recorded
def test_split_at_every_byte(stream: Recorded) -> None:
    """Where chunks of the network begin and end changes nothing of what goes out."""
    whole = _run(stream.data, choices=stream.choices)
    assert _run(*(bytes((byte,)) for byte in stream.data), choices=stream.choices) == whole
    for at in range(1, len(stream.data)):
        assert _run(stream.data[:at], stream.data[at:], choices=stream.choices) == whole


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(RECORDED), st.lists(st.integers(0, 8000), max_size=30), st.booleans())
def test_split_anywhere(stream: Recorded, cuts: list[int], include_usage: bool) -> None:
    """Nor do many splits at once, with or without the usage chunk."""
    whole = _run(stream.data, include_usage=include_usage, choices=stream.choices)
    edges = [0, *sorted(cut % (len(stream.data) + 1) for cut in cuts), len(stream.data)]
    pieces = [stream.data[start:end] for start, end in itertools.pairwise(edges)]
    assert _run(*pieces, include_usage=include_usage, choices=stream.choices) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.booleans())
def test_any_text_passes_untouched(texts: list[str], from_python: bool) -> None:
    """Whatever the model says, words that look like the protocol's own among it, arrives as it was sent."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    dumps = json.dumps if from_python else lambda chunk: orjson.dumps(chunk).decode()
    sent = b"".join(b"data: " + dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    seen = _seen(ROLE, sent, STOP, DONE)
    assert seen.out == ROLE + sent + STOP + DONE


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_borne(chunks: list[bytes]) -> None:
    """No bytes raise, and bytes that are no stream end in a failure."""
    seen = _run(*chunks)
    assert seen.finished is (seen.failure is None)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(RECORDED), st.data())
def test_damaged_streams_are_borne(stream: Recorded, data: st.DataObject) -> None:
    """A stream with some bytes changed never raises, and is whole or a failure."""
    damaged = bytearray(stream.data)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    seen = _run(bytes(damaged), choices=stream.choices)
    assert seen.finished is (seen.failure is None)


def test_ordinary_events_pass_as_they_came() -> None:
    """What comes in goes out in the same call, byte for byte."""
    stream = ChatStream(include_usage=False)
    assert stream.feed(ROLE + TEXT).out == ROLE + TEXT
    odd = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],  "new": {"field": 1}}\n\n'
    assert stream.feed(odd).out == odd
    assert stream.feed(odd + TEXT).out == odd + TEXT


def test_half_an_event_waits_for_its_rest() -> None:
    """Only whole events leave, so that what follows a cut is never taken for its rest."""
    stream = ChatStream(include_usage=False)
    assert stream.feed(ROLE + TEXT + TEXT[:10]).out == ROLE + TEXT
    assert stream.feed(TEXT[10:-1]).out == b""
    assert stream.feed(TEXT[-1:] + TEXT[:5]).out == TEXT


@pytest.mark.parametrize(
    "delta",
    [
        pytest.param({"role": "assistant"}, id="a role"),
        pytest.param({"role": "assistant", "content": ""}, id="a role and no text"),
        pytest.param({"role": "assistant", "content": None, "tool_calls": [], "refusal": None}, id="a role and nulls"),
        pytest.param({}, id="nothing"),
    ],
)
def test_has_not_begun(delta: dict[str, Any]) -> None:
    """Until something is said, another backend can still take over: nothing goes out."""
    fed = ChatStream(include_usage=True).feed(_chunk(delta))
    assert (fed.out, fed.began, fed.failure) == (b"", False, None)


@pytest.mark.parametrize(
    ("delta", "finish"),
    [
        pytest.param({"content": "H"}, None, id="text"),
        pytest.param({"reasoning_content": "H"}, None, id="reasoning"),
        pytest.param({"refusal": "No"}, None, id="a refusal"),
        pytest.param({"tool_calls": [{"index": 0}]}, None, id="a tool call"),
        pytest.param({"function_call": {"name": "f"}}, None, id="a function call"),
        pytest.param({"audio": {"id": "a"}}, None, id="audio"),
        pytest.param({}, "stop", id="an end without text"),
    ],
)
def test_has_begun(delta: dict[str, Any], finish: str | None) -> None:
    """With the first thing said, all that was held back goes out, in order."""
    first = _chunk(delta, finish=finish)
    fed = ChatStream(include_usage=True).feed(ROLE + first)
    assert (fed.out, fed.began) == (ROLE + first, True)


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\n'


def test_the_usage_chunk_is_for_those_who_asked() -> None:
    """Tokens are always counted; the chunk that states them passes only to a client that asked for it."""
    asked = _seen(ROLE, TEXT, STOP, USAGE, DONE, include_usage=True)
    silent = _seen(ROLE, TEXT, STOP, USAGE, DONE, include_usage=False)
    assert asked.out == ROLE + TEXT + STOP + USAGE + DONE
    assert silent.out == ROLE + TEXT + STOP + DONE
    assert asked.usage == silent.usage == Usage(input=3, output=4)


def test_usage_beside_an_answer_stays_there() -> None:
    """A provider that states usage on the last chunk of the answer has its chunk passed as it is."""
    last = _chunk(finish="stop", usage={"prompt_tokens": 3, "completion_tokens": 4})
    seen = _seen(ROLE, TEXT, last, DONE, include_usage=False)
    assert seen.out == ROLE + TEXT + last + DONE
    assert seen.usage == Usage(input=3, output=4)


def test_a_usage_chunk_always_has_choices() -> None:
    """Clients fail on a usage chunk without the key, so it gets one."""
    bare = b'data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    assert _chunks(_seen(ROLE, TEXT, STOP, bare, DONE).out)[-1] == {
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }


ERROR = (
    b'data: {"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}\n\n'
)


def test_an_error_as_the_first_event_is_a_failure_of_its_kind() -> None:
    """An error before anything was said leaves the client untouched, whatever lifecycle chunks came before."""
    for before in (b"", ROLE, b": ping\n\n" + ROLE):
        seen = _seen(before, ERROR)
        assert (seen.out, seen.began, seen.finished) == (b"", False, False)
        assert seen.failure is not None
        assert (seen.failure.kind, seen.failure.message) == (FailureKind.RATE_LIMITED, "slow down")


def test_an_error_later_ends_the_stream() -> None:
    """What was said before goes out; the provider's error itself, and what follows it, does not."""
    seen = _seen(ROLE, TEXT, ERROR, TEXT, DONE)
    assert (seen.out, seen.finished) == (ROLE + TEXT, False)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.RATE_LIMITED


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        pytest.param(b'event: error\ndata: {"message": "m"}\n\n', FailureKind.SERVER_ERROR, id="event: error"),
        pytest.param(b'data: {"error": "text"}\n\n', FailureKind.SERVER_ERROR, id="a string"),
        pytest.param(b'data: {"object":"error","message":"m","code":400}\n\n', FailureKind.BAD_REQUEST, id="flat"),
        pytest.param(
            b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"code":502}}]}\n\n',
            FailureKind.SERVER_ERROR,
            id="in the choice",
        ),
        pytest.param(b"data: {broken\n\n", FailureKind.INVALID_RESPONSE, id="no JSON"),
        pytest.param(b"data: 17\n\n", FailureKind.INVALID_RESPONSE, id="no object"),
        pytest.param(b"data: [1]\n\n", FailureKind.INVALID_RESPONSE, id="a list"),
        pytest.param(b"data: <html>\n\n", FailureKind.INVALID_RESPONSE, id="HTML"),
    ],
)
@pytest.mark.parametrize("before", [pytest.param(b"", id="first"), pytest.param(ROLE + TEXT, id="later")])
def test_every_kind_of_broken_event(before: bytes, event: bytes, kind: FailureKind) -> None:
    """Errors in any shape, and events that are none, are failures wherever they come."""
    seen = _seen(before, event)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.out) == (kind, before)


def test_null_errors_are_none() -> None:
    """A server that puts `error: null` into each chunk streams as any other."""
    quiet = _chunk({"content": "a"}, error=None)
    assert _seen(ROLE, quiet, quiet, STOP, DONE).out == ROLE + quiet + quiet + STOP + DONE


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"", FailureKind.INTERRUPTED, id="nothing"),
        pytest.param(b": ping\n\n", FailureKind.INTERRUPTED, id="only comments"),
        pytest.param(ROLE, FailureKind.INTERRUPTED, id="only a role"),
        pytest.param(DONE, FailureKind.INVALID_RESPONSE, id="only an end"),
        pytest.param(ROLE + DONE, FailureKind.INVALID_RESPONSE, id="a role and an end"),
        pytest.param(b'{"error":{"message":"m","code":429}}', FailureKind.RATE_LIMITED, id="an error as a body"),
        pytest.param(
            b'{"choices":[{"message":{"content":"Hi"}}]}', FailureKind.INVALID_RESPONSE, id="a whole answer as a body"
        ),
        pytest.param(b"<html>\n\n<body>", FailureKind.INTERRUPTED, id="HTML"),
    ],
)
def test_streams_that_never_begin(data: bytes, kind: FailureKind) -> None:
    """A stream that ends before anything was said is a failure that another backend can make good."""
    seen = _seen(data)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.out, seen.began) == (kind, b"", False)


def test_an_end_without_done_is_an_end_once_every_choice_has_finished() -> None:
    """Servers that omit [DONE] are believed when all they began is finished, and clients get the end they expect."""
    other = b'data: {"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]}\n\n'
    assert _seen(ROLE, TEXT, STOP).out == ROLE + TEXT + STOP + DONE
    cut = _seen(ROLE, TEXT, other, STOP, choices=2)
    assert cut.failure is not None
    assert cut.failure.kind is FailureKind.INTERRUPTED


def test_fewer_choices_than_asked_for_are_no_cut() -> None:
    """A server that ignores `n` has finished when the choices that appeared have."""
    assert _seen(ROLE, TEXT, STOP, choices=3).finished


def test_spaces_before_a_colon_hide_nothing() -> None:
    """However a server spells its JSON, its finish and its usage are seen."""
    spaced = (
        b'data: {"choices" : [{"index" : 0, "delta" : {}, "finish_reason" : "stop"}], "usage" : {"prompt_tokens" : 3}}'
    )
    seen = _seen(ROLE, TEXT, spaced + b"\n\n")
    assert (seen.finished, seen.usage) == (True, Usage(input=3, output=0))


def test_nothing_follows_the_end() -> None:
    """What a server sends after [DONE] goes nowhere."""
    assert _seen(ROLE + TEXT + STOP + DONE + TEXT, ERROR, TEXT).out == ROLE + TEXT + STOP + DONE


def test_a_last_line_without_its_empty_line_counts() -> None:
    """A server that ends with `data: [DONE]` and no line end has ended."""
    for end in (b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n"):
        seen = _seen(ROLE + TEXT + STOP + end)
        assert (seen.out, seen.failure) == (ROLE + TEXT + STOP + DONE, None)


def test_comments_keep_the_client_waiting() -> None:
    """Comments say nothing before an answer has begun; after that they keep connections alive, without their words."""
    seen = _seen(b": secret host\n\n", ROLE, TEXT, b": secret host\n\n", STOP, DONE)
    assert seen.out == ROLE + TEXT + b":\n\n" + STOP + DONE


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"event: ping\n\n", id="an event without data"),
        pytest.param(b"data:\n\n", id="empty data"),
        pytest.param(b"data: \n\n", id="blank data"),
        pytest.param(b"id: 7\n\n", id="an id"),
        pytest.param(b"retry: 100\n\n", id="a retry"),
        pytest.param(b"\n\n\n", id="empty lines"),
    ],
)
def test_what_makes_clients_fail_is_left_out(noise: bytes) -> None:
    """Events without data crash OpenAI's SDK, and so does a comment after any id: none of them goes out."""
    assert (
        _seen(ROLE, noise, TEXT, noise + TEXT, TEXT + noise + TEXT, STOP, noise, DONE).out
        == ROLE + TEXT * 4 + STOP + DONE
    )


def test_what_looks_like_an_event_may_be_the_end_of_another() -> None:
    """A chunk that begins with `data:` inside a comment is still the comment's."""
    assert _run(ROLE + TEXT, b": it says ", TEXT, STOP + DONE).out == ROLE + TEXT + b":\n\n" + STOP + DONE


def test_fields_beside_data_are_left_out() -> None:
    """An id sent on once would make each later comment crash a client."""
    dressed = b"id: 1\nevent: message\nretry: 5\n" + TEXT
    tucked_in = TEXT.replace(b'"choices"', b'\nid: 1\ndata: "choices"')
    assert _seen(ROLE, dressed, TEXT, dressed, STOP, DONE).out == ROLE + TEXT * 3 + STOP + DONE
    assert b"id:" not in _seen(ROLE, TEXT, tucked_in, STOP, DONE).out


@pytest.mark.parametrize("spaced", [pytest.param(False, id="compact"), pytest.param(True, id="with spaces")])
def test_the_role_is_said_once(spaced: bool) -> None:
    """Clients add deltas up: a role in each of them would become `assistantassistant`."""
    separators = (", ", ": ") if spaced else (",", ":")

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return f"data: {json.dumps({'choices': choices}, separators=separators)}\n\n".encode()

    said = {"role": "assistant", "content": "a"}
    seen = _seen(chunk(said), chunk(said), chunk(said) * 2, chunk({"role": "assistant", "content": ""}, "stop"), DONE)
    roles = [choice["delta"].get("role") for one in _chunks(seen.out) for choice in one["choices"]]
    assert roles == ["assistant", None, None, None, None]
    assert _text(seen.out) == "aaaa"


def test_a_late_role_stays() -> None:
    """A server that says the role only later says it once: that one is kept, however its chunks fall."""
    late = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"b"},"finish_reason":null}]}\n\n'
    for chunks in ((TEXT + late + late,), (TEXT, late, late)):
        assert _seen(*chunks, STOP).out.count(b'"role"') == 1


def test_an_event_without_an_end_is_bounded() -> None:
    """A provider that never ends a line cannot fill the memory."""
    stream = ChatStream(include_usage=False)
    megabyte = b"x" * 1024 * 1024
    failures = [stream.feed(megabyte).failure for _ in range(10)]
    assert failures[-1] is not None
    assert failures[-1].kind is FailureKind.INVALID_RESPONSE


def test_a_stream_that_never_begins_is_bounded() -> None:
    """Nor can one that sends roles for ever."""
    stream = ChatStream(include_usage=False)
    failure = next(fed.failure for _ in range(100) if (fed := stream.feed(ROLE * 1000)).failure is not None)
    assert failure.kind is FailureKind.INVALID_RESPONSE
