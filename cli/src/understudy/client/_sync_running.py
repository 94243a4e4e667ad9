"""A tool loop, run by code that waits: functions are called in threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context

from understudy.client._results import ChatResult
from understudy.client._tool_loop import ToolLoop, ToolRun, Wanted
from understudy.client._tools import raised, told

_PARALLEL_CALLS = 8
"""Functions that one answer's calls run in at the same time."""


def run_loop(loop: ToolLoop, ask: Callable[[], ChatResult]) -> ToolRun:
    """Ask, and call what is to be called, until the model is done.

    Raises:
        TooManyRounds: it is not, after as many rounds as are allowed.
        TypeError: a function must be awaited.
    """
    if loop.needs_async:
        raise TypeError(f"{loop.needs_async} must be awaited: use AsyncClient")
    with ThreadPoolExecutor(_PARALLEL_CALLS, thread_name_prefix="understudy-tool") as pool:
        while True:
            took = loop.take(ask())
            if isinstance(took, ToolRun):
                return took
            contexts = [copy_context() for _ in took]
            loop.give(took, list(pool.map(_perform_in, contexts, took)))


def _perform_in(context: Context, wanted: Wanted) -> str:
    """Make a call with the context variables of whoever asked, such as the trace that it belongs to."""
    return context.run(_perform, wanted)


def _perform(wanted: Wanted) -> str:
    """Make a call, and tell what came of it."""
    if isinstance(wanted.action, str):
        return wanted.action
    try:
        return told(wanted.action.function(**wanted.action.arguments))
    except Exception as error:  # noqa: BLE001 - whatever a function raises is the model's to know
        return raised(error)
