"""How a request went, and what came of it: what the exchange gives back to a door."""

from dataclasses import dataclass

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.refusal import Refusal
from understudy_proxy.failure import FailureKind


@dataclass(slots=True)
class Course:
    """The attempts so far, kept while they are made: it is true whenever it is looked at, also when a client leaves."""

    candidate: Candidate | None = None
    """The one that answered, or was tried last."""
    attempts: int = 0
    failovers: int = 0
    reason: FailureKind | None = None
    """Why the one before it was given up."""
    first_token: float | None = None
    """Monotonic; when the answer began."""
    warnings: tuple[str, ...] = ()
    """What of the request the one that answered, or was tried last, has no word for."""


@dataclass(slots=True)
class Whole:
    """A whole answer, in the client's dialect."""

    body: bytes
    usage: Usage | None


class Exhausted(Exception):
    """Nobody answered; `refusal` is what the client is told."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
