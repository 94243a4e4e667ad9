"""Bodies that come compressed although nobody asked for it; never more at once than a bound."""

import zlib
from typing import Protocol

_PIECE = 256 * 1024


class Unpacker(Protocol):
    """Takes packed pieces, gives unpacked ones."""

    @property
    def pending(self) -> bool:
        """Whether there is more to give without another piece."""

    def unpack(self, piece: bytes) -> bytes:
        """At most 256 KiB of what `piece`, and what was left of the pieces before, holds.

        Raises:
            ValueError: the pieces are not packed as they should be.
        """


class _Zlib:
    def __init__(self, *, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits=wbits)

    @property
    def pending(self) -> bool:
        return bool(self._stream.unconsumed_tail)

    def unpack(self, piece: bytes) -> bytes:
        if self._stream.eof:
            return b""  # zlib would keep whatever comes after the end
        try:
            return self._stream.decompress(self._stream.unconsumed_tail + piece, _PIECE)
        except zlib.error as error:
            raise ValueError(str(error)) from error


class _Unknown:
    pending = False

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def unpack(self, piece: bytes) -> bytes:  # noqa: ARG002 - whatever it is
        raise ValueError(f"it is packed as {self._encoding[:32]}, which was not asked for")


def unpacker(encoding: str) -> Unpacker | None:
    """What unpacks `encoding`, a Content-Encoding; None where there is nothing to unpack."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return _Zlib(wbits=zlib.MAX_WBITS | 32)  # tells gzip from zlib by itself
        case other:
            return _Unknown(other)
