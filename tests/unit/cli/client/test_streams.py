"""Pieces of an answer, put together; and what there is of it when it breaks off."""

import json
from typing import Any

import pytest

from understudy import Interrupted, ToolCall, Usage
from understudy.client._streams import Fold

HEADERS = {"x-understudy-provider": "default/main", "x-understudy-attempts": "2", "x-request-id": "abc"}


def piece(finish: str | None = None, **delta: Any) -> str:
    """An event's data."""
    return json.dumps({"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def call(index: Any, *, arguments: str = "", **said: str) -> dict[str, Any]:
    """A piece of a tool call."""
    name = said.pop("name", None)
    return {"index": index, **said, "function": {**({"name": name} if name else {}), "arguments": arguments}}


def test_an_answer_is_put_together() -> None:
    """Text, thoughts, the end, and the usage that comes after it."""
    fold = Fold(HEADERS)
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}
    events = [
        piece(role="assistant", reasoning_content="hm"), piece(content="Hel"), piece(content="lo"), piece("stop"),
        json.dumps({"choices": [], "usage": usage}),
    ]  # fmt: skip
    chunks = [chunk for event in events if (chunk := fold.add(event))]
    assert [chunk.text for chunk in chunks] == ["", "Hel", "lo", ""]
    fold.end()
    result = fold.result()
    assert (result.text, result.reasoning, result.finish_reason) == ("Hello", "hm", "stop")
    assert result.usage == Usage(input_tokens=3, output_tokens=2, cached_input_tokens=1)
    assert (result.provider, result.attempts, result.request_id, result.model) == ("default/main", 2, "abc", "m")


def test_calls_are_put_together() -> None:
    """By their index, whoever repeats a name or an id."""
    fold = Fold({})
    fold.add(piece(tool_calls=[call(0, id="a", name="f", arguments='{"x"')]))
    fold.add(piece(tool_calls=[call(1, id="b", name="g", arguments="{}")]))
    fold.add(piece("tool_calls", tool_calls=[call(0, id="a", name="f", arguments=": 1}")]))
    assert fold.result().tool_calls == (ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "g", "{}"))
    assert fold.result().tool_calls[0].parsed() == {"x": 1}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param('{"error": {"message": "It broke.", "code": "stream_interrupted"}}', "It broke.", id="an error"),
        pytest.param('{"error": "text"}', "text", id="an error in a word"),
        pytest.param('{"choices": [', "not JSON", id="half an event"),
        pytest.param("[" * 100_000, "not JSON", id="a nest"),
        pytest.param("[1]", "no JSON object", id="something else"),
        pytest.param(piece(tool_calls=[call(10**9)]), "cannot be one", id="an index beyond reason"),
        pytest.param(piece(tool_calls=["x"]), "cannot be one", id="no call"),
    ],
)
def test_what_breaks_an_answer_off(event: str, said: str) -> None:
    """The error holds what was said until then, and no end is made up."""
    fold = Fold(HEADERS)
    fold.add(piece(content="Once upon"))
    with pytest.raises(Interrupted, match=said) as raised:
        fold.add(event)
    assert raised.value.so_far is not None
    assert (raised.value.so_far.text, raised.value.so_far.finish_reason) == ("Once upon", None)
    assert (raised.value.request_id, raised.value.facts.provider) == ("abc", "default/main")


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([piece(content="a")], False, id="no end"),
        pytest.param([piece(content="a"), piece("stop")], True, id="a finish reason"),
        pytest.param([piece(content="a"), "[DONE]"], True, id="the word for it"),
    ],
)
def test_when_an_answer_is_whole(events: list[str], whole: bool) -> None:
    """A stream that just ends is broken off."""
    fold = Fold({})
    for event in events:
        fold.add(event)
    if whole:
        fold.end()
    else:
        with pytest.raises(Interrupted, match="ended before the answer did: reset"):
            fold.end(ConnectionError("reset"))


@pytest.mark.parametrize(
    "event",
    [
        pytest.param('{"choices": null}', id="no choices"),
        pytest.param('{"choices": [{"index": 1, "delta": {"content": "b"}}]}', id="a second choice"),
        pytest.param('{"choices": [{"delta": null}]}', id="no delta"),
        pytest.param('{"choices": [{"delta": {"content": 5, "tool_calls": 5}}]}', id="numbers"),
        pytest.param('{"choices": ["x"], "usage": 5, "model": 5}', id="words"),
        pytest.param('{"error": null, "choices": []}', id="no error"),
    ],
)
def test_odd_pieces_add_nothing(event: str) -> None:
    """Whatever a provider adds or leaves out, an answer goes on."""
    fold = Fold({})
    fold.add(piece(content="a"))
    fold.add(event)
    assert fold.result().text == "a"
