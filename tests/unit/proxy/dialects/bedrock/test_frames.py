"""AWS's event stream encoding, as it is cut out of bytes that fall anywhere."""

import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.dialects.event_stream import event
from understudy_proxy.dialects.bedrock.frames import MAX_FRAME_BYTES, BadFrame, Frames

FIRST = event("messageStart", b'{"role":"assistant"}')
TWO = FIRST + event("messageStop", b'{"stopReason":"end_turn"}')


def payloads(*chunks: bytes) -> list[bytes]:
    """What comes in these chunks."""
    frames = Frames()
    return [frame.payload for chunk in chunks for frame in frames.feed(chunk)]


def test_a_frame() -> None:
    """Headers by name, and the payload as it is."""
    (frame,) = Frames().feed(event("messageStop", b'{"stopReason":"end_turn"}'))
    assert b'{"stopReason":"end_turn"}' == frame.payload
    assert {
        ":event-type": "messageStop",
        ":content-type": "application/json",
        ":message-type": "event",
    } == frame.headers


def test_cut_anywhere() -> None:
    """Wherever the bytes are cut, and one by one, the frames are the same."""
    whole = payloads(TWO)
    assert 2 == len(whole)
    for place in range(len(TWO) + 1):
        assert whole == payloads(TWO[:place], TWO[place:])
    assert whole == payloads(*(TWO[place : place + 1] for place in range(len(TWO))))


def test_inside_of_a_frame() -> None:
    """Whether a frame is broken off is known wherever that happens."""
    for place in range(len(TWO) + 1):
        frames = Frames()
        frames.feed(TWO[:place])
        assert (place in {0, len(FIRST), len(TWO)}) is not frames.inside


@pytest.mark.parametrize("place", range(len(TWO)))
def test_one_changed_bit(place: int) -> None:
    """Each byte is covered by a checksum: nothing that was changed on its way is taken for an answer."""
    changed = bytearray(TWO)
    changed[place] ^= 0x10
    frames = Frames()
    try:
        read = [frame.payload for frame in frames.feed(bytes(changed))]
    except BadFrame:
        return
    # What is left waits for a longer frame that never comes.
    assert read in ([], payloads(TWO)[:1])
    assert frames.inside


def test_a_bad_checksum_of_the_prelude_is_not_waited_for() -> None:
    """Twelve bytes are enough to know."""
    with pytest.raises(BadFrame):
        Frames().feed(b"\x00\x00\x00\x84\x00\x00\x00\x51\x00\x00\x00\x00")


@pytest.mark.parametrize(
    ("total", "headers"),
    [
        pytest.param(MAX_FRAME_BYTES + 1, 0, id="too long"),
        pytest.param(0, 0, id="nothing"),
        pytest.param(15, 0, id="shorter than what is around a frame"),
        pytest.param(100, 85, id="headers that do not fit in"),
    ],
)
def test_lengths_that_cannot_be(total: int, headers: int) -> None:
    """A right checksum makes no wrong length right."""
    prelude = struct.pack(">II", total, headers)
    with pytest.raises(BadFrame):
        Frames().feed(prelude + struct.pack(">I", crc32(prelude)))


@given(st.lists(st.binary(max_size=64)), st.binary(max_size=40))
def test_garbage(chunks: list[bytes], headers: bytes) -> None:
    """Whatever comes, it is frames or a bad one; also where only the headers are garbage."""
    prelude = struct.pack(">II", len(headers) + 16, len(headers))
    checked = prelude + struct.pack(">I", crc32(prelude)) + headers
    for sent in (chunks, [checked + struct.pack(">I", crc32(checked))]):
        frames = Frames()
        try:
            for chunk in sent:
                frames.feed(chunk)
        except BadFrame:
            continue
