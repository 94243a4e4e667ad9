"""Both clients of the product before the same test: the one that waits, and the one of asyncio."""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2

from understudy import AsyncClient, Client, Clock

Kind = type[Client | AsyncClient]
KINDS: Sequence[Kind] = (Client, AsyncClient)


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


class Gateway:
    """Answers in turn with what it is given, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.requests: list[httpx2.Request] = []
        self._answers = list(answers)
        self._lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer."""
        with self._lock:
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    def bodies(self) -> list[Any]:
        """What it was asked."""
        return [json.loads(each.content) for each in self.requests]

    def bodies_of(self, path: str) -> list[Any]:
        """What it was asked at a path."""
        return [json.loads(each.content) for each in self.requests if each.url.path == path]


def made(kind: Kind, gateway: Gateway, waits: Waits | None = None, **given: Any) -> Any:
    """A client of a gateway."""
    transport: Any = httpx2.MockTransport(gateway)
    return kind("http://gw/v1", transport=transport, clock=(waits or Waits()).clock, **given)


def answer(text: str = "Hello", *, calls: Mapping[str, str] | None = None, **headers: str) -> httpx2.Response:
    """A whole answer; `calls` are arguments by function."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": f"call-{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for name, arguments in calls.items()
        ]
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return httpx2.Response(200, json={"model": "m", "choices": [choice], "usage": usage}, headers=headers)


def refusal(status: int, **headers: str) -> httpx2.Response:
    """A refusal of the gateway's."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json={"error": {"message": f"No: {status}.", "code": "no"}}, headers=named)


async def entered(block: Any) -> Any:
    """What the block of a context manager of either kind begins with."""
    if hasattr(block, "__aenter__"):
        return await block.__aenter__()
    return await asyncio.to_thread(block.__enter__)


async def left(block: Any) -> None:
    """Leave the block in good order."""
    if hasattr(block, "__aexit__"):
        await block.__aexit__(None, None, None)
    else:
        await asyncio.to_thread(block.__exit__, None, None, None)
