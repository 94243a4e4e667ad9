"""Who would answer, and why: the same decisions that a request meets, told instead of done.

`GET /explain?model=chat&namespace=ai&stream=true&tokens=2000&requires=Tools` asks for an imagined request,
`POST /explain` for a real one, whose body is that of a chat completion. Headers count as they would in a request.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import orjson

from understudy_api.config import Capability
from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.openai.request import ChatRequest, read
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.routing.explain import explain
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.resolve import resolve

_CAPABILITIES = {capability.value.lower(): capability for capability in Capability}


class ExplainDoor:
    """Explanations."""

    def __init__(
        self,
        *,
        names: Names,
        board: HealthBoard,
        endpoints: Endpoints,
        draw: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        """Decide as the exchange does, from the same board and endpoints; `timer` gives monotonic seconds."""
        self._names = names
        self._board = board
        self._endpoints = endpoints
        self._draw = draw
        self._timer = timer

    async def __call__(self, request: Request) -> Answer:
        """The explanation as JSON."""
        query = dict(parse_qsl(request.query))
        try:
            chat = read(await request.body() if request.method == "POST" else _imagined(query))
        except RequestError as error:
            raise Refused(error.status, error.message) from error
        runtime = self._names.runtime()
        namespace = query.get("namespace") or self._names.namespace(request)
        target = resolve(runtime, chat.model, namespace=namespace)
        if isinstance(target, RuntimeTarget):
            await self._endpoints.ready(target)
        told = explain(
            target,
            _need(chat, query),
            request.headers,
            board=self._board,
            endpoints=self._endpoints,
            draw=self._draw,
            now=self._timer(),
        )
        shown = {"model": chat.model, "namespace": namespace, "revision": runtime.revision, **told}
        return Answer(200 if told["found"] else 404, orjson.dumps(shown), headers=(("cache-control", "no-store"),))


def _imagined(query: dict[str, str]) -> bytes:
    model = query.get("model")
    if not model:
        raise Refused(400, "Name a model: /explain?model=NAME")
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": ""}],
        "stream": query.get("stream", "").lower() in {"1", "true", "yes"},
    }
    return orjson.dumps(body)


def _need(chat: ChatRequest, query: dict[str, str]) -> Need:
    need = chat.need
    tokens = query.get("tokens")
    if tokens is not None:
        if not tokens.isdecimal():
            raise Refused(400, f"tokens is {tokens[:20]!r}; it takes a whole number")
        need = replace(need, input_tokens=int(tokens))
    required = frozenset(_capability(name) for name in query.get("requires", "").split(",") if name.strip())
    return replace(need, capabilities=need.capabilities | required)


def _capability(name: str) -> Capability:
    found = _CAPABILITIES.get(name.strip().lower())
    if found is None:
        known = ", ".join(capability.value for capability in Capability)
        raise Refused(400, f"requires names {name.strip()[:40]!r}; it takes any of {known}")
    return found
