"""Server-sent events, cut out of a byte stream whole."""


class EventTooLarge(Exception):
    """An event grew beyond the bound without an end."""


class EventSplitter:
    """Cuts chunks, however they fall, into whole events."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that `chunk` completes, each with its terminator.

        Raises:
            EventTooLarge: what is kept for the next chunk exceeds the bound.
        """
        raise NotImplementedError
