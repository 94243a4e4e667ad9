"""Compressed bodies: whatever they hold, what is kept of them is bounded."""

import gzip
import tracemalloc

import pytest

from understudy_proxy.exchange.http.unpack import Unpacker, unpacker

MIB = 1024 * 1024


def _gzip() -> Unpacker:
    made = unpacker("gzip")
    assert made is not None
    return made


def test_unpacks_a_bomb_a_piece_at_a_time() -> None:
    """However much a few bytes stand for, little of it is in memory at once."""
    packed = gzip.compress(b"a" * (16 * MIB))
    stream = _gzip()
    size = len(stream.unpack(packed))
    largest = size
    while stream.pending:
        piece = stream.unpack(b"")
        size += len(piece)
        largest = max(largest, len(piece))
    assert (size, largest) == (16 * MIB, 256 * 1024)


def test_what_follows_the_end_is_dropped() -> None:
    """An upstream that goes on after the end fills no memory."""
    stream = _gzip()
    assert stream.unpack(gzip.compress(b"hello")) == b"hello"
    garbage = b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(64):
            assert stream.unpack(garbage) == b""
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MIB


def test_what_is_not_packed_is_an_error() -> None:
    """Bytes that are no gzip are said to be none."""
    with pytest.raises(ValueError, match="incorrect header"):
        _gzip().unpack(b"hello")
