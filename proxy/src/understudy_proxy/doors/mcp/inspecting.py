"""The tools `list_providers` and `get_metrics`: who there is to answer, and how they have fared."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.fields import optional_boolean, optional_string
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.mcp.calling import Calling, McpTool, Outcome
from understudy_proxy.doors.personas.providers import ProvidersDoor
from understudy_proxy.mcp.results import structured
from understudy_proxy.routing.names import provider_key
from understudy_proxy.telemetry.summary import ProviderNumbers, Summaries, Summary

_SHOWN = 64
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_COUNTS: dict[str, Any] = {"type": "object", "additionalProperties": _COUNT}
_NUMBERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "request_count": {**_COUNT, "description": "Attempts at this provider."},
        "error_count": {**_COUNT, "description": "Those that failed."},
        "stream_count": {**_COUNT, "description": "Streams that had begun to answer."},
        "token_count": {**_COUNT, "description": "Tokens read and written."},
        "latency_percentiles": {
            "type": "object",
            "additionalProperties": {"type": "number"},
            "description": "Milliseconds of successful attempts: p50, p90, p95 and p99; empty without any.",
        },
    },
    "required": ["request_count", "error_count", "stream_count", "token_count", "latency_percentiles"],
}
_METRICS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total_requests": _COUNT,
        "success_requests": _COUNT,
        "failed_requests": _COUNT,
        "provider_usage": {**_COUNTS, "description": "Requests that each provider answered in the end."},
        "provider_errors": {**_COUNTS, "description": "Attempts at each provider that failed."},
        "provider_metrics": {"type": "object", "additionalProperties": _NUMBERS},
        "fallbacks": {**_COUNT, "description": "Times that the next backend was asked."},
    },
    "required": [
        "total_requests",
        "success_requests",
        "failed_requests",
        "provider_usage",
        "provider_errors",
        "provider_metrics",
        "fallbacks",
    ],
}
_PROVIDERS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"providers": {"type": "array", "items": {"type": "object"}}},
    "required": ["providers"],
}


class Inspecting:
    """Tells of providers."""

    def __init__(self, providers: ProvidersDoor, summaries: Summaries) -> None:
        """List what `providers` lists, with numbers of `summaries`."""
        self._providers = providers
        self._summaries = summaries

    def tools(self) -> tuple[McpTool, ...]:
        """Both."""
        flag = {"type": "boolean", "default": False, "description": "With what get_metrics tells of each of them."}
        name = {"type": "string", "description": "Only this one."}
        return (
            McpTool(
                "list_providers",
                "Providers of large language models: what they can do, which models they have, and how they are now.",
                {"type": "object", "properties": {"include_metrics": flag}},
                self._list,
                title="List providers",
                output_schema=_PROVIDERS_SCHEMA,
                read_only=True,
            ),
            McpTool(
                "get_metrics",
                "How many requests this gateway process has answered since it began, who answered, and how fast.",
                {"type": "object", "properties": {"provider": name}},
                self._metrics,
                title="Get metrics",
                output_schema=_METRICS_SCHEMA,
                read_only=True,
            ),
        )

    async def _list(self, calling: Calling) -> Outcome:
        listed = await self._providers.listed(calling.request)
        if optional_boolean(calling.arguments, "include_metrics", ""):
            known = self._summaries.current().providers
            for each in listed:
                each["metrics"] = _numbers(known.get(_key(each)))
        return Outcome(structured({"providers": listed}))

    async def _metrics(self, calling: Calling) -> Outcome:
        asked = optional_string(calling.arguments, "provider", "")
        shown = await self._shown(calling.request, asked)
        return Outcome(structured(_told(self._summaries.current(), shown)))

    async def _shown(self, request: Request, asked: str | None) -> dict[str, str]:
        """What the providers are called that are told of, by their keys: their names, as far as these tell them apart.

        Raises:
            Refused: there is none of the name that was asked for.
        """
        listed = await self._providers.listed(request)
        if asked:
            wanted = provider_key(asked)
            listed = [each for each in listed if wanted in {each["name"], _key(each)}]
            if not listed:
                raise Refused(
                    404,
                    f"The provider {asked[:_SHOWN]!r} does not exist or is not for you to use. list_providers names "
                    "those that are.",
                    code="provider_not_found",
                    param="provider",
                    reason="model_not_found",
                )
        names = Counter(each["name"] for each in listed)
        return {_key(each): each["name"] if names[each["name"]] == 1 else _key(each) for each in listed}


def _key(listed: Mapping[str, Any]) -> str:
    return f"{listed['namespace']}/{listed['name']}"


def _told(summary: Summary, shown: Mapping[str, str]) -> dict[str, Any]:
    numbers = {name: summary.providers.get(key, ProviderNumbers()) for key, name in shown.items()}
    return {
        "total_requests": summary.requests,
        "success_requests": summary.succeeded,
        "failed_requests": summary.requests - summary.succeeded,
        "provider_usage": {name: each.answers for name, each in numbers.items()},
        "provider_errors": {name: each.errors for name, each in numbers.items()},
        "provider_metrics": {name: _numbers(each) for name, each in numbers.items()},
        "fallbacks": summary.failovers,
    }


def _numbers(known: ProviderNumbers | None) -> dict[str, Any]:
    of = known or ProviderNumbers()
    return {
        "request_count": of.attempts,
        "error_count": of.errors,
        "stream_count": of.streams,
        "token_count": of.tokens,
        "latency_percentiles": {f"p{each}": round(seconds * 1000, 1) for each, seconds in of.latency.items()},
    }
