"""A tool loop, run by a coroutine: coroutine functions are called as tasks, the others in threads."""

import asyncio
from collections.abc import Awaitable, Callable

from understudy.client._results import ChatResult
from understudy.client._tool_loop import ToolLoop, ToolRun, Wanted
from understudy.client._tools import raised, told


async def run_loop(loop: ToolLoop, ask: Callable[[], Awaitable[ChatResult]]) -> ToolRun:
    """Ask, and call what is to be called, until the model is done.

    Raises:
        TooManyRounds: it is not, after as many rounds as are allowed.
    """
    while True:
        took = loop.take(await ask())
        if isinstance(took, ToolRun):
            return took
        loop.give(took, await asyncio.gather(*map(_perform, took)))


async def _perform(wanted: Wanted) -> str:
    """Make a call, and tell what came of it."""
    if isinstance(wanted.action, str):
        return wanted.action
    function, arguments = wanted.action.function, wanted.action.arguments
    try:
        if wanted.action.is_async:
            return told(await function(**arguments))
        return told(await asyncio.to_thread(function, **arguments))
    except Exception as error:  # noqa: BLE001 - whatever a function raises is the model's to know
        return raised(error)
