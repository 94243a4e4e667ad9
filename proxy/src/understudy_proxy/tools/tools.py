"""The tools of a configuration: which ones a caller may use, what a name means, and the running of one.

Whoever asks a model in a conversation (doors) and whoever is asked for a tool by itself come here alike. Left out: who
the caller is, and what is done with an outcome.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from understudy_proxy.config.runtime import Runtime, RuntimeTool
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.routing.names import tool_key
from understudy_proxy.tools.answers import read_answer
from understudy_proxy.tools.arguments import Arguments, BadArguments
from understudy_proxy.tools.calling import CallFailed, Calling
from understudy_proxy.tools.outcome import Outcome, OutcomeKind

MAX_OF_ONE = 64
"""Calls of one tool that are under way at once, in one worker: a tool that hangs takes no more than these."""
MAX_AT_ONCE = 512
"""Calls of all tools."""
_QUOTING = frozenset({OutcomeKind.INVALID_ARGUMENTS, OutcomeKind.FAILED})
"""Their errors hold words of arguments or answers, which are in no log."""
CANCELLED = "cancelled"
"""The outcome, for numbers, of a call whose caller left."""


class CallLog(Protocol):
    """Who wants to know of calls."""

    def called(self, tool: RuntimeTool, outcome: str, *, seconds: float, error: str | None, request_id: str) -> None:
        """A call has ended."""


class Tools:
    """Finds tools, and runs them."""

    def __init__(self, resolver: Resolver, *, log: CallLog) -> None:
        self._arguments = Arguments()
        self._calling = Calling(resolver)
        self._log = log
        self._under_way: Counter[str] = Counter()

    def usable(self, runtime: Runtime, *, namespace: str | None) -> tuple[RuntimeTool, ...]:
        """What a caller in `namespace` finds under each name, sorted by function; also what only clients can run."""
        found = (self._found(runtime, keys, namespace) for keys in runtime.index.tools.values())
        return tuple(sorted((tool for tool in found if tool), key=lambda tool: tool.function))

    def find(self, runtime: Runtime, name: str, *, namespace: str | None) -> RuntimeTool | None:
        """The tool whose function is called so, in the caller's own namespace first; `-` and `_` are the same."""
        return self._found(runtime, runtime.index.tools.get(tool_key(name), ()), namespace)

    async def run(self, tool: RuntimeTool, arguments: object, *, forward: tuple[tuple[str, str], ...] = ()) -> Outcome:
        """Call `tool` with `arguments`, an object or the JSON text of one; `forward` are headers to go along.

        Never raises, whatever the tool does: the outcome tells. Cancelling ends the call at once.
        """
        started = time.monotonic()
        outcome: Outcome | None = None
        try:
            outcome = await self._run(tool, arguments, forward)
            return outcome
        finally:
            self._log.called(
                tool,
                outcome.kind if outcome else CANCELLED,
                seconds=time.monotonic() - started,
                error=outcome.error if outcome and outcome.kind not in _QUOTING else None,
                request_id=dict(forward).get("x-request-id", ""),
            )

    def forget(self, _runtime: Runtime) -> None:
        """A new configuration is about to serve."""
        self._arguments.forget()

    async def close(self) -> None:
        """Close what is open."""
        await self._calling.close()

    async def _run(self, tool: RuntimeTool, arguments: object, forward: tuple[tuple[str, str], ...]) -> Outcome:
        handler = tool.handler
        if handler is None:
            message = f"{tool.function} is not run by the gateway: {tool.out}"
            return Outcome.failed(OutcomeKind.NOT_EXECUTABLE, message)
        try:
            checked = self._arguments.checked(tool, arguments)
            with self._counted(tool):
                async with asyncio.timeout(handler.timeout_seconds):
                    answer = await self._calling.call(handler, checked, forward=forward)
        except BadArguments as error:
            return Outcome.failed(OutcomeKind.INVALID_ARGUMENTS, f"{tool.function} was not called: {error}")
        except CallFailed as error:
            return Outcome.failed(error.kind, f"{tool.function} failed: {error}")
        except TimeoutError:
            message = f"{tool.function} failed: it did not answer within {handler.timeout_seconds:g} s"
            return Outcome.failed(OutcomeKind.TIMEOUT, message)
        return read_answer(answer, secret=handler.secret)

    @contextmanager
    def _counted(self, tool: RuntimeTool) -> Iterator[None]:
        if self._under_way[tool.key] >= MAX_OF_ONE or self._under_way.total() >= MAX_AT_ONCE:
            raise CallFailed(OutcomeKind.BUSY, "as many calls are under way as there may be; try again shortly")
        self._under_way[tool.key] += 1
        try:
            yield
        finally:
            self._under_way[tool.key] -= 1
            if not self._under_way[tool.key]:
                del self._under_way[tool.key]

    @staticmethod
    def _found(runtime: Runtime, keys: tuple[str, ...], namespace: str | None) -> RuntimeTool | None:
        others: RuntimeTool | None = None
        for tool in (runtime.tools[key] for key in keys):
            if namespace is not None and tool.namespace == namespace:
                return tool
            if others is None and (tool.visible_to is None or namespace in tool.visible_to):
                others = tool
        return others
