"""What a client is asked to do, and what it tells of it: a line of JSON each, the same for both generations.

A task is `{"url", "mode"?, "deeds": [...]}`: connect, do all deeds, leave. A deed is `{"do": "list"}`, or `{"do":
"call", "name", "arguments", "progress"?, "leave_after"?}`; with `leave_after` the client gives up once it has heard so
much of progress. Nothing here needs more than Python.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Have = Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]


class Listener:
    """Hears progress, and may have heard enough of it."""

    def __init__(self, *, leave_after: int | None) -> None:
        self.heard: list[list[Any]] = []
        self.enough = asyncio.Event()
        self._leave_after = leave_after

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """Note what is told."""
        self.heard.append([progress, total, message])
        if self._leave_after is not None and len(self.heard) >= self._leave_after:
            self.enough.set()

    async def until_enough(self, call: Awaitable[Any]) -> Any:
        """The outcome of `call`; None where enough was heard before it."""
        calling, leaving = asyncio.ensure_future(call), asyncio.ensure_future(self.enough.wait())
        await asyncio.wait({calling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if self.enough.is_set():
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return None
        return await calling


def told(raised: BaseException) -> dict[str, Any]:
    """What an exception tells the one who catches it; of a group, the first that says something."""
    while isinstance(raised, BaseExceptionGroup):
        raised = raised.exceptions[0]
    error = getattr(raised, "error", None)
    return {
        "error": type(raised).__name__,
        "message": getattr(error, "message", str(raised)),
        "code": getattr(error, "code", None),
    }


def serve(have: Have) -> None:
    """Answer tasks until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        try:
            report = asyncio.run(have(json.loads(line)))
        except BaseException as raised:  # noqa: BLE001 - whatever the client raises is what its user gets
            report = told(raised)
        answers.write(json.dumps(report) + "\n")
        answers.flush()
