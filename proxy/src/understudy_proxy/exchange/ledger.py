"""Where attempts are entered: the endpoint's health, the upstream's places and the metrics, kept in step."""

import time
from collections.abc import Callable
from typing import Protocol

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.exchange.admission import Admission
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.health import HealthBoard, HealthChange, HealthEffect, Standing
from understudy_proxy.routing.plan import Choice

SUCCESS = "success"


class Observer(Protocol):
    """Who wants to know of attempts: metrics and the log."""

    def record_attempt(self, candidate: Candidate, outcome: str, seconds: float) -> None:
        """An attempt ended; `outcome` is `success` or a failure kind."""

    def record_failure(self, choice: Choice, failure: UpstreamFailure, *, request_id: str, now: float) -> None:
        """An attempt of the request `request_id` failed; `now` is monotonic seconds."""

    def health_changed(self, change: HealthChange) -> None:
        """An endpoint, or a model there, went out or came back."""


class Ledger:
    """Opens an `Entry` for each attempt."""

    def __init__(
        self,
        *,
        board: HealthBoard,
        admission: Admission,
        metrics: Observer,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = board
        self.admission = admission
        self.metrics = metrics
        self.now = now
        self.ejected: Callable[[Choice], None] = lambda _choice: None
        """Called when an endpoint is ejected."""

    def begin(self, choice: Choice, request_id: str) -> "Entry | None":
        """An attempt at `choice` begins; None if its upstream has no place free."""
        if not self.admission.start(choice.candidate.upstream):
            return None
        now = self.now()
        trial = self.board.start(choice.endpoint.key, choice.candidate.model, now=now)
        return Entry(self, choice, request_id, started=now, trial=trial)

    def tell(self, changes: tuple[HealthChange, ...]) -> None:
        """The health of endpoints has changed."""
        for change in changes:
            self.metrics.health_changed(change)

    def full(self, choice: Choice) -> bool:
        """Whether the endpoint of `choice` works on as many requests as it can: another one would wait there."""
        slots = choice.candidate.upstream.slots
        return slots is not None and self.board.in_flight(choice.endpoint.key) >= slots

    def trial_taken(self, choice: Choice) -> bool:
        """Whether `choice` was planned as the one trial of its endpoint and another request has begun it since."""
        if not choice.trial:
            return False
        health = self.board.standing(choice.endpoint.key, choice.candidate.model, now=self.now())
        return health.standing is Standing.EJECTED


class Entry:
    """One attempt. `end` is due however it goes, and may be called again."""

    __slots__ = ("_choice", "_ended", "_ledger", "_outcome", "_request_id", "_trial", "started")

    def __init__(self, ledger: Ledger, choice: Choice, request_id: str, *, started: float, trial: bool) -> None:
        self._ledger = ledger
        self._choice = choice
        self._request_id = request_id
        self._trial = trial
        self._outcome: str = FailureKind.CLIENT_LEFT
        self._ended = False
        self.started = started

    def succeeded(self, *, stream: bool) -> None:
        """A stream began, or a whole answer is there."""
        ledger, choice = self._ledger, self._choice
        now = ledger.now()
        changes = ledger.board.succeeded(
            choice.endpoint.key, choice.candidate.model, now=now, seconds=now - self.started, stream=stream
        )
        self._outcome = SUCCESS
        ledger.tell(changes)

    def failed(self, failure: UpstreamFailure, effect: HealthEffect) -> None:
        """The attempt failed, with `effect` on the endpoint's health."""
        ledger, choice = self._ledger, self._choice
        self._outcome = failure.kind
        now = ledger.now()
        ledger.metrics.record_failure(choice, failure, request_id=self._request_id, now=now)
        changes = ledger.board.failed(
            choice.endpoint.key,
            choice.candidate.model,
            effect,
            choice.candidate.upstream.health,
            now=now,
            retry_after_seconds=failure.retry_after_seconds,
        )
        ledger.tell(changes)
        if any(change.standing is Standing.EJECTED and change.model is None for change in changes):
            ledger.ejected(choice)

    def end(self) -> None:
        """The attempt is over. Without `succeeded` or `failed` before: the client left."""
        if self._ended:
            return
        self._ended = True
        ledger, choice = self._ledger, self._choice
        ledger.board.finish(choice.endpoint.key, choice.candidate.model, trial=self._trial)
        ledger.admission.finish(choice.candidate.upstream)
        ledger.metrics.record_attempt(choice.candidate, self._outcome, ledger.now() - self.started)
