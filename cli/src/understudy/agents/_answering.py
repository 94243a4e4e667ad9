"""What an agent answers with: a function, or a model that a gateway knows.

A function gets the request, and returns a text, a `ChatResult`, a message in OpenAI's form, or yields pieces of text.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import aclosing
from contextvars import Context, copy_context
from typing import Any, Protocol

from understudy.agents._request import AgentRequest
from understudy.client import AsyncClient, ChatResult

Tell = Callable[[str], Awaitable[None]]
"""What is told a piece of text as it comes."""
_END = object()


class Answering(Protocol):
    """Whoever answers for an agent."""

    async def answer(self, request: AgentRequest, tell: Tell | None) -> dict[str, Any]:
        """The assistant's message; to `tell` it piece by piece meanwhile.

        Raises:
            Exception: whatever goes wrong; its words are for whoever asked.
        """


class Function:
    """A Python function that answers."""

    def __init__(self, function: Callable[[AgentRequest], Any], threads: Executor) -> None:
        """Of one argument, a coroutine function and a generator as well; what waits does so in `threads`."""
        self._function = function
        self._threads = threads

    async def answer(self, request: AgentRequest, tell: Tell | None) -> dict[str, Any]:
        """What it returns, or all that it yields."""
        said = await self._called(request)
        if not isinstance(said, AsyncIterator | Iterator):
            message = as_message(said)
            if tell is not None and message["content"]:
                await tell(message["content"])
            return message
        texts: list[str] = []
        async with aclosing(self._pieces(said)) as pieces:
            async for piece in pieces:
                texts.append(piece)
                if tell is not None:
                    await tell(piece)
        return as_message("".join(texts))

    async def _called(self, request: AgentRequest) -> Any:
        if inspect.isasyncgenfunction(self._function):
            return self._function(request)
        if inspect.iscoroutinefunction(self._function):
            return await self._function(request)
        return await self._waited(copy_context(), self._function, request)

    async def _pieces(self, said: AsyncIterator[Any] | Iterator[Any]) -> AsyncGenerator[str, None]:
        if isinstance(said, AsyncIterator):
            async for piece in said:
                yield str(piece)
            return
        context = copy_context()
        while (piece := await self._waited(context, next, said, _END)) is not _END:
            yield str(piece)

    async def _waited(self, context: Context, function: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, function, *given)


class Model:
    """A model, a route or a persona of a gateway."""

    def __init__(self, client: AsyncClient, name: str) -> None:
        """Ask `name` by `client`."""
        self._client = client
        self._name = name

    async def answer(self, request: AgentRequest, tell: Tell | None) -> dict[str, Any]:
        """What the model says."""
        name = self._asked(request.model_params.get("model"))
        if tell is None:
            return as_message(await self._client.chat(name, request.messages, **request.options))
        async with await self._client.chat(name, request.messages, stream=True, **request.options) as stream:
            async for chunk in stream:
                if chunk.text:
                    await tell(chunk.text)
            return as_message(await stream.result())

    def _asked(self, other: Any) -> str:
        """Another model of the same vendor may be asked for; any other vendor's is not this agent's to ask."""
        vendor, slash, _ = self._name.partition("/")
        return other if isinstance(other, str) and slash and other.startswith(f"{vendor}/") else self._name


def as_message(said: Any) -> dict[str, Any]:
    """The assistant's message of what a function returned, with its usage where that is known.

    Raises:
        TypeError: it returned what is no answer.
    """
    match said:
        case str():
            return {"role": "assistant", "content": said}
        case ChatResult():
            return _of_result(said)
        case Mapping():
            content = said.get("content")
            return {**said, "role": "assistant", "content": content if isinstance(content, str) else ""}
    kind = type(said).__name__
    raise TypeError(f"the agent's function returned {kind}, and not a text, a message or a ChatResult")


def _of_result(result: ChatResult) -> dict[str, Any]:
    message = {**result.message, "content": result.text or result.refusal}
    if result.usage is not None:
        message["_mesh_usage"] = {
            "prompt_tokens": result.usage.input_tokens,
            "completion_tokens": result.usage.output_tokens,
            "model": result.model,
        }
    return message
