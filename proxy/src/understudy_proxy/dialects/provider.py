"""What the provider side of a dialect does: canonical requests to its bytes, its bytes to canonical answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.failure import UpstreamFailure

Result_co = TypeVar("Result_co", covariant=True)


class Turn(Protocol[Result_co]):
    """One request to one provider. It may remember what reading the answer takes, such as names it had to change."""

    @property
    def call(self) -> Call:
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Result_co | UpstreamFailure:
        """What a response that is not a stream says, be it with an error status or with an error under 200."""


class Decoder(Protocol):
    """A stream's bytes to events."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes, wherever it is cut; `Failed` is the last of all."""

    def close(self) -> list[Event]:
        """What can still be said when nothing more comes; `Ended` only if the answer is whole all the same."""


class ChatTurn(Turn[Answer], Protocol):
    """A turn whose answer may come as a stream."""

    def decoder(self) -> Decoder:
        """A reader of the stream that answers it."""


@dataclass(frozen=True, slots=True)
class ProviderDialect:
    """A dialect of providers. Each function raises `Unsupported` for what the dialect cannot say."""

    chat: Callable[[Chat, Candidate], ChatTurn]
    embed: Callable[[Embedding, Candidate], Turn[Vectors]] | None = None
    """None: no embeddings in this dialect."""
    count: Callable[[Chat, Candidate], Turn[int]] | None = None
    """Tokens of a request; None: the dialect has no way to ask."""
