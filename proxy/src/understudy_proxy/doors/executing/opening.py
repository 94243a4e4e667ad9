"""Something that takes time to open, and somebody who does something else meanwhile."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, Self, TypeVar

Opened = TypeVar("Opened")


class Opening(Generic[Opened]):
    """Opens a context in a task of its own. Leaving this leaves that for the same reason, or stops opening it."""

    def __init__(self, context: AbstractAsyncContextManager[Opened], *, name: str) -> None:
        """The task is called `name`."""
        self._context = context
        self._name = name

    async def __aenter__(self) -> Self:
        """Begin."""
        self._task: asyncio.Task[Opened] = asyncio.create_task(self._enter(), name=self._name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave it, if it is open; stop, if it is not yet."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        if self._task.cancelled() or self._task.exception() is not None:
            return None
        return await self._context.__aexit__(kind, error, traceback)

    async def finished(self, *, within_seconds: float | None = None) -> bool:
        """Wait for it, at most so long; whether it is open, or cannot be opened."""
        done, _ = await asyncio.wait((self._task,), timeout=within_seconds)
        return bool(done)

    def opened(self) -> Opened:
        """What was opened; raises why it could not be."""
        return self._task.result()

    async def _enter(self) -> Opened:
        return await self._context.__aenter__()
