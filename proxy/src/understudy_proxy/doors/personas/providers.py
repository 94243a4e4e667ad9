"""The door `GET /api/v1/providers`: where models run that a caller may address, what they can do, and how they are."""

from collections.abc import Iterable
from typing import Any

import orjson

from understudy_api.config import Provider, ProviderModel
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.doors.availability import ANYTHING, Availabilities, Availability
from understudy_proxy.doors.door import Answer, Request
from understudy_proxy.doors.names import Names

_TIERS = ("Low", "Medium", "High")
_HEALTHY, _DEGRADED, _UNHEALTHY = "healthy", "degraded", "unhealthy"


class ProvidersDoor:
    """Lists providers."""

    def __init__(self, *, names: Names, availabilities: Availabilities) -> None:
        """Look names up in `names`, and how their models fare in `availabilities`."""
        self._names = names
        self._availabilities = availabilities

    async def __call__(self, request: Request) -> Answer:
        """All that are visible to this caller."""
        return Answer(body=orjson.dumps(await self.listed(request)), headers=(("cache-control", "no-store"),))

    async def listed(self, request: Request) -> list[dict[str, Any]]:
        """The same for doors that answer in other words."""
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        visible = {
            key: provider
            for key, provider in sorted(runtime.config.providers.items())
            if provider.namespace == namespace or provider.visible_to is None or namespace in provider.visible_to
        }
        return [await self._provider(runtime, key, provider) for key, provider in visible.items()]

    async def _provider(self, runtime: Runtime, key: str, provider: Provider) -> dict[str, Any]:
        upstream = runtime.upstreams.get(key)
        direct = upstream.direct if upstream is not None else {}
        prospects = {model: await self._availabilities.of(target, ANYTHING) for model, target in direct.items()}
        models = provider.models.values()
        return {
            "name": provider.name,
            "namespace": provider.namespace,
            "aliases": [provider.name.replace("-", "_")] if "-" in provider.name else [],
            "type": provider.type,
            "capabilities": sorted(frozenset().union(*(model.capabilities for model in models))),
            "max_context": max((model.context_window or 0 for model in models), default=0) or None,
            "cost_tier": _highest(model.cost_tier for model in models),
            "models": [_model(name, model, prospects.get(name)) for name, model in provider.models.items()],
            "health": _health(runtime.out.get(key), prospects),
        }


def _model(name: str, model: ProviderModel, prospects: Availability | None) -> dict[str, Any]:
    return {
        "name": name,
        "physical_name": model.upstream_name,
        "capabilities": sorted(model.capabilities),
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "cost_tier": model.cost_tier,
        "available": prospects is not None and prospects.available,
    }


def _highest(tiers: Iterable[str | None]) -> str | None:
    """What the dearest model costs; None where no price is known."""
    return max((tier for tier in tiers if tier in _TIERS), key=_TIERS.index, default=None)


def _health(out: str | None, prospects: dict[str, Availability]) -> dict[str, Any]:
    """`degraded`: some of its models, or of its addresses, are out."""
    if out is not None:
        return {"status": _UNHEALTHY, "detail": out}
    troubles = {
        model: each.why_not or "; ".join(each.troubles.values())
        for model, each in prospects.items()
        if each.troubles or not each.available
    }
    if not troubles:
        return {"status": _HEALTHY, "detail": None}
    some = any(each.available for each in prospects.values())
    detail = "; ".join(dict.fromkeys(f"{model}: {trouble}" for model, trouble in troubles.items()))
    return {"status": _DEGRADED if some else _UNHEALTHY, "detail": detail}
