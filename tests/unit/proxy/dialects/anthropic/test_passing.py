"""Anthropic's dialect on both sides: nothing changes but what has to."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from harness.runtimes import a_candidate, a_model
from understudy_api.config import Prompt
from understudy_proxy.dialects.anthropic.passing import PassedCount, PassedMessage
from understudy_proxy.dialects.anthropic.passing_stream import MessagesStream
from understudy_proxy.dialects.anthropic.request import MessagesRequest, read
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.passed_flow import MAX_HELD_BYTES
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.sse"))
streams = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in STREAMS])
HELLO = [{"role": "user", "content": "Hello"}]
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\nevent: ping\ndata: {"type":"ping"}\n\n'
)
TEXT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"Hi"}}\n\n'
)
OVERLOADED = (
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded at host-7"}}\n\n'
)
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
DELTA = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":5}}\n\n'
)


def request(version: str = "2023-06-01", betas: str | None = None, **fields: Any) -> MessagesRequest:
    """A client's request."""
    body = {"model": "chat", "max_tokens": 100, "messages": HELLO, **fields}
    return read(orjson.dumps(body), version=version, betas=betas)


def passed(asked: MessagesRequest, prompt: Prompt | None = None, *, model: str = "claude-sonnet-4-5") -> Call:
    """What Anthropic gets of it."""
    return PassedMessage(asked, a_candidate("ai/claude:m", a_model(upstream_name=model)), prompt).call


def body_of(call: Call) -> Any:
    """A call's body."""
    return orjson.loads(call.body)


def seen(*chunks: bytes) -> tuple[bytes, MessagesStream, UpstreamFailure | None]:
    """What a client gets of a stream that ends after these chunks, and how it ended."""
    stream = MessagesStream()
    out = b""
    for chunk in chunks:
        fed = stream.feed(chunk)
        out += fed.out
    fed = stream.close()
    return out + fed.out, stream, fed.failure


def test_nothing_changes_but_the_models_name() -> None:
    """What the gateway does not know goes through; so do the version and the betas."""
    fields: dict[str, Any] = {
        "container": "c",
        "tools": [{"type": "web_search_20250305", "name": "w"}],
        "new": {"a": [1.5]},
    }
    call = passed(request("2026-10-21", "a-2025,b-2026", **fields))
    expected = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": HELLO, **fields}
    assert expected == body_of(call)
    assert (("anthropic-version", "2026-10-21"), ("anthropic-beta", "a-2025,b-2026")) == call.headers
    assert "/v1/messages" == call.path


def test_reasoning_of_others_is_taken_out() -> None:
    """The vendor refuses signatures that are not its own; a turn of nothing else goes with them."""
    foreign = {"type": "thinking", "thinking": "", "signature": "understudy.gemini.CoQB"}
    own = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    messages = [
        *HELLO,
        {"role": "assistant", "content": [foreign, own, {"type": "text", "text": "understudy."}]},
        {"role": "assistant", "content": [foreign]},
        *HELLO,
    ]
    expected = [*HELLO, {"role": "assistant", "content": [own, {"type": "text", "text": "understudy."}]}, *HELLO]
    assert expected == body_of(passed(request(messages=messages)))["messages"]


def after_a_call(*before: dict[str, str]) -> list[dict[str, Any]]:
    """A conversation that ends with a tool's result; what the assistant said before it called the tool is given."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "22 C"}
    return [*HELLO, {"role": "assistant", "content": [*before, use]}, {"role": "user", "content": [result]}]


OWN = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
OTHERS = {"type": "thinking", "thinking": "Hm.", "signature": "understudy.openai."}
REDACTED = {"type": "redacted_thinking", "data": "EmwK"}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


@pytest.mark.parametrize(
    ("before", "thinking", "kept"),
    [
        pytest.param((OWN,), BUDGET, True, id="its own reasoning"),
        pytest.param((REDACTED,), BUDGET, True, id="its own reasoning, hidden"),
        pytest.param((OTHERS,), BUDGET, False, id="another's reasoning"),
        pytest.param((), BUDGET, False, id="no reasoning"),
        pytest.param((), {"type": "adaptive"}, True, id="no reasoning, and a model that decides itself"),
    ],
)
def test_it_thinks_on_only_with_its_own_reasoning(
    before: tuple[dict[str, str], ...], thinking: dict[str, Any], kept: bool
) -> None:
    """A tool loop that another vendor began goes on without thinking, which would be refused; the client is told."""
    call = passed(request(messages=after_a_call(*before), thinking=thinking))
    assert ("thinking" in body_of(call), bool(call.warnings)) == (kept, not kept)


def test_reasoning_of_before_is_no_matter_elsewhere() -> None:
    """Where no tool is answered the model thinks, whoever spoke before."""
    messages = [*HELLO, {"role": "assistant", "content": "Hi"}, *HELLO]
    assert body_of(passed(request(messages=messages, thinking=BUDGET)))["thinking"] == BUDGET


def test_a_persona_in_this_dialects_words() -> None:
    """Its prompt first, its defaults under the client's fields, its overrides over them, its tools beside."""
    prompt = Prompt(
        system="Arr.",
        defaults={"temperature": 0.2, "top_k": 3, "stop": "END"},
        overrides={"max_completion_tokens": 50, "parallel_tool_calls": False, "stop": None},
        tools=({"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}},),
    )
    tools = [{"name": "find", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]
    call = passed(request(system="Be brief.", temperature=0.9, stop_sequences=["X"], tools=tools), prompt)
    assert {
        "model": "claude-sonnet-4-5",
        "messages": HELLO,
        "system": [{"type": "text", "text": "Arr."}, {"type": "text", "text": "Be brief."}],
        "max_tokens": 50,
        "temperature": 0.9,
        "top_k": 3,
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "tools": [tools[1], {"name": "find", "input_schema": {"type": "object"}}],
    } == body_of(call)


def test_a_persona_says_its_part_of_a_field() -> None:
    """What the client said beside it stays: which tool, and by which schema."""
    output = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    tools = [{"name": "find", "input_schema": {"type": "object"}}]
    body = body_of(
        passed(request(output_config=output), Prompt(overrides={"reasoning_effort": "low"}), model="claude-opus-5")
    )
    assert output | {"effort": "low"} == body["output_config"]
    asked = request(tools=tools, tool_choice={"type": "any"})
    for prompt in (Prompt(defaults={"parallel_tool_calls": False}), Prompt(overrides={"parallel_tool_calls": False})):
        single = {"type": "any", "disable_parallel_tool_use": True}
        assert single == body_of(passed(asked, prompt))["tool_choice"]
    assert {"type": "any"} == body_of(passed(asked, Prompt(defaults={"tool_choice": "none"})))["tool_choice"]


def test_a_persona_never_breaks_the_newer_version() -> None:
    """That version refuses any sampling parameter, so a persona's is not sent with it, and the client is told."""
    call = passed(request("2026-10-21"), Prompt(overrides={"temperature": 0.2}))
    assert "temperature" not in body_of(call)
    assert any("temperature" in warning for warning in call.warnings)


def test_a_count_is_asked_with_the_same_words() -> None:
    """Without what is about an answer."""
    count = PassedCount(request(), a_candidate("ai/claude:m", a_model(upstream_name="c")), None)
    assert ("/v1/messages/count_tokens", {"model": "c", "messages": HELLO}) == (count.call.path, body_of(count.call))
    assert b'{ "input_tokens": 7 }' == count.read_answer(200, {}, b'{ "input_tokens": 7 }').body
    for status, body, kind in ((200, b"{}", FailureKind.INVALID_RESPONSE), (429, b"", FailureKind.RATE_LIMITED)):
        failure = count.read_answer(status, {}, body).failure
        assert failure is not None
        assert kind is failure.kind


@streams
def test_a_stream_passes_untouched(path: Path) -> None:
    """Byte for byte, but for empty lines and carriage returns between events; usage is read on the way."""
    data = path.read_bytes()
    out, stream, failure = seen(data)
    assert _events(data) == _events(out)
    assert (True, None) == (stream.finished, failure)
    assert stream.usage is not None


@streams
def test_cut_anywhere_it_passes_the_same(path: Path) -> None:
    """However the pieces fall, and never a piece of an event."""
    data = path.read_bytes()
    whole = seen(data)[0]
    for place in range(len(data) + 1):
        out, stream, _ = seen(data[:place], data[place:])
        assert (whole, True) == (out, stream.finished)


@streams
def test_a_cut_is_not_an_end(path: Path) -> None:
    """A stream without `message_stop` is a failure, wherever it ends, and only whole events went out."""
    data = path.read_bytes()
    for end in range(data.index(b"event: message_stop")):
        out, stream, failure = seen(data[:end])
        assert not stream.finished
        assert failure is not None
        assert out == b"" or out.endswith(b"\n\n")


def test_it_is_held_back_until_an_answer_begins() -> None:
    """As long as there is no word of an answer, another provider can still take over."""
    stream = MessagesStream()
    assert (b"", False, None) == stream.feed(START)
    assert (START + TEXT, True, None) == stream.feed(TEXT)
    assert (TEXT, True, None) == stream.feed(TEXT)
    assert Usage(7, 1) == stream.usage
    assert (DELTA + STOP, True, None) == stream.feed(DELTA + STOP)
    assert (True, Usage(7, 5)) == (stream.finished, stream.usage)


@pytest.mark.parametrize("before", [pytest.param(b"", id="first"), pytest.param(START, id="before a word")])
def test_an_error_before_a_word_is_a_failure_of_its_kind(before: bytes) -> None:
    """Nothing has gone out, so somebody else can be asked."""
    fed = MessagesStream().feed(before + OVERLOADED)
    assert (b"", False) == (fed.out, fed.began)
    assert fed.failure is not None
    assert FailureKind.OVERLOADED is fed.failure.kind


def test_an_error_later_is_told_in_our_words() -> None:
    """What was good goes out before it; the provider's own words do not."""
    fed = MessagesStream().feed(START + TEXT + OVERLOADED + TEXT)
    assert START + TEXT == fed.out
    assert fed.failure is not None
    told = MessagesStream().failed(fed.failure)
    assert b'"type":"overloaded_error"' in told
    assert b"host-7" not in told


def test_text_about_errors_is_text() -> None:
    """A model that writes about this very format disturbs nothing."""
    about = TEXT.replace(b"Hi", rb"event: error\n\"type\":\"message_stop\"")
    out, stream, failure = seen(START + TEXT, about, DELTA, STOP)
    assert (START + TEXT + about + DELTA + STOP, True, None) == (out, stream.finished, failure)


def test_events_without_names_get_them() -> None:
    """SDKs see no event without its name."""
    bare = b"".join(line + b"\n\n" for line in (START + TEXT + TEXT + DELTA + STOP).split(b"\n") if b"data" in line)
    assert START + TEXT + TEXT + DELTA + STOP == seen(bare)[0]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"data: {\n\n", FailureKind.INVALID_RESPONSE, id="no JSON"),
        pytest.param(START + STOP, FailureKind.INVALID_RESPONSE, id="no answer in it"),
        pytest.param(b'{"type":"error","error":{"type":"rate_limit_error"}}', FailureKind.RATE_LIMITED, id="an error"),
        pytest.param(b'{"content":[]}', FailureKind.INVALID_RESPONSE, id="a whole answer"),
        pytest.param(b"<html>", FailureKind.INTERRUPTED, id="HTML"),
        pytest.param(b"", FailureKind.INTERRUPTED, id="nothing"),
        pytest.param(b"event: ping\ndata: {}\n\n" * (MAX_HELD_BYTES // 10), FailureKind.INVALID_RESPONSE, id="pings"),
    ],
)
def test_what_is_no_stream(data: bytes, kind: FailureKind) -> None:
    """Whatever comes in its place is a failure of the right kind."""
    out, _, failure = seen(data)
    assert failure is not None
    assert (b"", kind) == (out, failure.kind)


def test_a_whole_answer_passes_untouched() -> None:
    """Its bytes are the client's; its usage is read."""
    body = b'{ "content": [], "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5} }'
    turn = PassedMessage(request(), a_candidate("ai/claude:m"), None)
    reading = turn.read_answer(200, {}, body)
    assert (body, Usage(7, 5, cached_input=4), None) == (reading.body, reading.usage, reading.failure)
    failure = turn.read_answer(529, {}, OVERLOADED.partition(b"data: ")[2]).failure
    assert failure is not None
    assert (FailureKind.OVERLOADED, 529) == (failure.kind, failure.status)


def _events(data: bytes) -> list[bytes]:
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    return [event for event in lines.split(b"\n\n") if event]
