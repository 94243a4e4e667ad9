"""The gateway as an agent among others: what it tells registries of itself, its own among them."""

from collections.abc import Callable
from hashlib import sha256

import orjson

from understudy_proxy.config.runtime import Runtime
from understudy_proxy.mesh.agents import Registration, Tool
from understudy_proxy.mesh.functions import REQUEST_SCHEMA, MeshFunction, functions
from understudy_proxy.routing.default import default_model

NAME = "understudy"
_DESCRIPTION = "An LLM gateway: every route and persona is a provider, with understudies behind it."
_SCHEMA = orjson.dumps(REQUEST_SCHEMA)


def agent_id(*told: object) -> str:
    """An id of the gateway's that is the same whenever `told` is."""
    return f"{NAME}-{sha256(repr(told).encode()).hexdigest()[:8]}"


class House:
    """What the gateway offers now."""

    def __init__(self, *, namespace: str | None, version: str) -> None:
        """An agent of this `version`, for callers whose names are looked up in `namespace`."""
        self._namespace = namespace
        self._version = version
        self._tools: tuple[Tool, ...] = ()
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something else is offered than before."""
        self._listeners.append(listener)

    def use(self, runtime: Runtime) -> None:
        """Offer what `runtime` has."""
        default = default_model(runtime, namespace=self._namespace)
        offered = functions(runtime, namespace=self._namespace, default=default)
        tools = tuple(_tool(each) for each in offered)
        if tools != self._tools:
            self._tools = tools
            for listener in self._listeners:
                listener()

    @property
    def offers(self) -> bool:
        """Whether there is anything that agents could call."""
        return bool(self._tools)

    def agent(self, own_id: str, *, host: str, port: int) -> Registration:
        """The gateway as it is called at this address."""
        return Registration(
            id=own_id,
            name=NAME,
            version=self._version,
            description=_DESCRIPTION,
            host=host,
            port=port,
            tools=self._tools,
        )


def _tool(offered: MeshFunction) -> Tool:
    return Tool(
        function=offered.name,
        capability=offered.capability,
        version=offered.version,
        tags=offered.tags,
        description=offered.description,
        schema=_SCHEMA,
        kwargs=orjson.dumps(offered.kwargs),
        vendor=offered.vendor,
    )
