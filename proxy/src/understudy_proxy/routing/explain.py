"""A plan, told: who would answer and why, who is passed over and why; sentences for people, codes for programs.

What is told is what `plan` decides, from the same call. Nothing is asked and nobody's turn is taken.
"""

from collections.abc import Callable, Mapping
from typing import Any

from understudy_api.config import Strategy
from understudy_proxy.config.runtime import Candidate, RuntimeRule, RuntimeTarget
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.matching import mismatch
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.places import Endpoint, Endpoints
from understudy_proxy.routing.plan import Choice, Plan, Skipped, plan
from understudy_proxy.routing.resolve import NotFound


def explain(
    target: RuntimeTarget | NotFound,
    need: Need,
    headers: Mapping[str, str],
    *,
    board: HealthBoard,
    endpoints: Endpoints,
    draw: Callable[[], float],
    now: float,
) -> dict[str, Any]:
    """What would become of a request, as JSON-able data; the arguments are those of `plan`."""
    if isinstance(target, NotFound):
        return {"found": False, "nearest": list(target.nearest)}
    found = plan(target, need, headers, board=board, endpoints=endpoints, draw=draw, now=now, looking=True)
    shares = _shares(found)
    return {
        "found": True,
        "target": target.label,
        "kind": target.kind.value if target.kind is not None else "Provider",
        "need": {
            "capabilities": sorted(found.need.capabilities),
            "input_tokens": found.need.input_tokens,
            "max_output_tokens": found.need.max_output_tokens,
            "stream": found.need.stream,
        },
        "rules": _rules(target, found.rule, found.need, headers),
        "strategy": found.rule.strategy.value if found.rule is not None else None,
        "attempts": target.retry.attempts,
        "choices": [_choice(place, choice, shares) for place, choice in enumerate(found.choices, start=1)],
        "skipped": [_skipped(skip, now) for skip in found.skipped],
        "retry_after_seconds": found.retry_after_seconds,
    }


def _rules(
    target: RuntimeTarget, taken: RuntimeRule | None, need: Need, headers: Mapping[str, str]
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for rule in target.rules:
        if rule is taken:
            because = "it matches" if rule.matches else "it has no matches, so it always applies"
            told.append({"name": rule.name, "applies": True, "because": because})
            told += [
                {"name": later.name, "applies": False, "because": "an earlier rule applies"}
                for later in target.rules[len(told) :]
            ]
            break
        reasons = (mismatch(match, need, headers) for match in rule.matches)
        because = "; or ".join(reason for reason in reasons if reason is not None)
        told.append({"name": rule.name, "applies": False, "because": because})
    return told


def _shares(found: Plan) -> dict[int, float]:
    """The share of each weighted backend among those of its priority that can answer, by identity."""
    if found.rule is None or found.rule.strategy is not Strategy.WEIGHTED:
        return {}
    able = {id(choice.candidate): choice.candidate for choice in found.choices}
    totals: dict[int, int] = {}
    for candidate in able.values():
        totals[candidate.priority] = totals.get(candidate.priority, 0) + candidate.weight
    return {key: candidate.weight / totals[candidate.priority] for key, candidate in able.items()}


def _choice(place: int, choice: Choice, shares: Mapping[int, float]) -> dict[str, Any]:
    share = shares.get(id(choice.candidate))
    return {
        "place": place,
        **_backend(choice.candidate, choice.endpoint),
        "share": None if share is None else round(share, 4),
        "trial": choice.trial,
        "because": choice.because,
    }


def _skipped(skip: Skipped, now: float) -> dict[str, Any]:
    return {
        **_backend(skip.candidate, skip.endpoint),
        "because": skip.because.value,
        "detail": skip.detail,
        "for_seconds": None if skip.until is None else round(max(0.0, skip.until - now), 3),
    }


def _backend(candidate: Candidate, endpoint: Endpoint | None) -> dict[str, Any]:
    return {
        "backend": candidate.key,
        "provider": candidate.upstream.key,
        "model": candidate.model,
        "upstream_model": candidate.upstream_model,
        "address": endpoint.address if endpoint is not None else None,
        "priority": candidate.priority,
        "weight": candidate.weight,
    }
