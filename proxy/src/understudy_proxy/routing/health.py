"""What is known of endpoints: who is ejected or cooling down and until when, how busy and how fast they are.

The one mutable thing in routing. It is keyed by strings, so it survives a new configuration; it does no I/O and has no
clock: every method takes `now`, in monotonic seconds. A model can be out at an endpoint that is otherwise well.
"""

from collections.abc import Container
from typing import TypeVar

from understudy_api.config import HealthPolicy
from understudy_proxy.routing.pace import Pace
from understudy_proxy.routing.standing import (
    MAX_COOLDOWN_SECONDS,
    READY,
    Health,
    HealthChange,
    HealthEffect,
    Place,
    Standing,
    graver,
)

__all__ = ["MAX_COOLDOWN_SECONDS", "Health", "HealthBoard", "HealthChange", "HealthEffect", "Standing"]

RATE_LIMIT_SECONDS = 1.0
"""The cooldown after a rate limit that names no time: long enough to matter, short enough to be wrong about."""
QUOTA_SECONDS = 60.0
"""The least cooldown once money or quota is used up: only a person ends that, and should see it end within a minute."""
MAX_PLACES = 16_384
"""Endpoints, and as many models at endpoints; beyond that the idle and healthy are forgotten first."""

Key = TypeVar("Key")


class HealthBoard:
    """The health of all endpoints."""

    def __init__(self) -> None:
        self.pace = Pace()
        """How fast they answer."""
        self._endpoints: dict[str, Place] = {}
        self._models: dict[tuple[str, str], Place] = {}
        self._turns: dict[tuple[str, str, int], int] = {}

    def standing(self, endpoint: str, model: str, *, now: float) -> Health:
        """Whether `model` at `endpoint` may be asked."""
        place = self._endpoints.get(endpoint)
        health = READY if place is None else place.health(now)
        if self._models and (at_model := self._models.get((endpoint, model))) is not None:
            return graver(health, at_model.health(now))
        return health

    def start(self, endpoint: str, model: str, *, now: float) -> bool:
        """An attempt begins; whether it is the trial that ends or renews an ejection. `finish` must follow."""
        place = self._endpoint(endpoint, now)
        place.in_flight += 1
        place.used_at = now
        trial = place.begin_trial(now)
        at_model = self._models.get((endpoint, model)) if self._models else None
        return (at_model is not None and at_model.begin_trial(now)) or trial

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
            until = self._model(endpoint, model, now).fail(effect, policy, now)
            return changes if until is None else (*changes, HealthChange(endpoint, model, Standing.EJECTED, until))
        until = self._endpoint(endpoint, now).fail(effect, policy, now)
        return () if until is None else (HealthChange(endpoint, None, Standing.EJECTED, until),)

    def probed(self, endpoint: str, *, now: float) -> tuple[HealthChange, ...]:
        """A probe found it well: its ejection is over, without a trial; what a model there lacks stays as it is."""
        return self._alive(endpoint, None, now)

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

        def stays(endpoint: str, place: Place) -> bool:
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

    def _endpoint(self, endpoint: str, now: float) -> Place:
        place = self._endpoints.get(endpoint)
        if place is None:
            _make_room(self._endpoints, now)
            place = self._endpoints[endpoint] = Place(used_at=now)
        return place

    def _model(self, endpoint: str, model: str, now: float) -> Place:
        place = self._models.get((endpoint, model))
        if place is None:
            _make_room(self._models, now)
            place = self._models[endpoint, model] = Place(used_at=now)
        return place


def _make_room(places: dict[Key, Place], now: float) -> None:
    if len(places) < MAX_PLACES:
        return
    for key in [key for key, place in places.items() if place.is_idle(now)]:
        del places[key]
    while len(places) >= MAX_PLACES:
        del places[next(iter(places))]
