"""The client for asyncio. What goes over the wire, and what is made of it, is shared with `_sync`."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx2

from understudy.client._async_connection import AsyncConnection
from understudy.client._async_running import run_loop
from understudy.client._async_server_tools import AsyncServerTools
from understudy.client._async_session import AsyncSession
from understudy.client._async_stream import AsyncChatStream
from understudy.client._batches import CONCURRENCY, Outcome, Progress, batch_calls, shown
from understudy.client._clock import Clock
from understudy.client._errors import UnderstudyError
from understudy.client._listings import Persona, Provider, persona_list, provider_list
from understudy.client._readiness import ASK_SECONDS, not_ready, pauses
from understudy.client._requests import MODELS, PERSONAS, PROVIDERS, READY, Ask, Call, ChatOptions, Messages, chat_call
from understudy.client._results import ChatResult, Model, chat_result, model_list
from understudy.client._sessions import DEFAULT_MODEL
from understudy.client._settings import Settings
from understudy.client._tool_loop import MAX_ROUNDS, ToolLoop, ToolRun

T = TypeVar("T")


class AsyncClient:
    """A gateway, asked from coroutines. For one event loop; close it when done."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        token_file: str | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock = Clock(),  # noqa: B008 - frozen
    ) -> None:
        """Ask the gateway at `url`; whatever is left out comes from the environment (`docs/client.md`).

        Args:
            url: With or without /v1 at its end; `/ns/NAMESPACE` before that pins the namespace.
            api_key: "" for none, whatever the environment holds.
            token_file: A file with a token that somebody else renews.
            timeout: The longest silence, in seconds.
            retries: How often what passes is asked again.
            headers: Sent with every request.
            transport: httpx2's, for proxies and certificates of one's own.
            clock: Where waits and chance come from.

        Raises:
            ConfigurationError: a value that cannot be one.
        """
        settings = Settings.read(
            os.environ, url=url, api_key=api_key, token_file=token_file, timeout=timeout, retries=retries
        )
        self._connection = AsyncConnection(settings, headers, transport=transport, clock=clock)

    @overload
    async def chat(
        self, model: str, messages: Messages, *, stream: Literal[False] = False, **options: Unpack[ChatOptions]
    ) -> ChatResult: ...

    @overload
    async def chat(
        self, model: str, messages: Messages, *, stream: Literal[True], **options: Unpack[ChatOptions]
    ) -> AsyncChatStream: ...

    @overload
    async def chat(
        self, model: str, messages: Messages, *, stream: bool, **options: Unpack[ChatOptions]
    ) -> ChatResult | AsyncChatStream: ...

    async def chat(
        self, model: str, messages: Messages, *, stream: bool = False, **options: Unpack[ChatOptions]
    ) -> ChatResult | AsyncChatStream:
        """Ask a route, a persona (`persona/NAME`) or a model (`PROVIDER/MODEL`), once.

        Args:
            model: Whom to ask.
            messages: A text, or a conversation in OpenAI's form.
            stream: Return as soon as the answer begins.
            options: See `ChatOptions`.

        Raises:
            UnderstudyError: no answer, after as many retries as are set.
        """
        call = chat_call(model, messages, options, stream=stream)
        return await (self._connection.stream(call) if stream else self._answered(call))

    async def run(
        self, model: str, messages: Messages, *, max_rounds: int = MAX_ROUNDS, **options: Unpack[ChatOptions]
    ) -> ToolRun:
        """Ask, call the `tools` that the model wants called, tell it the results, until it is done.

        Calls of one answer run at the same time: coroutines as tasks, other functions in threads. What a function
        raises is told to the model.

        Raises:
            TooManyRounds: the model was asked `max_rounds` times, and still calls.
            TypeError: a tool is no function.
            UnderstudyError: as `chat`.
        """
        loop = ToolLoop(messages, options, max_rounds=max_rounds)
        return await run_loop(loop, lambda: self.chat(model, loop.messages, **loop.options))

    def session(
        self,
        model: str = DEFAULT_MODEL,
        *,
        id: str | None = None,  # noqa: A002 - what it is called on the wire
        ttl: float | None = None,
        context: Mapping[str, Any] | None = None,
        keep: bool = False,
    ) -> AsyncSession:
        """A conversation that the gateway remembers: a new one, or with `id` one that is there.

        Args:
            model: Whom to ask, where a turn does not say another.
            id: Of the session to reopen.
            ttl: Seconds after the last turn until it is forgotten; None leaves it to the gateway.
            context: What personas are told of it, by the names of their variables.
            keep: Whether it is still there when its block is left; a reopened one always is.

        Raises:
            TypeError: `ttl` or `context` for a session that is there already.
        """
        return AsyncSession(self._connection, model=model, session_id=id, ttl=ttl, context=context, keep=keep)

    async def batch(
        self,
        requests: Iterable[Messages | Ask],
        *,
        model: str | None = None,
        concurrency: int = CONCURRENCY,
        progress: Progress = False,
        **options: Unpack[ChatOptions],
    ) -> list[Outcome]:
        """Ask many, `concurrency` at a time; what came of each, in the order of the requests.

        Args:
            requests: A text, a conversation, or an `Ask` each.
            model: Whom to ask, where an `Ask` does not say another.
            concurrency: How many are under way at once.
            progress: A bar on standard error, or a function that is told (done, of how many).
            options: For all, where an `Ask` does not say another.

        Raises:
            TypeError: a request cannot be made; then none is.
            ValueError: `concurrency` is less than 1.
        """
        calls = batch_calls(requests, model=model, concurrency=concurrency, options=options)
        outcomes = [Outcome()] * len(calls)
        waiting = iter(enumerate(calls))
        with shown(progress, len(calls)) as step:

            async def work() -> None:
                for index, call in waiting:
                    outcomes[index] = await self._outcome(call)
                    step()

            async with asyncio.TaskGroup() as workers:
                for _ in range(min(concurrency, len(calls))):
                    workers.create_task(work())
        return outcomes

    @property
    def tools(self) -> AsyncServerTools:
        """Functions that the gateway runs."""
        return AsyncServerTools(self._connection)

    async def models(self) -> tuple[Model, ...]:
        """The names that this caller may ask for.

        Raises:
            UnderstudyError: as `chat`.
        """
        return model_list((await self._connection.answer(MODELS))[0])

    async def personas(self) -> tuple[Persona, ...]:
        """The roles that this caller may cast.

        Raises:
            UnderstudyError: as `chat`.
        """
        return persona_list((await self._connection.answer(PERSONAS))[0])

    async def providers(self) -> tuple[Provider, ...]:
        """Where models run that this caller may ask for.

        Raises:
            UnderstudyError: as `chat`.
        """
        return provider_list((await self._connection.answer(PROVIDERS))[0])

    async def wait_until_ready(self, within_seconds: float = 60.0) -> None:
        """Wait until the gateway would be sent requests.

        Raises:
            Unavailable: not by then; the message says what it answered last.
        """
        deadline = self._connection.clock.now() + within_seconds
        for pause in pauses():
            try:
                await self._connection.once(READY, silence=min(ASK_SECONDS, within_seconds))
            except UnderstudyError as error:
                if self._connection.clock.now() + pause > deadline:
                    raise not_ready(self._connection.settings.url, seconds=within_seconds, error=error) from error
                await self._connection.clock.sleep_async(pause)
            else:
                return

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self._connection.settings.url!r})"

    async def _answered(self, call: Call) -> ChatResult:
        return chat_result(*await self._connection.answer(call))

    async def _outcome(self, call: Call) -> Outcome:
        try:
            return Outcome(result=await self._answered(call))
        except UnderstudyError as error:
            return Outcome(error=error)
