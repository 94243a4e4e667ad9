"""A model that agents offer, asked from coroutines."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, Literal, TypeVar, Unpack, overload

from understudy.agents._addresses import Addresses
from understudy.agents._asking import AgentFold, agent_call, agent_headers, as_event, asked, is_stream, refused
from understudy.agents._directory import AGENTS, ASK_SECONDS, Directory, no_list, untried
from understudy.agents._matching import Offer
from understudy.agents._tracing import TRACE
from understudy.client import (
    AsyncChatStream,
    ChatOptions,
    ChatResult,
    Clock,
    Interrupted,
    ToolRun,
    Unavailable,
    UnderstudyError,
)
from understudy.client._async_connection import AsyncConnection
from understudy.client._async_running import run_loop
from understudy.client._requests import Messages
from understudy.client._tool_loop import MAX_ROUNDS, ToolLoop

T = TypeVar("T")


class AsyncLLM:
    """A model that agents offer: call it with a text or a conversation, and await the answer.

    `@llm` hands it to a coroutine function for one call.
    """

    def __init__(self, directory: Directory, addresses: Addresses, clock: Clock) -> None:
        """Whoever fits in `directory`, which is kept up to date."""
        self._directory = directory
        self._addresses = addresses
        self._clock = clock
        self._connections: dict[str, AsyncConnection] = {}

    @overload
    async def __call__(
        self, messages: Messages, *, stream: Literal[False] = False, **options: Unpack[ChatOptions]
    ) -> ChatResult: ...

    @overload
    async def __call__(
        self, messages: Messages, *, stream: Literal[True], **options: Unpack[ChatOptions]
    ) -> AsyncChatStream: ...

    @overload
    async def __call__(
        self, messages: Messages, *, stream: bool, **options: Unpack[ChatOptions]
    ) -> ChatResult | AsyncChatStream: ...

    async def __call__(
        self, messages: Messages, *, stream: bool = False, **options: Unpack[ChatOptions]
    ) -> ChatResult | AsyncChatStream:
        """Ask whoever fits best; the next one where nobody answers there.

        Args:
            messages: A text, or a conversation in OpenAI's form.
            stream: Return as soon as the answer begins. It ends when the function does.
            options: See `ChatOptions`.

        Raises:
            ProviderNotFound: nobody fits.
            UnderstudyError: no answer.
        """
        request = asked(messages, options)
        if stream:
            return await self._first(lambda offer: self._open(offer, request, stream=True), stream=True)

        async def whole(offer: Offer) -> ChatResult:
            async with await self._open(offer, request, stream=False) as answer:
                return await answer.result()

        return await self._first(whole, stream=False)

    async def run(self, messages: Messages, *, max_rounds: int = MAX_ROUNDS, **options: Unpack[ChatOptions]) -> ToolRun:
        """As `AsyncClient.run`: ask, call the `tools` that the model wants called, until it is done.

        Raises:
            TooManyRounds: the model was asked `max_rounds` times, and still calls.
            TypeError: a tool is no function.
            UnderstudyError: as a call.
        """
        loop = ToolLoop(messages, options, max_rounds=max_rounds)
        return await run_loop(loop, lambda: self(loop.messages, **loop.options))

    async def close(self) -> None:
        """Close the connections."""
        while self._connections:
            await self._connections.popitem()[1].close()

    async def _first(self, use: Callable[[Offer], Awaitable[T]], *, stream: bool) -> T:
        """What comes of the first one that answers, among those that are known, then among those there are now."""
        began, tried = self._clock.now(), set[str]()
        failure: UnderstudyError | None = None
        for again in (False, True):
            now = self._clock.now()
            if not (self._directory.was_asked_since(began) if again else self._directory.is_fresh(now)):
                await self._look(now)
            for offer in untried(self._directory.candidates(now, stream=stream), tried):
                try:
                    return await use(offer)
                except (Unavailable, Interrupted) as error:
                    self._directory.could_not_reach(offer, self._clock.now())
                    failure = error
        raise failure or self._directory.not_found()

    async def _look(self, now: float) -> None:
        registry = self._connection(self._addresses.registry.url, name="the registry")
        try:
            listed, _ = await registry.once(AGENTS, silence=ASK_SECONDS)
        except UnderstudyError as error:
            self._directory.keep(no_list(error, registry.settings.url), now)
        else:
            self._directory.take(listed, now)

    async def _open(self, offer: Offer, request: Mapping[str, Any], *, stream: bool) -> AsyncChatStream:
        connection = self._connection(offer.endpoint, name=f"the agent {offer.agent}")
        call = agent_call(offer, request, stream=stream, trace=TRACE.get())
        async with AsyncExitStack() as leaving:
            response = await leaving.enter_async_context(aclosing(await connection.send(call)))
            if not response.is_success:
                raise refused((await connection.read(response)).refused(response), offer)
            if not is_stream(response):
                response = as_event((await connection.read(response)).content, response)
            leaving.pop_all()
        return AsyncChatStream(response, AgentFold(offer, stream=stream))

    def _connection(self, url: str, *, name: str) -> AsyncConnection:
        if url not in self._connections:
            registry = self._addresses.registry
            settings = registry if url == registry.url else self._addresses.agent(url)
            headers = agent_headers(settings.timeout)
            self._connections[url] = AsyncConnection(settings, headers, transport=None, clock=self._clock, name=name)
        return self._connections[url]
