"""The health of one place: an endpoint, or a model at one.

Two things keep a place from being asked. An *ejection* follows failures, grows each time, and ends in a trial: one
request is let through, and its outcome decides. A *cooldown* follows a provider's own word (Retry-After) and lasts
exactly that long.
"""

from dataclasses import dataclass
from enum import StrEnum

from understudy_api.config import HealthPolicy

MAX_COOLDOWN_SECONDS = 3600.0
"""No provider's word keeps a place away for longer."""
_SOFT = 0.5
_MAX_LEVEL = 30


class HealthEffect(StrEnum):
    """What an attempt says about the endpoint it was made at."""

    NONE = "none"
    ALIVE = "alive"
    """It answered, if only to say that the request is wrong: as good as a success."""
    SOFT = "soft"
    """Counts half towards ejection."""
    COUNT = "count"
    """Counts towards ejection."""
    EJECT = "eject"
    """Ejects at once."""
    COOL_DOWN = "cool_down"
    """The model at this endpoint rests for as long as the provider asks."""
    COOL_DOWN_LONG = "cool_down_long"
    """The whole endpoint rests: money or quota is used up."""
    MODEL_MISSING = "model_missing"
    """Ejects the model at this endpoint, at once."""


class Standing(StrEnum):
    """Whether an endpoint may be asked."""

    READY = "ready"
    TRIAL = "trial"
    """Its ejection is over: the next request decides."""
    EJECTED = "ejected"
    COOLING = "cooling"


@dataclass(frozen=True, slots=True)
class Health:
    """The standing of an endpoint for a model.

    `until` is monotonic seconds, None where no time is known: an ejected one without it is being tried right now.
    """

    standing: Standing
    until: float | None = None


@dataclass(frozen=True, slots=True)
class HealthChange:
    """Something to tell: an endpoint, or one model there, went out or came back."""

    endpoint: str
    model: str | None
    """None: the whole endpoint."""
    standing: Standing
    until: float | None


READY = Health(Standing.READY)
DUE = Health(Standing.TRIAL)
ON_TRIAL = Health(Standing.EJECTED)
_GRAVITY = {Standing.READY: 0, Standing.TRIAL: 1, Standing.EJECTED: 2, Standing.COOLING: 3}


@dataclass(slots=True)
class Place:
    """An endpoint, or a model at one."""

    in_flight: int = 0
    failures: float = 0.0
    """Consecutive ones, by weight."""
    ejected: bool = False
    ejected_until: float = 0.0
    on_trial: bool = False
    level: int = 0
    """How often the next ejection is doubled."""
    recovered_at: float | None = None
    cooling_until: float = 0.0
    used_at: float = 0.0

    def health(self, now: float) -> Health:
        """Its standing now."""
        if self.cooling_until > now:
            return Health(Standing.COOLING, self.cooling_until)
        if not self.ejected:
            return READY
        if self.ejected_until > now:
            return Health(Standing.EJECTED, self.ejected_until)
        return ON_TRIAL if self.on_trial else DUE

    def is_idle(self, now: float) -> bool:
        """Whether nothing would be lost with it."""
        return not self.in_flight and not self.ejected and self.cooling_until <= now

    def begin_trial(self, now: float) -> bool:
        """An attempt begins; whether it is the trial."""
        if not self.ejected or self.on_trial or self.ejected_until > now:
            return False
        self.on_trial = True
        return True

    def fail(self, effect: HealthEffect, policy: HealthPolicy, now: float) -> float | None:
        """Take a failure; until when it is ejected for it, None when it is not.

        While it is ejected only the trial matters: whoever else fails was under way before, or a last resort.
        """
        if self.ejected:
            if not self.on_trial:
                return None
        elif effect in {HealthEffect.SOFT, HealthEffect.COUNT}:
            self.failures += _SOFT if effect is HealthEffect.SOFT else 1.0
            if self.failures < policy.consecutive_failures:
                return None
        return self._eject(policy, now)

    def _eject(self, policy: HealthPolicy, now: float) -> float:
        """Out, for twice as long as last time; every `max_ejection_seconds` of health forgave a doubling."""
        if self.recovered_at is not None:
            forgiven = (now - self.recovered_at) // max(policy.max_ejection_seconds, 1.0)
            self.level = max(0, self.level - int(forgiven))
            self.recovered_at = None
        seconds = min(policy.ejection_seconds * 2.0**self.level, policy.max_ejection_seconds)
        self.level = min(self.level + 1, _MAX_LEVEL)
        self.ejected, self.on_trial, self.failures = True, False, 0.0
        self.ejected_until = now + seconds
        return self.ejected_until

    def cool(self, seconds: float, now: float) -> float:
        """Rest; of two cooldowns the one that ends later holds."""
        self.cooling_until = max(self.cooling_until, now + min(seconds, MAX_COOLDOWN_SECONDS))
        return self.cooling_until

    def recover(self, now: float) -> bool:
        """Well again; whether it was out."""
        self.failures = 0.0
        if not self.ejected:
            return False
        self.ejected = self.on_trial = False
        self.recovered_at = now
        return True


def graver(one: Health, other: Health) -> Health:
    """Of two that both hold: the one that keeps a place away more firmly, or for longer."""
    if one.standing is other.standing:
        return one if (one.until or 0.0) >= (other.until or 0.0) else other
    return one if _GRAVITY[one.standing] > _GRAVITY[other.standing] else other
