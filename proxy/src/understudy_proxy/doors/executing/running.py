"""Calls of one round on their way: several at once, within a bound, and none beyond the time that there is."""

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.dialects.canonical.content import ToolResult
from understudy_proxy.doors.door import Headers
from understudy_proxy.rounds.decide import Planned, Round
from understudy_proxy.rounds.results import GIVEN_UP, result_of
from understudy_proxy.tools.tools import Tools

MAX_AT_ONCE = 8
"""Of one round; the rest wait for these."""


class Running:
    """Runs a round's calls, as an asynchronous context manager; leaving it cancels what is under way.

    Args:
        tools: What runs them.
        todo: The round.
        known: The tools by the names of their functions; of others the model is told that they are out.
        forward: Headers that go along.
        deadline: Monotonic seconds, after which calls are given up.
    """

    def __init__(
        self, tools: Tools, todo: Round, known: Mapping[str, RuntimeTool], *, forward: Headers, deadline: float
    ) -> None:
        self._tools = tools
        self._todo = todo
        self._known = known
        self._forward = forward
        self._deadline = deadline
        self._room = asyncio.Semaphore(MAX_AT_ONCE)
        self._tasks: list[asyncio.Task[ToolResult]] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self._tasks = [
            asyncio.create_task(self._run(planned), name=f"tool {planned.call.name[:64]}")
            for planned in self._todo.calls
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def finished(self, *, within_seconds: float | None = None) -> bool:
        """Wait for all of them, at most so long; whether they are done."""
        _, under_way = await asyncio.wait(self._tasks, timeout=within_seconds)
        return not under_way

    def results(self) -> list[ToolResult]:
        """What came of them, in the order in which they were called."""
        return [task.result() for task in self._tasks]

    async def _run(self, planned: Planned) -> ToolResult:
        call = planned.call
        if planned.instead is not None:
            return result_of(call, planned.instead, failed=True)
        tool = self._known.get(call.name)
        if tool is None:
            return result_of(call, f"{call.name} is not available at the moment.", failed=True)
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()), self._room:
                outcome = await self._tools.run(tool, call.arguments, forward=self._forward)
        except TimeoutError:
            return result_of(call, GIVEN_UP, failed=True)
        return result_of(call, outcome.text, failed=not outcome.success)
