"""How long an attempt waits, and for what."""

from collections.abc import Callable
from dataclasses import dataclass

from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure

GRAIN_SECONDS = 0.01
"""Timers of event loops are a few milliseconds off; less than this is no time left."""


@dataclass(slots=True)
class Patience:
    """The ends of an attempt's waiting. All times are monotonic seconds."""

    now: Callable[[], float]
    started: float
    deadline: float
    """The end of the attempt, however well it goes."""
    first_token_seconds: float | None
    """How long somebody else's turn is put off by silence; None when nobody else could step in."""
    idle_seconds: float
    """Between two pieces of a stream that has begun."""

    def until_answer(self) -> float:
        """Seconds left for a whole answer."""
        return self.deadline - self.now()

    def until_first_token(self) -> float:
        """Seconds left for a stream to begin."""
        left = self.deadline
        if self.first_token_seconds is not None:
            left = min(left, self.started + self.first_token_seconds)
        return left - self.now()

    def until_next(self) -> float:
        """Seconds left for the next piece of a stream."""
        return min(self.idle_seconds, self.deadline - self.now())

    def spent(self, *, begun: bool, stream: bool) -> UpstreamError:
        """What it means that the waiting ended now."""
        if self.deadline - self.now() < GRAIN_SECONDS:
            seconds = self.deadline - self.started
            return _timeout(FailureKind.REQUEST_TIMEOUT, f"no complete answer within {seconds:.3g} s")
        if begun:
            return _timeout(FailureKind.STREAM_IDLE, f"the stream was silent for {self.idle_seconds:g} s")
        if stream and self.first_token_seconds is not None:
            return _timeout(FailureKind.FIRST_TOKEN_TIMEOUT, f"no first token within {self.first_token_seconds:g} s")
        return _timeout(FailureKind.REQUEST_TIMEOUT, "no answer in time")


def _timeout(kind: FailureKind, message: str) -> UpstreamError:
    return UpstreamError(UpstreamFailure(kind, message))
