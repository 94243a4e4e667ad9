"""A persona whose tools the gateway runs, with all that belongs to it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from harness.gateways import Serving, in_order, persona, snapshot
from harness.tools import ToolServer, tool, with_tools
from harness.vendors import VENDORS, Vendor
from understudy.mock import Mock
from understudy_api.config import Prompt, Provider, Snapshot, Tool

MODEL = "persona/helper"
CITY: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway, the model behind it, and the tools that it runs."""

    gateway: Serving
    mock: Mock
    tools: ToolServer

    @property
    def port(self) -> int:
        """For callers."""
        return self.gateway.port


def helper(
    providers: Iterable[Provider], tools: Iterable[Tool], *, declared: Iterable[Tool] = (), **prompt: Any
) -> Snapshot:
    """A persona `helper` that runs `tools`; those `declared` are the client's to run."""
    providers, tools, declared = tuple(providers), tuple(tools), tuple(declared)
    made = Prompt(
        tools=tuple(each.declaration for each in (*tools, *declared)),
        executes={each.function: each.key for each in tools},
        revision="r1",
        **prompt,
    )
    role = persona("helper", *in_order(*(each.name for each in providers)), prompt=made)
    return with_tools(snapshot(providers, [role]), tools)


@asynccontextmanager
async def staged(
    *,
    vendor: Vendor | None = None,
    faults: Iterable[str] = (),
    says: dict[str, tuple[int, Any]] | None = None,
    **prompt: Any,
) -> AsyncIterator[Stage]:
    """A persona with the tools `look_up` (echoes), `sums` and `breaks` (answer as `says` tells), and `hangs`."""
    told = {"/sums": (200, {"sum": 42}), "/breaks": (500, {"error": "out of order"}), **(says or {})}
    async with Mock(name="a", faults=list(faults)) as mock, ToolServer(says=told) as server:
        tools = [
            tool("look_up", server.url("/echo"), parameters=CITY),
            tool("sums", server.url("/sums")),
            tool("breaks", server.url("/breaks")),
            tool("hangs", server.url("/hang")),
        ]
        provider = (vendor or VENDORS["openai"]).provider("a", mock.url)
        async with Serving(helper([provider], tools, **prompt)) as gateway:
            yield Stage(gateway, mock, server)
