"""Who is asked, in which order, and why: a pure function from a target, a need and the board to a `Plan`.

The first rule that matches is the one; its tiers follow one another, and within a tier the strategy orders those who
can answer. Whoever lacks what the request needs, or is out, is passed over with a reason. When that leaves nobody, the
ejected are asked after all: they may be back. Those that cool down never are: the provider said when to come back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import zip_longest

from understudy_proxy.config.runtime import Candidate, RuntimeRule, RuntimeTarget
from understudy_proxy.routing.fitness import SkipReason, unfit
from understudy_proxy.routing.health import Health, HealthBoard, Standing
from understudy_proxy.routing.matching import first_match
from understudy_proxy.routing.need import Need, with_prompt, with_required
from understudy_proxy.routing.places import Absent, Choice, Contender, Endpoint, Endpoints, Skipped
from understudy_proxy.routing.strategies import Situation, because, ordered

__all__ = ["Choice", "Endpoint", "Plan", "SkipReason", "Skipped", "plan"]

_ONLY = "the only one of its priority"
_NEXT = "steps in when the ones before it fail"
_UNDERSTUDY = "an understudy: steps in when all of a higher priority fail"
_TRIAL = "its ejection is over, and this is its trial"
_LAST_RESORT = "a last resort: ejected, but nobody else is left"


@dataclass(frozen=True, slots=True)
class Plan:
    """The order in which to ask, and who is passed over."""

    target: RuntimeTarget
    rule: RuntimeRule | None
    """None: no rule matches the request, or the target has none because nobody is left to answer."""
    need: Need
    """The request's, with what the target adds."""
    choices: tuple[Choice, ...]
    skipped: tuple[Skipped, ...]
    retry_after_seconds: float | None = None
    """Without choices: when the first one that cools down may be asked again; None when waiting does not help."""


def plan(
    target: RuntimeTarget,
    need: Need,
    headers: Mapping[str, str],
    *,
    board: HealthBoard,
    endpoints: Endpoints,
    draw: Callable[[], float],
    now: float,
    looking: bool = False,
) -> Plan:
    """Who answers `need`, in order.

    Args:
        target: what the request's model name means.
        need: read from the request.
        headers: the client's, found by lower-case name.
        board: the health of endpoints.
        endpoints: the places of an upstream that are known now, or why there are none.
        draw: numbers in [0, 1); with the same draws the plan is the same.
        now: monotonic seconds.
        looking: nobody is going to be asked, so nobody's turn is taken.
    """
    if target.requires:
        need = with_required(need, target.requires)
    if target.prompt is not None:
        need = with_prompt(need, target.prompt)
    rule = first_match(target, need, headers)
    if rule is None:
        return Plan(target, None, need, (), ())
    survey = _Survey(target, rule, need, board, endpoints, draw, now, looking)
    for tier in range(len(rule.tiers)):
        survey.take_tier(tier)
    if not survey.choices:
        survey.take_ejected()
    return Plan(target, rule, need, tuple(survey.choices), tuple(survey.skipped), survey.retry_after_seconds())


@dataclass(slots=True)
class _Survey:
    """A plan in the making."""

    target: RuntimeTarget
    rule: RuntimeRule
    need: Need
    board: HealthBoard
    endpoints: Endpoints
    draw: Callable[[], float]
    now: float
    looking: bool
    choices: list[Choice] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    trials: set[tuple[str, str]] = field(default_factory=set)
    """Keys of candidates and endpoints whose ejection is over."""

    def take_tier(self, tier: int) -> None:
        """Put those of a tier who can answer in order, behind the tiers before it."""
        row = [found for candidate in self.rule.tiers[tier] if (found := self._contender(candidate)) is not None]
        first, others = (_UNDERSTUDY, _UNDERSTUDY) if self.choices else (_ONLY, _NEXT)
        if len(row) > 1:
            at = Situation(self.need, self.board, self.draw, lambda: self._turn(tier), self.now)
            row = ordered(self.rule.strategy, row, at)
            first = first if self.choices else because(self.rule.strategy)
        for contender in row:
            self._choose(contender.candidate, contender.endpoint, first)
            first = others
        for endpoints in zip_longest(*(contender.more for contender in row)):
            for contender, endpoint in zip(row, endpoints, strict=True):
                if endpoint is not None:
                    self._choose(contender.candidate, endpoint, others)

    def _choose(self, candidate: Candidate, endpoint: Endpoint, why: str) -> None:
        trial = (candidate.key, endpoint.key) in self.trials if self.trials else False
        self.choices.append(Choice(candidate, endpoint, _TRIAL if trial else why, trial))

    def take_ejected(self) -> None:
        """Ask the ejected after all: in the order of the tiers, within a tier whose ejection ends first."""
        self.skipped.sort(key=lambda skip: (skip.candidate.priority, skip.until or self.now))
        for skip in self.skipped:
            if skip.because is SkipReason.EJECTED and skip.endpoint is not None:
                self.choices.append(Choice(skip.candidate, skip.endpoint, _LAST_RESORT))
        self.skipped = [skip for skip in self.skipped if skip.because is not SkipReason.EJECTED]

    def retry_after_seconds(self) -> float | None:
        """Until the first one that cools down is back; None while there is somebody to ask."""
        if self.choices:
            return None
        ends = [skip.until for skip in self.skipped if skip.because is SkipReason.COOLING_DOWN and skip.until]
        return max(0.0, min(ends) - self.now) if ends else None

    def _turn(self, tier: int) -> int:
        return self.board.turn(self.target.key, self.rule.name, tier, looking=self.looking)

    def _contender(self, candidate: Candidate) -> Contender | None:
        """`candidate` with those of its endpoints that may be asked; None when it is passed over."""
        lack = unfit(candidate, self.need)
        if lack is not None:
            self.skipped.append(Skipped(candidate, None, *lack))
            return None
        endpoints = self.endpoints(candidate.upstream)
        if isinstance(endpoints, Absent):
            self.skipped.append(Skipped(candidate, None, endpoints.because, endpoints.detail))
            return None
        if len(endpoints) == 1:
            return Contender(candidate, endpoints[0]) if self._may_be_asked(candidate, endpoints[0]) else None
        if not endpoints:
            self.skipped.append(Skipped(candidate, None, SkipReason.NO_ADDRESS, "its host has no address right now"))
        ready = [endpoint for endpoint in endpoints if self._may_be_asked(candidate, endpoint)]
        if not ready:
            return None
        best, *more = self._least_busy(ready)
        return Contender(candidate, best, tuple(more))

    def _may_be_asked(self, candidate: Candidate, endpoint: Endpoint) -> bool:
        health = self.board.standing(endpoint.key, candidate.model, now=self.now)
        if health.standing is Standing.READY:
            return True
        if health.standing is Standing.TRIAL:
            self.trials.add((candidate.key, endpoint.key))
            return True
        self.skipped.append(_out(candidate, endpoint, health, self.now))
        return False

    def _least_busy(self, endpoints: list[Endpoint]) -> list[Endpoint]:
        """As many as there can be attempts for, with one attempt kept for each other backend."""
        others = sum(len(tier) for tier in self.rule.tiers) - 1
        spare = max(1, self.target.retry.attempts - others)
        return nsmallest(spare, endpoints, key=lambda one: (one.rank, self.board.in_flight(one.key), self.draw()))


def _out(candidate: Candidate, endpoint: Endpoint, health: Health, now: float) -> Skipped:
    seconds = None if health.until is None else f"{max(0.0, health.until - now):.1f} s"
    if health.standing is Standing.COOLING:
        detail = f"its provider asked to be left alone, for another {seconds}"
        return Skipped(candidate, endpoint, SkipReason.COOLING_DOWN, detail, health.until)
    detail = f"it failed and is out for another {seconds}" if seconds else "it failed, and a trial is under way"
    return Skipped(candidate, endpoint, SkipReason.EJECTED, detail, health.until)
