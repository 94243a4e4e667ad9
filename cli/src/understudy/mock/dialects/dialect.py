"""What a wire format has to do for a mock."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from understudy.mock.asks import Call, Chat, Embeddings
from understudy.mock.delivery import Stream
from understudy.mock.failures import Failure, FailureKind, RefusedError
from understudy.mock.replies import Reply

SSE = "text/event-stream; charset=utf-8"
"""The content type of server-sent events."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells two equal answers apart: who gave them, the how-manieth it is, and when (Unix seconds)."""

    name: str
    number: int
    created: int


class Head:
    """A request without its body.

    Attributes:
        method: The HTTP method.
        path: The path as it was on the wire, without the query.
        headers: Found in any case.
    """

    def __init__(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        self.method = method
        self.path, _, self._query = target.partition("?")
        self.headers = headers

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query; of those that come twice, the last."""
        return dict(parse_qsl(self._query, keep_blank_values=True)) if self._query else {}


class Dialect(ABC):
    """One form of request and answer, without state: reads requests into asks, encodes replies and failures.

    The reading methods raise `RefusedError` for a request they cannot accept. The methods for an operation that
    `find` never returns need not be there.
    """

    words: Mapping[FailureKind, str] = {}
    """The vendor's messages for scripted failures, where they are not OpenAI's. `{model}` stands for the model."""

    @abstractmethod
    def find(self, head: Head) -> Call | None:
        """Return what a request asks for; None if its path belongs to another form, refused if its method does."""

    def unknown(self, head: Head) -> Failure:
        """Return the refusal of a path that no form knows."""
        return Failure(FailureKind.PATH_NOT_FOUND, 404, f"There is no {head.method} {head.path}.")

    @abstractmethod
    def credential(self, head: Head) -> str | None:
        """Return the API key that a request came with."""

    def bad_key(self, given: str | None) -> Failure:
        """Return the refusal of a request that came with the wrong key, or none."""
        message = f"Incorrect API key provided: ***{given[-4:]}." if given else "You didn't provide an API key."
        return Failure(FailureKind.BAD_KEY, 401, message)

    def model_of(self, call: Call, body: Any) -> str:  # noqa: ARG002 - others have it in the body
        """Return the model that a request about one model names."""
        return call.model

    def chat(self, call: Call, body: Any) -> Chat:
        """Read a request for a chat answer, or for its size."""
        raise NotImplementedError

    def embeddings(self, call: Call, body: Any) -> Embeddings:
        """Read a request for vectors."""
        raise NotImplementedError

    @abstractmethod
    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:
        """Return the response headers that the vendor sends with every answer; no call: one that was not found."""

    def stream_type(self, call: Call) -> str:  # noqa: ARG002 - others have several
        """Return the content type of a stream."""
        return SSE

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """Encode a reply as one body."""
        raise NotImplementedError

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """Encode a reply as events."""
        raise NotImplementedError

    def size(self, chat: Chat) -> bytes:
        """Encode how many tokens a request has."""
        raise NotImplementedError

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """Encode the answer to a request for vectors."""
        raise NotImplementedError

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """Encode the list of models."""
        raise NotImplementedError

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """Encode what is told about one model."""
        raise NotImplementedError

    def about(self, call: Call, models: Sequence[str], stamp: Stamp) -> bytes:
        """Encode what else the server tells of itself."""
        raise NotImplementedError

    @abstractmethod
    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:
        """Encode a failure as a body."""

    def error_headers(self, failure: Failure) -> dict[str, str]:
        """Return the headers that a failure adds to the usual ones."""
        return dict(failure.retry)

    def error_within(self, call: Call, failure: Failure, stamp: Stamp) -> bytes:
        """Encode a failure that comes under status 200, where an answer would be. Default: as any other."""
        return self.error(call, failure, stamp)

    def error_event(self, call: Call, failure: Failure, stamp: Stamp, *, first: bool) -> bytes:
        """Encode a failure as the event that ends a stream, which may be its first."""
        return self.event(call, self.error_within(call, failure, stamp), first=first)

    def event(self, call: Call, content: bytes, *, first: bool) -> bytes:  # noqa: ARG002 - others need to know
        """Frame `content` as one event of a stream. Default: a server-sent event of data alone."""
        return b"data: %b\n\n" % content


def check_method(head: Head, allowed: str) -> None:
    """Refuse every method but `allowed`."""
    if head.method != allowed:
        message = f"Not allowed to {head.method} on {head.path} (use {allowed})."
        raise RefusedError(Failure(FailureKind.WRONG_METHOD, 405, message))


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the token of `Authorization: Bearer`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
