"""How a client's request is put to one provider, and what comes back turned into the client's words.

This is all that the exchange sees of dialects: bytes for the provider, bytes for the client, and what they mean for
failover and metering. Behind it is either pass-through, where both sides speak the same dialect, or a translation
through the canonical form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.places import Agent


@dataclass(slots=True)
class Call:
    """What is sent to a provider."""

    path: str
    """Below the upstream's base URL, with a leading slash, percent-encoded, with a query if the dialect wants one."""
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Beside the upstream's own; names are lower case."""
    warnings: tuple[str, ...] = ()
    """What of the request this provider's dialect has no word for: sentences for the client, a header carries them."""
    calling: Callable[[Agent], bytes] | None = None
    """The body for an agent of a mesh, in the place of `body`: each calls its functions as it likes."""
    may_come_whole: bool = False
    """The answer may be one JSON object also where a stream was asked for, and the reader of the stream reads it."""


@dataclass(slots=True)
class Reading:
    """What a whole answer turned out to be: a failure, or an answer in the client's dialect."""

    failure: UpstreamFailure | None
    usage: Usage | None = None
    body: bytes = b""


class Fed(NamedTuple):
    """What became of some bytes of a stream."""

    out: bytes
    """To be sent on now; empty until the answer has begun."""
    began: bool
    """The answer has begun, with these bytes or earlier."""
    failure: UpstreamFailure | None
    """The stream failed; `out` is what was good before. Feed nothing more."""


class Flow(Protocol):
    """A provider's stream on its way to the client."""

    @property
    def finished(self) -> bool:
        """The terminal event was seen; nothing after it matters."""

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far."""

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream, however they are cut."""

    def close(self) -> Fed:
        """The stream has ended by itself, or broke: what is left to send, or the failure that it was cut."""

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client, within its stream, that the answer is not complete."""


class Interpretation(Protocol):
    """One request put to one provider."""

    @property
    def call(self) -> Call:
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a response that is not a stream says. Header names are lower case."""

    def flow(self) -> Flow:
        """The reader of a stream that answers it."""


class Operation(Protocol):
    """What a client wants, in its dialect: chat in OpenAI's, embeddings in Gemini's, ..."""

    @property
    def name(self) -> str:
        """`gen_ai.operation.name` of the OpenTelemetry conventions."""

    @property
    def stream_type(self) -> str:
        """The content type of a stream of answers."""

    def interpret(self, asked: "Asked", candidate: Candidate, prompt: Prompt | None) -> Interpretation:
        """Put `asked` to `candidate`, with what a persona adds.

        Raises:
            RequestError: the request is wrong.
            Unsupported: it cannot be said in the candidate's dialect.
        """


@runtime_checkable
class ResumableOperation(Protocol):
    """An operation whose interrupted streams another backend can go on with."""

    def resumable(self, asked: "Asked", candidate: Candidate, prompt: Prompt | None) -> Interpretation:
        """As `Operation.interpret`, so that it can be gone on with."""

    def resume(
        self, asked: "Asked", candidate: Candidate, prompt: Prompt | None, *, after: Flow
    ) -> Interpretation | None:
        """Put to `candidate` what is left of the answer that `after`, of a `resumable` one, broke off in.

        None: nobody can go on with what was said so far.
        """


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Asked:
    """A client's request, read as far as routing needs it; dialects add what they need of it."""

    body: dict[str, Any] = field(repr=False)
    """The parsed body. Never changed: attempts share it."""
    model: str
    need: Need
    stream: bool = False
    goes_on: bool = False
    """The conversation began before: results of tools may answer calls that are not in it."""
