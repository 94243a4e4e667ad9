"""A provider's stream on its way to the client: what passes, what does not, and how it ends."""

import json
from typing import Any

import pytest

from harness.streams import DONE, ROLE, STOP, TEXT, a_chunk, chunks_in, client_sees, streamed, text_in
from understudy_proxy.dialects.openai.stream import ChatStream
from understudy_proxy.dialects.passed_flow import MAX_HELD_BYTES
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind


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
    fed = ChatStream(include_usage=True).feed(a_chunk(delta))
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
    first = a_chunk(delta, finish=finish)
    fed = ChatStream(include_usage=True).feed(ROLE + first)
    assert (fed.out, fed.began) == (ROLE + first, True)


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\n'


def test_the_usage_chunk_is_for_those_who_asked() -> None:
    """Tokens are always counted; the chunk that states them passes only to a client that asked for it."""
    asked = client_sees(ROLE, TEXT, STOP, USAGE, DONE, include_usage=True)
    silent = client_sees(ROLE, TEXT, STOP, USAGE, DONE, include_usage=False)
    assert asked.out == ROLE + TEXT + STOP + USAGE + DONE
    assert silent.out == ROLE + TEXT + STOP + DONE
    assert asked.usage == silent.usage == Usage(input=3, output=4)


def test_usage_beside_an_answer_stays_there() -> None:
    """A provider that states usage on the last chunk of the answer has its chunk passed as it is."""
    last = a_chunk(finish="stop", usage={"prompt_tokens": 3, "completion_tokens": 4})
    seen = client_sees(ROLE, TEXT, last, DONE, include_usage=False)
    assert seen.out == ROLE + TEXT + last + DONE
    assert seen.usage == Usage(input=3, output=4)


def test_a_usage_chunk_always_has_choices() -> None:
    """Clients fail on a usage chunk without the key, so it gets one."""
    bare = b'data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    assert chunks_in(client_sees(ROLE, TEXT, STOP, bare, DONE).out)[-1] == {
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }


ERROR = (
    b'data: {"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}\n\n'
)


def test_an_error_as_the_first_event_is_a_failure_of_its_kind() -> None:
    """An error before anything was said leaves the client untouched, whatever lifecycle chunks came before."""
    for before in (b"", ROLE, b": ping\n\n" + ROLE):
        seen = client_sees(before, ERROR)
        assert (seen.out, seen.began, seen.finished) == (b"", False, False)
        assert seen.failure is not None
        assert (seen.failure.kind, seen.failure.message) == (FailureKind.RATE_LIMITED, "slow down")


def test_an_error_later_ends_the_stream() -> None:
    """What was said before goes out; the provider's error itself, and what follows it, does not."""
    seen = client_sees(ROLE, TEXT, ERROR, TEXT, DONE)
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
    seen = client_sees(before, event)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.out) == (kind, before)


def test_null_errors_are_none() -> None:
    """A server that puts `error: null` into each chunk streams as any other."""
    quiet = a_chunk({"content": "a"}, error=None)
    assert client_sees(ROLE, quiet, quiet, STOP, DONE).out == ROLE + quiet + quiet + STOP + DONE


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
    seen = client_sees(data)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.out, seen.began) == (kind, b"", False)


def test_an_end_without_done_is_an_end_once_every_choice_has_finished() -> None:
    """Servers that omit [DONE] are believed when all they began is finished, and clients get the end they expect."""
    other = b'data: {"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]}\n\n'
    assert client_sees(ROLE, TEXT, STOP).out == ROLE + TEXT + STOP + DONE
    cut = client_sees(ROLE, TEXT, other, STOP, choices=2)
    assert cut.failure is not None
    assert cut.failure.kind is FailureKind.INTERRUPTED


def test_fewer_choices_than_asked_for_are_no_cut() -> None:
    """A server that ignores `n` has finished when the choices that appeared have."""
    assert client_sees(ROLE, TEXT, STOP, choices=3).finished


def test_spaces_before_a_colon_hide_nothing() -> None:
    """However a server spells its JSON, its finish and its usage are seen."""
    spaced = (
        b'data: {"choices" : [{"index" : 0, "delta" : {}, "finish_reason" : "stop"}], "usage" : {"prompt_tokens" : 3}}'
    )
    seen = client_sees(ROLE, TEXT, spaced + b"\n\n")
    assert (seen.finished, seen.usage) == (True, Usage(input=3, output=0))


def test_nothing_follows_the_end() -> None:
    """What a server sends after [DONE] goes nowhere."""
    assert client_sees(ROLE + TEXT + STOP + DONE + TEXT, ERROR, TEXT).out == ROLE + TEXT + STOP + DONE


def test_a_last_line_without_its_empty_line_counts() -> None:
    """A server that ends with `data: [DONE]` and no line end has ended."""
    for end in (b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n"):
        seen = client_sees(ROLE + TEXT + STOP + end)
        assert (seen.out, seen.failure) == (ROLE + TEXT + STOP + DONE, None)


def test_comments_keep_the_client_waiting() -> None:
    """Comments say nothing before an answer has begun; after that they keep connections alive, without their words."""
    seen = client_sees(b": secret host\n\n", ROLE, TEXT, b": secret host\n\n", STOP, DONE)
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
        client_sees(ROLE, noise, TEXT, noise + TEXT, TEXT + noise + TEXT, STOP, noise, DONE).out
        == ROLE + TEXT * 4 + STOP + DONE
    )


def test_what_looks_like_an_event_may_be_the_end_of_another() -> None:
    """A chunk that begins with `data:` inside a comment is still the comment's."""
    assert streamed(ROLE + TEXT, b": it says ", TEXT, STOP + DONE).out == ROLE + TEXT + b":\n\n" + STOP + DONE


def test_fields_beside_data_are_left_out() -> None:
    """An id sent on once would make each later comment crash a client."""
    dressed = b"id: 1\nevent: message\nretry: 5\n" + TEXT
    tucked_in = TEXT.replace(b'"choices"', b'\nid: 1\ndata: "choices"')
    assert client_sees(ROLE, dressed, TEXT, dressed, STOP, DONE).out == ROLE + TEXT * 3 + STOP + DONE
    assert b"id:" not in client_sees(ROLE, TEXT, tucked_in, STOP, DONE).out


@pytest.mark.parametrize("spaced", [pytest.param(False, id="compact"), pytest.param(True, id="with spaces")])
def test_the_role_is_said_once(spaced: bool) -> None:
    """Clients add deltas up: a role in each of them would become `assistantassistant`."""
    separators = (", ", ": ") if spaced else (",", ":")

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return f"data: {json.dumps({'choices': choices}, separators=separators)}\n\n".encode()

    said = {"role": "assistant", "content": "a"}
    seen = client_sees(
        chunk(said), chunk(said), chunk(said) * 2, chunk({"role": "assistant", "content": ""}, "stop"), DONE
    )
    roles = [choice["delta"].get("role") for one in chunks_in(seen.out) for choice in one["choices"]]
    assert roles == ["assistant", None, None, None, None]
    assert text_in(seen.out) == "aaaa"


def test_a_late_role_stays() -> None:
    """A server that says the role only later says it once: that one is kept, however its chunks fall."""
    late = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"b"},"finish_reason":null}]}\n\n'
    for chunks in ((TEXT + late + late,), (TEXT, late, late)):
        assert client_sees(*chunks, STOP).out.count(b'"role"') == 1


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


@pytest.mark.timeout(60)
def test_a_stream_that_never_begins_costs_no_more_the_longer_it_goes_on() -> None:
    """A hundred thousand tiny events within the bound: counted anew with each of them they would take hours."""
    stream = ChatStream(include_usage=False)
    fed = stream.feed(b"")
    for _ in range(MAX_HELD_BYTES // len(b"data: {}")):
        fed = stream.feed(b"data: {}\n\n")
    assert fed.failure is None
    fed = stream.feed(b"data: {}\n\n")
    assert fed.failure is not None


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(b'{"choices":[{"index":0,"delta":{"content":"a",\ndata: "x":%b}}]}', id="in several lines"),
        pytest.param(b'{"usage":{"prompt_tokens":1},"x":%b}', id="usage without choices"),
    ],
)
def test_an_event_that_can_be_read_and_not_written_again_is_one_all_the_same(event: bytes) -> None:
    """What is nested deeper than JSON is written here passes as it came."""
    deep = b"[" * 300 + b"]" * 300
    seen = client_sees(ROLE + TEXT, b"data: " + event % deep + b"\n\n", STOP, DONE)
    assert (seen.failure, seen.finished, seen.out.count(deep)) == (None, True, 1)


@pytest.mark.parametrize("error", ["[]", "{}", '""', "0", "[[]]", "[null]"])
def test_an_error_without_anything_in_it_breaks_nothing(error: str) -> None:
    """Whatever stands in the place of an error, a client gets an answer or a failure of some kind."""
    for event in (f'{{"error":{error}}}', f'{{"choices":[{{"index":0,"delta":{{}},"error":{error}}}]}}'):
        seen = client_sees(ROLE, TEXT, f"data: {event}\n\n".encode(), STOP, DONE)
        assert seen.out.count(TEXT) == 1
