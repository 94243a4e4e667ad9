"""What is known of endpoints: who is ejected or cooling down and until when, how busy and how fast they are.

The one mutable thing in routing. It is keyed by strings, so it survives a new configuration; it does no I/O and has no
clock: every method takes `now`, in monotonic seconds.

Two things keep an endpoint from being asked. An *ejection* follows failures, grows each time, and ends in a trial: one
request is let through, and its outcome decides. A *cooldown* follows a provider's own word (Retry-After) and lasts
exactly that long. A model can be out at an endpoint that is otherwise well.
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from understudy_api.config import HealthPolicy
from understudy_proxy.routing.pace import Pace

RATE_LIMIT_SECONDS = 1.0
"""The cooldown after a rate limit that names no time: long enough to matter, short enough to be wrong about."""
QUOTA_SECONDS = 60.0
"""The least cooldown once money or quota is used up: only a person ends that, and should see it end within a minute."""
MAX_COOLDOWN_SECONDS = 3600.0
"""No provider's word keeps an endpoint away for longer."""
MAX_PLACES = 16_384
"""Endpoints, and as many models at endpoints; beyond that the idle and healthy are forgotten first."""
_SOFT = 0.5
_MAX_LEVEL = 30

Key = TypeVar("Key")


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


_READY = Health(Standing.READY)
_TRIAL = Health(Standing.TRIAL)
_ON_TRIAL = Health(Standing.EJECTED)
_GRAVITY = {Standing.READY: 0, Standing.TRIAL: 1, Standing.EJECTED: 2, Standing.COOLING: 3}


@dataclass(slots=True)
class _Place:
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
        if self.cooling_until > now:
            return Health(Standing.COOLING, self.cooling_until)
        if not self.ejected:
            return _READY
        if self.ejected_until > now:
            return Health(Standing.EJECTED, self.ejected_until)
        return _ON_TRIAL if self.on_trial else _TRIAL

    def is_idle(self, now: float) -> bool:
        return not self.in_flight and not self.ejected and self.cooling_until <= now

    def eject(self, policy: HealthPolicy, now: float) -> float:
        """Out, for twice as long as last time; every `max_ejection_seconds` of health forgave one doubling."""
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


class HealthBoard:
    """The health of all endpoints."""

    def __init__(self) -> None:
        self.pace = Pace()
        """How fast they answer."""
        self._endpoints: dict[str, _Place] = {}
        self._models: dict[tuple[str, str], _Place] = {}
        self._turns: dict[tuple[str, str, int], int] = {}

    def standing(self, endpoint: str, model: str, *, now: float) -> Health:
        """Whether `model` at `endpoint` may be asked."""
        place = self._endpoints.get(endpoint)
        health = _READY if place is None else place.health(now)
        if self._models and (at_model := self._models.get((endpoint, model))) is not None:
            return _graver(health, at_model.health(now))
        return health

    def start(self, endpoint: str, model: str, *, now: float) -> bool:
        """An attempt begins; whether it is the trial that ends or renews an ejection. `finish` must follow."""
        place = self._endpoint(endpoint, now)
        place.in_flight += 1
        place.used_at = now
        trial = _begin_trial(place, now)
        at_model = self._models.get((endpoint, model)) if self._models else None
        return (at_model is not None and _begin_trial(at_model, now)) or trial

    def finish(self, endpoint: str, model: str, *, trial: bool) -> None:
        """The attempt is over, however it went; a trial without an outcome (the client left) may be made again."""
        place = self._endpoints.get(endpoint)
        if place is None:
            return
        place.in_flight = max(0, place.in_flight - 1)
        if trial:
            place.on_trial = False
            if (at_model := self._models.get((endpoint, model))) is not None:
                at_model.on_trial = False

    def succeeded(
        self, endpoint: str, model: str, *, now: float, seconds: float, stream: bool
    ) -> tuple[HealthChange, ...]:
        """It answers: a stream has begun, or a whole answer is there, `seconds` after the attempt began."""
        self.pace.record(endpoint, model, stream=stream, seconds=seconds, now=now)
        return self._alive(endpoint, model, now)

    def failed(
        self,
        endpoint: str,
        model: str,
        effect: HealthEffect,
        policy: HealthPolicy,
        *,
        now: float,
        retry_after_seconds: float | None = None,
    ) -> tuple[HealthChange, ...]:
        """An attempt failed; what that changed."""
        if effect is HealthEffect.NONE:
            return ()
        if effect is HealthEffect.ALIVE:
            return self._alive(endpoint, model, now)
        if effect in {HealthEffect.COOL_DOWN, HealthEffect.COOL_DOWN_LONG}:
            return self._cool(endpoint, model, effect, retry_after_seconds, now)
        if effect is HealthEffect.MODEL_MISSING:
            changes = self._alive(endpoint, None, now)
            return changes + _failure(self._model(endpoint, model, now), endpoint, model, effect, policy, now)
        return _failure(self._endpoint(endpoint, now), endpoint, None, effect, policy, now)

    def in_flight(self, endpoint: str) -> int:
        """Attempts under way."""
        place = self._endpoints.get(endpoint)
        return 0 if place is None else place.in_flight

    def out(self, *, now: float) -> tuple[HealthChange, ...]:
        """Every endpoint, and every model at one, that is not asked now."""
        places = [((endpoint, None), place) for endpoint, place in self._endpoints.items()]
        found: list[HealthChange] = []
        for (endpoint, model), place in (*places, *self._models.items()):
            health = place.health(now)
            if health.standing in {Standing.EJECTED, Standing.COOLING}:
                found.append(HealthChange(endpoint, model, health.standing, health.until))
        return tuple(found)

    def turn(self, target: str, rule: str, tier: int, *, looking: bool) -> int:
        """A number that grows by one each time, for taking turns; or, just looking, the one that comes next."""
        key = (target, rule, tier)
        if len(self._turns) >= MAX_PLACES and key not in self._turns:
            self._turns.clear()
        turn = self._turns.get(key, -1) + 1
        if not looking:
            self._turns[key] = turn
        return turn

    def prune(self, upstreams: Container[str], *, now: float, idle_seconds: float = 900.0) -> None:
        """Forget what belongs to no upstream of `upstreams`, and addresses that were not used for `idle_seconds`."""

        def stays(endpoint: str, place: _Place) -> bool:
            upstream, _, address = endpoint.partition("@")
            if upstream not in upstreams:
                return place.in_flight > 0
            return not address or place.in_flight > 0 or now - place.used_at < idle_seconds

        self._endpoints = {key: place for key, place in self._endpoints.items() if stays(key, place)}
        self._models = {key: place for key, place in self._models.items() if key[0] in self._endpoints}
        self.pace.keep(self._endpoints)

    def _alive(self, endpoint: str, model: str | None, now: float) -> tuple[HealthChange, ...]:
        place = self._endpoints.get(endpoint)
        changes: tuple[HealthChange, ...] = ()
        if place is not None and place.recover(now):
            changes = (HealthChange(endpoint, None, Standing.READY, None),)
        if model is not None and self._models and (at_model := self._models.get((endpoint, model))) is not None:
            if at_model.recover(now):
                changes += (HealthChange(endpoint, model, Standing.READY, None),)
            if at_model.is_idle(now) and not at_model.level:
                del self._models[endpoint, model]
        return changes

    def _cool(
        self, endpoint: str, model: str, effect: HealthEffect, asked: float | None, now: float
    ) -> tuple[HealthChange, ...]:
        changes = self._alive(endpoint, model, now)
        if effect is HealthEffect.COOL_DOWN_LONG:
            until = self._endpoint(endpoint, now).cool(max(asked or 0.0, QUOTA_SECONDS), now)
            return (*changes, HealthChange(endpoint, None, Standing.COOLING, until))
        until = self._model(endpoint, model, now).cool(RATE_LIMIT_SECONDS if asked is None else asked, now)
        return (*changes, HealthChange(endpoint, model, Standing.COOLING, until))

    def _endpoint(self, endpoint: str, now: float) -> _Place:
        place = self._endpoints.get(endpoint)
        if place is None:
            _make_room(self._endpoints, now)
            place = self._endpoints[endpoint] = _Place(used_at=now)
        return place

    def _model(self, endpoint: str, model: str, now: float) -> _Place:
        place = self._models.get((endpoint, model))
        if place is None:
            _make_room(self._models, now)
            place = self._models[endpoint, model] = _Place(used_at=now)
        return place


def _failure(
    place: _Place, endpoint: str, model: str | None, effect: HealthEffect, policy: HealthPolicy, now: float
) -> tuple[HealthChange, ...]:
    if place.ejected:
        if not place.on_trial:
            return ()
    elif effect in {HealthEffect.SOFT, HealthEffect.COUNT}:
        place.failures += _SOFT if effect is HealthEffect.SOFT else 1.0
        if place.failures < policy.consecutive_failures:
            return ()
    return (HealthChange(endpoint, model, Standing.EJECTED, place.eject(policy, now)),)


def _begin_trial(place: _Place, now: float) -> bool:
    if not place.ejected or place.on_trial or place.ejected_until > now:
        return False
    place.on_trial = True
    return True


def _graver(one: Health, other: Health) -> Health:
    if one.standing is other.standing:
        return one if (one.until or 0.0) >= (other.until or 0.0) else other
    return one if _GRAVITY[one.standing] > _GRAVITY[other.standing] else other


def _make_room(places: dict[Key, _Place], now: float) -> None:
    if len(places) < MAX_PLACES:
        return
    for key in [key for key, place in places.items() if place.is_idle(now)]:
        del places[key]
    while len(places) >= MAX_PLACES:
        del places[next(iter(places))]
