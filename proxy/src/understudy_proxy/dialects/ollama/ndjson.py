"""JSON objects, one a line, cut out of a byte stream whole. Nothing here looks into them."""

MAX_LINE_BYTES = 8 * 1024 * 1024
"""What a line may grow to: a bound for a stream without line ends."""


class LineTooLarge(Exception):
    """A line grew beyond the bound without an end."""


class LineSplitter:
    """Cuts chunks, however they fall, into whole lines."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, stripped; never an empty one.

        Raises:
            LineTooLarge: what is kept for the next chunk exceeds the bound.
        """
        *lines, last = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._pieces, lines[0]])
            self._pieces, self._size = [], 0
        self._pieces.append(last)
        self._size += len(last)
        if self._size > MAX_LINE_BYTES:
            raise LineTooLarge
        return [line for raw in lines if (line := raw.strip())]

    def rest(self) -> bytes:
        """All that has come of a line whose end has not, stripped."""
        return b"".join(self._pieces).strip()
