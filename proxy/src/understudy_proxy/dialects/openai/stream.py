"""A provider's event stream on its way to the client: whole events, cheaply, and never a cut taken for an end."""

from typing import NamedTuple

from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure


class Fed(NamedTuple):
    """What became of some bytes."""

    out: bytes
    """To be sent on now; empty until the answer has begun."""
    began: bool
    """The answer has begun, with these bytes or earlier."""
    failure: UpstreamFailure | None
    """The stream failed; `out` is what was good before. Feed nothing more."""


class ChatStream:
    """One stream."""

    def __init__(self, *, include_usage: bool, choices: int = 1) -> None:
        self.finished = False
        """The terminal event was seen; nothing after it matters."""
        self.usage: Usage | None = None

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        raise NotImplementedError

    def close(self) -> Fed:
        """The stream has ended by itself: what is left to send, or the failure that it was cut."""
        raise NotImplementedError
