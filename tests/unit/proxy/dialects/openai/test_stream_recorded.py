"""Streams of providers and servers as they send them, cut, split and damaged.

`streams/` holds them (`NAME.sse`) and what they say (`NAME.json`).
"""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.streams import DONE, ROLE, STOP, client_sees, streamed, text_in
from understudy_proxy.dialects.usage import Usage

STREAMS = sorted((Path(__file__).parent / "streams").glob("*.sse"))


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


@recorded
def test_a_whole_stream_arrives_whole(stream: Recorded) -> None:
    """Whoever sent it: all of the text arrives in whole events, usage is read, and the end is an end."""
    seen = streamed(stream.data, choices=stream.choices)
    assert (seen.began, seen.finished, seen.failure, seen.usage) == (True, True, None, stream.usage)
    assert text_in(seen.out) == stream.text
    assert seen.out.endswith(DONE)
    assert seen.out.count(DONE) == 1


@recorded
def test_cut_at_every_byte(stream: Recorded) -> None:
    """Wherever a stream is cut, it is whole or a failure, never a silent success, and only whole events went out."""
    for end in range(len(stream.data)):
        seen = streamed(stream.data[:end], choices=stream.choices)
        assert seen.finished is (seen.failure is None)
        if seen.finished:
            assert text_in(seen.out) == stream.text
            assert seen.out.endswith(DONE)
        else:
            assert stream.text.startswith(text_in(seen.out))
            assert DONE not in seen.out


@recorded
def test_split_at_every_byte(stream: Recorded) -> None:
    """Where chunks of the network begin and end changes nothing of what goes out."""
    whole = streamed(stream.data, choices=stream.choices)
    assert streamed(*(bytes((byte,)) for byte in stream.data), choices=stream.choices) == whole
    for at in range(1, len(stream.data)):
        assert streamed(stream.data[:at], stream.data[at:], choices=stream.choices) == whole


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(RECORDED), st.lists(st.integers(0, 8000), max_size=30), st.booleans())
def test_split_anywhere(stream: Recorded, cuts: list[int], include_usage: bool) -> None:
    """Nor do many splits at once, with or without the usage chunk."""
    whole = streamed(stream.data, include_usage=include_usage, choices=stream.choices)
    edges = [0, *sorted(cut % (len(stream.data) + 1) for cut in cuts), len(stream.data)]
    pieces = [stream.data[start:end] for start, end in itertools.pairwise(edges)]
    assert streamed(*pieces, include_usage=include_usage, choices=stream.choices) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.booleans())
def test_any_text_passes_untouched(texts: list[str], from_python: bool) -> None:
    """Whatever the model says, words that look like the protocol's own among it, arrives as it was sent."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    dumps = json.dumps if from_python else lambda chunk: orjson.dumps(chunk).decode()
    sent = b"".join(b"data: " + dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    seen = client_sees(ROLE, sent, STOP, DONE)
    assert seen.out == ROLE + sent + STOP + DONE


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_borne(chunks: list[bytes]) -> None:
    """No bytes raise, and bytes that are no stream end in a failure."""
    seen = streamed(*chunks)
    assert seen.finished is (seen.failure is None)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(RECORDED), st.data())
def test_damaged_streams_are_borne(stream: Recorded, data: st.DataObject) -> None:
    """A stream with some bytes changed never raises, and is whole or a failure."""
    damaged = bytearray(stream.data)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    seen = streamed(bytes(damaged), choices=stream.choices)
    assert seen.finished is (seen.failure is None)
