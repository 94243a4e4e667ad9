"""The admin port: what this process runs, what it counts, and who would answer.

`/config` is how the operator confirms a rollout: the revision it shows is the one that every request gets which begins
from now on. It costs no more than a dictionary, because a whole fleet is asked several times a second.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from understudy_api.config import Config, canonical_json
from understudy_proxy.config.holder import RuntimeHolder
from understudy_proxy.config.loader import Loader
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.config.tools import CALLED_AS
from understudy_proxy.doors.door import Answer, Door, Refused, Request, Route
from understudy_proxy.lifecycle import Lifecycle
from understudy_proxy.telemetry.book import Samples
from understudy_proxy.telemetry.exposition import render
from understudy_proxy.telemetry.gauges import Gauges
from understudy_proxy.telemetry.merge import to_wire

_NEVER_STORED = (("cache-control", "no-store"),)
MASKED = "***"


class AdminDoors:
    """The doors of one worker."""

    def __init__(
        self,
        *,
        holder: RuntimeHolder,
        loader: Loader,
        lifecycle: Lifecycle,
        gauges: Gauges,
    ) -> None:
        """Answer from these."""
        self._holder = holder
        self._loader = loader
        self._lifecycle = lifecycle
        self._gauges = gauges

    def routes(self) -> tuple[Route, ...]:
        """Where they are asked."""
        return (
            Route("/metrics", {"GET": self.metrics}, admin_errors),
            Route("/samples", {"GET": self.samples}, admin_errors),
            Route("/config", {"GET": self.config}, admin_errors),
            Route("/healthz", {"GET": healthz}, admin_errors),
        )

    async def metrics(self, request: Request) -> Answer:
        """All numbers, for Prometheus."""
        return await scrape(request, self._gauges.samples())

    async def samples(self, _request: Request) -> Answer:
        """The same for the process that adds up several workers."""
        return json_answer({"process": self._gauges.process, "samples": to_wire(self._gauges.samples())})

    async def config(self, request: Request) -> Answer:
        """What serves, what is refused, and how the sources fare."""
        runtime, origin, rejected = self._holder.current, self._holder.origin, self._holder.rejected
        shown: dict[str, Any] = {
            "revision": runtime.revision if runtime else None,
            "loadedAt": _timestamp(runtime.loaded_at) if runtime else None,
            "source": origin.value if origin else None,
            "rejected": {"revision": rejected.revision, "message": rejected.message} if rejected else None,
            "state": {
                "draining": self._lifecycle.draining,
                "sources": {origin.value: state for origin, state in self._loader.states.items()},
                "providersOut": dict(runtime.out) if runtime else {},
                "toolsOut": _tools_out(runtime) if runtime else {},
            },
        }
        if runtime is not None and is_on(request, "full"):
            shown["config"] = without_secrets(runtime.config)
        return json_answer(shown)


async def healthz(_request: Request) -> Answer:
    """That the process answers."""
    return json_answer({"status": "alive"})


async def scrape(request: Request, samples: Samples) -> Answer:
    """`samples` in the format that the scraper asks for; thousands of routes take a while, so in a thread."""
    page = await asyncio.to_thread(
        render,
        samples,
        accept=request.headers.get("accept", ""),
        accept_encoding=request.headers.get("accept-encoding", ""),
    )
    encoding = (("content-encoding", page.encoding),) if page.encoding else ()
    return Answer(body=page.body, content_type=page.content_type, headers=(*encoding, *_NEVER_STORED))


def json_answer(body: dict[str, Any], *, status: int = 200) -> Answer:
    """`body` as JSON, with sorted keys, that nobody keeps."""
    return Answer(status, orjson.dumps(body, option=orjson.OPT_SORT_KEYS), headers=_NEVER_STORED)


def closed_to_tools(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The same doors, but not for what an LLMTool makes the gateway ask.

    Whoever may write one could otherwise read here what all other namespaces have: no network policy stands between a
    pod and itself.
    """
    return tuple(
        replace(route, doors={method: _closed(door) for method, door in route.doors.items()}) for route in routes
    )


def _closed(door: Door) -> Door:
    async def closed(request: Request) -> Answer | None:
        if CALLED_AS in request.headers:
            raise Refused(403, "The admin port is not for tools: an LLMTool must name another address.")
        return await door(request)

    return closed


def admin_errors(refused: Refused) -> bytes:
    """An error of the admin port."""
    return orjson.dumps({"error": refused.message})


def is_on(request: Request, name: str) -> bool:
    """Whether the query says `name=1` or `name=true`."""
    return parse_qs(request.query).get(name, [""])[-1].lower() in {"1", "true", "yes"}


def without_secrets(config: Config) -> dict[str, Any]:
    """The configuration as JSON. Credentials are no part of it, but a header or a query may hold one."""
    shown: dict[str, Any] = orjson.loads(canonical_json(config))
    for provider in shown.get("providers", {}).values():
        provider["headers"] = dict.fromkeys(provider.get("headers", {}), MASKED)
    for http in (tool["http"] for tool in shown.get("tools", {}).values() if tool.get("http")):
        http["headers"] = dict.fromkeys(http.get("headers", {}), MASKED)
        path, asked, _ = http["url"].partition("?")
        http["url"] = f"{path}?{MASKED}" if asked else path
    return shown


def _tools_out(runtime: Runtime) -> dict[str, str]:
    """The tools that have a handler, and cannot be called."""
    configured = runtime.config.tools
    return {key: tool.out for key, tool in runtime.tools.items() if tool.out and configured[key].http is not None}


def _timestamp(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
