"""Events cut out of a byte stream."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy_proxy.dialects import sse
from understudy_proxy.dialects.sse import Event, EventSplitter, EventTooLarge, parse


def _split(*chunks: bytes) -> list[bytes]:
    splitter = EventSplitter()
    return [event for chunk in chunks for event in splitter.feed(chunk)]


def _by_lines(data: bytes) -> list[Event]:
    """The standard's own algorithm, line by line: what the events of a whole stream are."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines = re.split(rb"\r\n|\n|\r", data)
    lines.pop()  # a line without an end is no line yet
    events, seen = [], list[bytes]()
    for line in lines:
        if line:
            seen.append(line)
        elif seen:
            events.append(parse(b"\n".join(seen)))
            seen = []
    return events


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([b"data: a", b"data:b", b"event: e", b": c", b"\r", b"\n", b"\r\n"]), max_size=24))
def test_events_are_those_of_the_standard(pieces: list[bytes]) -> None:
    """Whatever the line ends, mixed ones too, events are what the standard's algorithm finds."""
    data = b"".join(pieces)
    assert [parse(event) for event in _split(data)] == _by_lines(data)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab:\r\n\ufeff", max_size=30), st.lists(st.integers(0, 60), max_size=10))
def test_chunks_may_fall_anywhere(text: str, cuts: list[int]) -> None:
    """Splitting the bytes elsewhere, between CR and LF or inside a character, changes no event."""
    data = text.encode()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert _split(*pieces) == _split(data)


@pytest.mark.parametrize(
    ("event", "parsed"),
    [
        pytest.param(b"data: x", Event(b"", b"x"), id="with a space"),
        pytest.param(b"data:x", Event(b"", b"x"), id="without"),
        pytest.param(b"data:  x", Event(b"", b" x"), id="one space is taken off"),
        pytest.param(b"data: a\ndata: b", Event(b"", b"a\nb"), id="several lines"),
        pytest.param(b"data: a\r\ndata\r\ndata:b", Event(b"", b"a\n\nb"), id="an empty line of data"),
        pytest.param(b"event: error\ndata: x", Event(b"error", b"x"), id="a name"),
        pytest.param(b": c\nid: 1\nretry: 2\ndata: x", Event(b"", b"x"), id="other fields"),
        pytest.param(b": data: x", Event(b"", None), id="a comment"),
        pytest.param(b"database: x", Event(b"", None), id="another field"),
        pytest.param(b"data", Event(b"", b""), id="a bare field"),
    ],
)
def test_fields(event: bytes, parsed: Event) -> None:
    """Only name and data of an event matter."""
    assert parse(event) == parsed


def test_an_event_is_bounded() -> None:
    """Bytes without an end are not kept for ever; events up to the bound pass."""
    splitter = EventSplitter()
    large = b"data: " + b"x" * (sse.MAX_EVENT_BYTES - 10)
    assert splitter.feed(large) == []
    assert splitter.feed(b"\n\n") == [large]
    with pytest.raises(EventTooLarge):
        splitter.feed(large + b"x" * 20)


def test_a_long_event_in_small_pieces_is_one_event() -> None:
    """An image in many small pieces, or an attack: it takes a moment, and not minutes for looking through it anew."""
    splitter = EventSplitter()
    line = b"data: " + b"x" * 199 + b"\n"
    count = (sse.MAX_EVENT_BYTES - 1) // len(line)
    assert [splitter.feed(line) for _ in range(count)] == [[]] * count
    assert splitter.feed(b"\ndata: y\n\n") == [(line * count)[:-1], b"data: y"]
