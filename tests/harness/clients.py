"""Both clients of the product before the same test: the one that waits, and the one of asyncio."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from understudy import AsyncClient, Client, Clock

KINDS: Sequence[type[Client | AsyncClient]] = (Client, AsyncClient)


class Waits:
    """A clock that goes on only when somebody sleeps, and chance that is always the same."""

    def __init__(self, *, chance: float = 0.5) -> None:
        self.slept: list[float] = []
        self.clock = Clock(
            now=lambda: sum(self.slept), chance=lambda: chance, sleep=self._sleep, sleep_async=self._sleep_async
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def _sleep_async(self, seconds: float) -> None:
        self.slept.append(seconds)


async def ask(client: Client | AsyncClient, method: str, *given: Any, **named: Any) -> Any:
    """What a method of either client returns; one that waits does so in a thread."""
    return await _called(getattr(client, method), *given, **named)


async def pieces(stream: Any, into: list[str]) -> None:
    """Keep the texts of a stream as they come, so that they are there where it breaks off."""
    if hasattr(stream, "__aiter__"):
        async for chunk in stream:
            into.append(chunk.text)  # noqa: PERF401 - a comprehension keeps nothing of a stream that breaks off
        return

    def read() -> None:
        for chunk in stream:
            into.append(chunk.text)  # noqa: PERF401 - as above

    await asyncio.to_thread(read)


async def finished(stream: Any) -> Any:
    """The whole of a stream."""
    return await _called(stream.result)


async def closed(client: Any) -> None:
    """Close a client or a stream."""
    await _called(client.close)


async def _called(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(*given, **named)
    return await asyncio.to_thread(function, *given, **named)
