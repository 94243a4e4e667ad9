"""What is known of endpoints: who is ejected or cooling down and until when, how busy and how fast they are.

The one mutable thing in routing. It is keyed by strings, so it survives a new configuration; it does no I/O and has no
clock: every method takes `now`, in monotonic seconds.
"""

from dataclasses import dataclass
from enum import StrEnum

from understudy_api.config import HealthPolicy


class HealthEffect(StrEnum):
    """What a failure says about the endpoint it happened at."""

    NONE = "none"
    SOFT = "soft"
    """Counts half."""
    COUNT = "count"
    """Counts towards ejection."""
    EJECT = "eject"
    """Ejects at once."""
    COOL_DOWN = "cool_down"
    """The model at this endpoint rests for the time the provider asked for."""
    COOL_DOWN_LONG = "cool_down_long"
    """The whole endpoint rests: money or quota is used up."""
    MODEL_MISSING = "model_missing"
    """Ejects the model at this endpoint only."""


class Standing(StrEnum):
    """Whether an endpoint may be asked."""

    READY = "ready"
    TRIAL = "trial"
    """Its ejection is over: the next request decides."""
    EJECTED = "ejected"
    COOLING = "cooling"


@dataclass(frozen=True, slots=True)
class Health:
    """The standing of an endpoint for a model. `until` is monotonic; None when there is nothing to wait for."""

    standing: Standing
    until: float | None = None


@dataclass(frozen=True, slots=True)
class HealthChange:
    """Something telemetry tells: an endpoint (or a model there) went out or came back."""

    endpoint: str
    model: str | None
    standing: Standing
    until: float | None


class HealthBoard:
    """The health of all endpoints."""

    def standing(self, endpoint: str, model: str, *, now: float) -> Health:
        """Whether `model` at `endpoint` may be asked."""
        raise NotImplementedError

    def start(self, endpoint: str, *, now: float) -> None:
        """An attempt begins: one more in flight. After an ejection this is the trial. `finish` ends it."""

    def finish(self, endpoint: str) -> None:
        """The attempt that `start` began is over, however it went."""

    def succeeded(
        self, endpoint: str, model: str, *, now: float, seconds: float | None = None, stream: bool = False
    ) -> HealthChange | None:
        """It answers: call it when a stream begins or a whole answer is there, `seconds` after the attempt began."""
        raise NotImplementedError

    def failed(
        self,
        endpoint: str,
        model: str,
        effect: HealthEffect,
        policy: HealthPolicy,
        *,
        now: float,
        retry_after_seconds: float | None = None,
    ) -> HealthChange | None:
        """An attempt failed; the change it made, if any."""
        raise NotImplementedError

    def in_flight(self, endpoint: str) -> int:
        """Attempts under way."""
        raise NotImplementedError

    def latency(self, endpoint: str, model: str, *, stream: bool) -> float | None:
        """Seconds to a first token or to a whole answer, lately."""
        raise NotImplementedError

    def prune(self, known: frozenset[str]) -> None:
        """Forget the endpoints that are neither in `known` nor at work."""
