"""How one of several backends of the same priority is chosen, and who comes next if it fails.

Each strategy puts the whole tier in order: whoever is not chosen is an understudy of whoever is.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from understudy_api.config import Strategy
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.places import Contender

EXPLORED_SHARE = 0.05
"""Of requests that look afresh at a backend whose latency was last measured a while ago."""
_JITTER = 0.2
"""Latencies that differ by less change places by chance, so that the faster one does not take everything."""
_USUAL_OUTPUT_TOKENS = 500
"""Of an answer whose length is not limited, to compare prices by."""


class Situation(NamedTuple):
    """What the strategies look at, beside the contenders."""

    need: Need
    board: HealthBoard
    draw: Callable[[], float]
    """Numbers in [0, 1)."""
    turn: Callable[[], int]
    """Grows by one with each call."""
    now: float


def ordered(strategy: Strategy, contenders: list[Contender], at: Situation) -> list[Contender]:
    """The contenders, the one to ask first at the front."""
    return _ORDERS[strategy](contenders, at)


def because(strategy: Strategy) -> str:
    """Why the first of a tier is first, for people."""
    return _BECAUSE[strategy]


def _weighted(contenders: list[Contender], at: Situation) -> list[Contender]:
    """Drawn one after the other without putting back, each in proportion to its weight among those left."""
    left = list(contenders)
    total = sum(contender.candidate.weight for contender in left)
    drawn: list[Contender] = []
    while len(left) > 1:
        index, point = 0, at.draw() * total
        while index < len(left) - 1 and point >= left[index].candidate.weight:
            point -= left[index].candidate.weight
            index += 1
        total -= left[index].candidate.weight
        drawn.append(left.pop(index))
    return drawn + left


def _in_turn(contenders: list[Contender], at: Situation) -> list[Contender]:
    first = at.turn() % len(contenders)
    return contenders[first:] + contenders[:first]


def _least_busy(contenders: list[Contender], at: Situation) -> list[Contender]:
    def load(one: Contender) -> tuple[float, float]:
        return at.board.in_flight(one.endpoint.key) / one.candidate.weight, at.draw()

    return sorted(contenders, key=load)


def _lowest_latency(contenders: list[Contender], at: Situation) -> list[Contender]:
    """The fastest first, but whoever was never measured, or not lately, gets a look while nobody else is looking."""
    pace, stream = at.board.pace, at.need.stream

    def latency(one: Contender) -> tuple[int, float]:
        endpoint, model = one.endpoint.key, one.candidate.model
        seconds = pace.seconds(endpoint, model, stream=stream)
        in_flight = at.board.in_flight(endpoint)
        if seconds is None:
            return (0, at.draw()) if in_flight == 0 else (2, in_flight + at.draw())
        stale = pace.is_stale(endpoint, model, stream=stream, now=at.now)
        if stale and in_flight == 0 and at.draw() < EXPLORED_SHARE:
            return 0, at.draw()
        return 1, seconds * (1.0 + _JITTER * (at.draw() - 0.5))

    return sorted(contenders, key=latency)


def _lowest_cost(contenders: list[Contender], at: Situation) -> list[Contender]:
    return sorted(contenders, key=lambda one: (estimated_cost(one.candidate, at.need), at.draw()))


def estimated_cost(candidate: Candidate, need: Need) -> float:
    """What the request would cost there in millionths of a dollar; infinite where no price is known."""
    pricing = candidate.pricing
    if pricing is None:
        return math.inf
    output = need.max_output_tokens or _USUAL_OUTPUT_TOKENS
    return need.input_tokens * float(pricing.input) + output * float(pricing.output)


_ORDERS: dict[Strategy, Callable[[list[Contender], Situation], list[Contender]]] = {
    Strategy.WEIGHTED: _weighted,
    Strategy.ROUND_ROBIN: _in_turn,
    Strategy.LEAST_BUSY: _least_busy,
    Strategy.LOWEST_LATENCY: _lowest_latency,
    Strategy.LOWEST_COST: _lowest_cost,
}
_BECAUSE = {
    Strategy.WEIGHTED: "drawn by weight",
    Strategy.ROUND_ROBIN: "its turn",
    Strategy.LEAST_BUSY: "the least busy",
    Strategy.LOWEST_LATENCY: "the fastest lately, or due for a fresh look",
    Strategy.LOWEST_COST: "the cheapest for this request",
}
