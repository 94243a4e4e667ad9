"""What a wire format has to do for a mock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from understudy.mock.asks import Call, Chat, Embeddings
from understudy.mock.delivery import Stream
from understudy.mock.failures import Failure
from understudy.mock.replies import Reply


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells two equal answers apart: who gave them, the how-manieth it is, and when (Unix seconds)."""

    name: str
    number: int
    created: int


class Dialect(Protocol):
    """One wire format, without state: reads requests into asks, encodes replies and failures.

    The reading methods raise `RefusedError` for a request they cannot accept.
    """

    stream_type: str
    """The content type of a stream."""

    def __hash__(self) -> int: ...

    def find(self, method: str, path: str) -> Call:
        """Return what a method and a raw path ask for; refused if this wire format has no such path."""
        ...

    def credential(self, headers: Mapping[str, str]) -> str | None:
        """Return the API key that a request came with."""
        ...

    def chat(self, call: Call, body: Any) -> Chat:
        """Read a request for a chat answer."""
        ...

    def embeddings(self, call: Call, body: Any) -> Embeddings:
        """Read a request for vectors."""
        ...

    def headers(self, stamp: Stamp) -> dict[str, str]:
        """Return the response headers that the vendor sends with every answer."""
        ...

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """Encode a reply as one body."""
        ...

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """Encode a reply as events."""
        ...

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """Encode the answer to a request for vectors."""
        ...

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """Encode the list of models."""
        ...

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """Encode what is told about one model."""
        ...

    def error(self, failure: Failure) -> bytes:
        """Encode a failure as a body."""
        ...

    def event(self, content: bytes) -> bytes:
        """Frame `content` as one event of a stream."""
        ...
