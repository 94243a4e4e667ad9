"""Golden transcripts of the Responses API, one file a case in `responses/`.

Each has what a client asks (`asked`), the chat completion which asks the same (`chat`), what some provider answers as
OpenAI says it in a chat (`whole`, and in pieces as `stream`), and what the client gets of it: what a whole `response`
says, and the `events` of a stream, each with what it adds.
"""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.callers.server_sent import events_in
from harness.canonical import decoded
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.openai.decode import read
from understudy_proxy.dialects.openai.decoder import ChunkDecoder
from understudy_proxy.dialects.openai.responses.events import ResponseEncoder
from understudy_proxy.dialects.openai.responses.request import ResponseRequest, read_response
from understudy_proxy.dialects.openai.responses.response import render

CASES = [
    pytest.param(yaml.safe_load(path.read_text()), id=path.stem)
    for path in sorted((Path(__file__).parent / "responses").glob("*.yaml"))
]
case = pytest.mark.parametrize("case", CASES)
_TOLD = ("status", "output", "usage", "incomplete_details")
_ADDED = ("delta", "text", "arguments", "refusal", "output_index", "content_index", "summary_index")
_MADE_UP = re.compile("(msg|rs|fc)_[0-9a-f]{8,}")


def _names() -> Renaming:
    return Renaming(re.compile("[A-Za-z0-9_-]"), 64)


def _asked(case: dict[str, Any]) -> ResponseRequest:
    return read_response(case["asked"], [])


def _settled(said: Any) -> Any:
    """The same without what differs each time."""
    if isinstance(said, dict):
        return {name: _settled(value) for name, value in said.items()}
    if isinstance(said, list):
        return [_settled(value) for value in said]
    return _MADE_UP.sub(r"\1_", said) if isinstance(said, str) else said


@case
def test_a_request_is_a_chat_that_asks_the_same(case: dict[str, Any]) -> None:
    """Items are messages, and tools and formats stand where a chat has them."""
    assert case["chat"] == _asked(case).body


@case
def test_a_whole_response(case: dict[str, Any]) -> None:
    """What was said is items, in order."""
    answer = read(200, {}, orjson.dumps(case["whole"]), names=_names(), call_id=lambda: "call_0")
    assert isinstance(answer, Answer)
    response = orjson.loads(render(answer, _asked(case)))
    assert case["response"] == _settled({name: response[name] for name in _TOLD})


@case
def test_a_streamed_response(case: dict[str, Any]) -> None:
    """Each event with its number and what it adds; at the end all of it is told again, as a whole response has it."""
    pieces = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in case["stream"]]
    encoder = ResponseEncoder(_asked(case))
    told = encoder.encode(decoded(ChunkDecoder(_names(), call_id=lambda: "call_0"), *pieces, b"data: [DONE]\n\n"))
    events = [(name, orjson.loads(data)) for name, data in events_in(told)]
    assert list(range(len(events))) == [event["sequence_number"] for _, event in events]
    added = [{name: {field: event[field] for field in _ADDED if field in event}} for name, event in events]
    assert case["events"] == _settled(added)
    last = events[-1][1]["response"]
    assert case["response"] == _settled({name: last[name] for name in _TOLD})
