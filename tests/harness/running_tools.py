"""The running of tools, without a gateway around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.gateways import snapshot
from harness.tools import tool, with_tools
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.exchange.resolver import Lookup, Resolver, system_lookup
from understudy_proxy.tools.outcome import Outcome
from understudy_proxy.tools.tools import CallLog, Tools


@dataclass
class KeptCalls:
    """Keeps what is told of calls."""

    outcomes: list[str] = field(default_factory=list)

    def called(self, _tool: RuntimeTool, outcome: str, *, seconds: float, error: str | None, request_id: str) -> None:
        """Keep it."""
        del seconds, error, request_id
        self.outcomes.append(outcome)


@asynccontextmanager
async def running_tools(lookup: Lookup = system_lookup, *, log: CallLog | None = None) -> AsyncIterator[Tools]:
    """What runs tools, with a resolver that asks `lookup` each time."""
    resolver = Resolver(lookup, fresh_seconds=0)
    tools = Tools(resolver, log=log or KeptCalls())
    yield tools
    await tools.close()
    await resolver.close()


async def called(tools: Tools, url: str, *, seconds: float = 5.0) -> Outcome:
    """The outcome of one call of a tool `t` at `url`."""
    configured = with_tools(snapshot([], []), [tool("t", url, timeout_seconds=seconds)])
    return await tools.run(build(configured, now=0).tools["default/t"], {"a": 1})
