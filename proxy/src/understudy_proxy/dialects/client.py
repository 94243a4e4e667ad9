"""What the client side of a dialect does: its requests to canonical ones, canonical answers to its bytes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.interpretation import Asked, Interpretation
from understudy_proxy.failure import UpstreamFailure

AskedT = TypeVar("AskedT", bound=Asked)


class Encoder(Protocol):
    """Events to a client's stream."""

    def encode(self, events: Sequence[Event]) -> bytes:
        """What to send for these; the opening of the stream comes with the first that need it, its end with `Ended`.

        `Failed` is never among them.
        """

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete; the end of the stream is not sent after it."""


Passing = Callable[[AskedT, Candidate, Prompt | None], Interpretation]
"""Pass-through to a provider of the client's own dialect."""


@dataclass(frozen=True, slots=True)
class ChatClient(Generic[AskedT]):
    """A client's dialect of asking for an answer."""

    stream_type: str
    """The content type of its streams."""
    chat: Callable[[AskedT], Chat]
    """The request in canonical form; raises `RequestError` for what is wrong with it."""
    answer: Callable[[Answer, AskedT], bytes]
    """The body of a whole answer."""
    encoder: Callable[[AskedT], Encoder]
    passing: Mapping[Dialect, Passing[AskedT]]
    """Where nothing needs to be translated."""
