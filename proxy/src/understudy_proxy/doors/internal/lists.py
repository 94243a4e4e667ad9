"""The doors `GET /internal/llm/models` and `GET /internal/llm/usage`."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from understudy_proxy.config.runtime import Candidate, RuntimeTarget
from understudy_proxy.doors.door import Answer, Headers, Refused, Request
from understudy_proxy.doors.internal.agents import Agent
from understudy_proxy.doors.internal.secret import SharedSecret
from understudy_proxy.doors.internal.usage import KEPT_SECONDS, AgentUsage, Sums
from understudy_proxy.doors.names import Names
from understudy_proxy.routing.resolve import resolve, visible_models
from understudy_proxy.telemetry.metrics import Metrics

_NEVER_STORED: Headers = (("cache-control", "no-store"),)
_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)")
_WHOSE = ("agent_id", "microdao_id", "channel_id")
_WINDOW = ("since", "window")
"""Two names of one thing: apps use either."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class InternalLists:
    """What can be asked for, and what was used."""

    def __init__(self, *, names: Names, secret: SharedSecret, usage: AgentUsage, metrics: Metrics) -> None:
        """Tell of `names` and `usage`; count in `metrics` who is turned away."""
        self._names = names
        self._secret = secret
        self._usage = usage
        self._metrics = metrics

    async def models(self, request: Request) -> Answer:
        """All names that may be sent as `model`, each with whom it leads to first."""
        self._check(request)
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        names = [each.name for each in visible_models(runtime, namespace=namespace)]
        found = {name: resolve(runtime, name, namespace=namespace) for name in names}
        shown = [_model(name, target) for name, target in found.items() if isinstance(target, RuntimeTarget)]
        return Answer(body=orjson.dumps(shown), headers=_NEVER_STORED)

    async def usage(self, request: Request) -> Answer:
        """What an agent used, or all that match."""
        self._check(request)
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        if unknown := sorted(query.keys() - {*_WHOSE, *_WINDOW}):
            message = f"{unknown[0][:40]!r} is not known here; there are {', '.join((*_WHOSE, *_WINDOW))}"
            raise Refused(400, message, code="unknown_parameter", param=unknown[0][:40], reason="bad_request")
        named = {name: query.get(name, "") for name in _WHOSE}
        since, sums = self._usage.total(Agent(**named), seconds=_seconds(query))
        asked = {name: value for name, value in named.items() if value}
        return Answer(body=orjson.dumps({**asked, **_shown(sums), "since": _time(since)}), headers=_NEVER_STORED)

    def _check(self, request: Request) -> None:
        try:
            self._secret.check(request)
        except Refused as refused:
            self._metrics.refused(refused.reason)
            raise


def _model(name: str, target: RuntimeTarget) -> dict[str, Any]:
    first = _first(target)
    return {
        "name": name,
        "provider": first.upstream.name if first else None,
        "physical_name": first.upstream_model if first else None,
        "max_tokens": first.max_output_tokens if first else None,
    }


def _first(target: RuntimeTarget) -> Candidate | None:
    """Whom the last rule, that for every request, prefers; None where nobody is left."""
    return next((candidate for rule in target.rules[-1:] for tier in rule.tiers for candidate in tier), None)


def _shown(sums: Sums) -> dict[str, Any]:
    return {
        "total_requests": sums.requests,
        "total_tokens": sums.tokens,
        "avg_latency_ms": round(sums.milliseconds / sums.requests, 1) if sums.requests else 0.0,
        "success_rate": round(sums.succeeded / sums.requests, 4) if sums.requests else 0.0,
        "cost": None if sums.cost is None else float(sums.cost),
    }


def _seconds(query: dict[str, str]) -> float:
    name = next((name for name in _WINDOW if name in query), None)
    if name is None:
        return KEPT_SECONDS
    found = _DURATION.fullmatch(query[name])
    if found is None:
        message = f"{name} is {query[name][:20]!r}; it takes a number and a unit, such as 90s, 15m, 1h or 1d"
        raise Refused(400, message, code="invalid_value", param=name, reason="bad_request")
    return float(int(found[1]) * _SECONDS[found[2]])


def _time(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
