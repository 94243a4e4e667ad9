"""AWS's event stream encoding, cut out of a byte stream frame by frame.

The frames are checked and read by AWS's own library. It gets each of them whole, because it copies all that it holds
with every piece it is given; how long a frame is, and that it is not too long, is seen here. The library is imported
with the first stream, see `Frames`.

https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

import importlib
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

MAX_FRAME_BYTES = 24 * 1024 * 1024
"""What the library takes, as the encoding has it."""
_PRELUDE_BYTES = 12
_AROUND_BYTES = 16
"""Prelude and checksum: a frame without headers and payload."""


class BadFrame(Exception):
    """What came is no frame, or was changed on its way."""


class NoLibrary(Exception):
    """The library is not installed."""


class Frame(NamedTuple):
    """One message."""

    headers: Mapping[str, Any]
    payload: bytes


class Frames:
    """Cuts chunks, however they fall, into whole frames.

    Raises:
        NoLibrary: frames cannot be read here.
    """

    __slots__ = ("_buffer", "_errors", "_held", "_missing", "_pieces")

    def __init__(self) -> None:
        make, self._errors = _library()
        self._buffer = make()
        self._pieces: list[bytes] = []
        """What has come and the library has not got."""
        self._held = 0
        self._missing: int | None = None
        """Bytes of the frame whose prelude the library has; None between two frames."""

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and is not whole."""
        return self._held > 0 or self._missing is not None

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes.

        Raises:
            BadFrame: there is none; feed nothing more.
        """
        self._pieces.append(chunk)
        self._held += len(chunk)
        frames: list[Frame] = []
        while self._held >= (_PRELUDE_BYTES if self._missing is None else self._missing):
            try:
                self._advance(frames)
            except self._errors as error:
                raise BadFrame(str(error)) from None
        return frames

    def _advance(self, frames: list[Frame]) -> None:
        """Hand over the prelude or the rest of a frame."""
        if self._missing is None:
            prelude = self._take(_PRELUDE_BYTES)
            length, headers = struct.unpack(">II", prelude[:8])
            if not headers + _AROUND_BYTES <= length <= MAX_FRAME_BYTES:
                raise BadFrame(f"a frame of {length} bytes with {headers} of headers")
            self._buffer.add_data(prelude)
            self._missing = length - _PRELUDE_BYTES
            # Nothing comes of it yet, but its checksum is looked at before the rest is waited for.
            next(self._buffer, None)
        else:
            self._buffer.add_data(self._take(self._missing))
            self._missing = None
            message = next(self._buffer)
            frames.append(Frame(message.headers, message.payload))

    def _take(self, size: int) -> bytes:
        data = b"".join(self._pieces)
        rest = data[size:]
        self._pieces = [rest] if rest else []
        self._held = len(rest)
        return data[:size]


@lru_cache(maxsize=1)
def _library() -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    """What makes a buffer, and what it raises for bytes that are no frame."""
    try:
        stream = importlib.import_module("botocore.eventstream")
    except ImportError as error:
        raise NoLibrary from error
    return stream.EventStreamBuffer, (stream.ParserError, struct.error, ValueError, KeyError, StopIteration)
