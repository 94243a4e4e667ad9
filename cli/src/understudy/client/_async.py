"""The client for asyncio. What goes over the wire, and what is made of it, is shared with `_sync`."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from itertools import count
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx2

from understudy.client._answers import Body, check_is_stream
from understudy.client._async_stream import AsyncChatStream
from understudy.client._batches import CONCURRENCY, Outcome, Progress, batch_calls, shown
from understudy.client._clock import Clock
from understudy.client._errors import UnderstudyError
from understudy.client._failures import from_transport
from understudy.client._http import authorization, http_options
from understudy.client._readiness import ASK_SECONDS, not_ready, pauses
from understudy.client._requests import MODELS, READY, Ask, Call, ChatOptions, Messages, chat_call
from understudy.client._results import ChatResult, Model, chat_result, model_list
from understudy.client._retrying import Retrying
from understudy.client._settings import Settings
from understudy.client._tool_loop import MAX_ROUNDS, ToolLoop, ToolRun, Wanted
from understudy.client._tools import raised, told

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
        self._settings = Settings.read(
            os.environ, url=url, api_key=api_key, token_file=token_file, timeout=timeout, retries=retries
        )
        self._retrying = Retrying(self._settings.retries)
        self._clock = clock
        self._http = httpx2.AsyncClient(**http_options(self._settings, headers), transport=transport)

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
        return await (self._retried(lambda: self._open(call)) if stream else self._answered(call))

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
        while True:
            took = loop.take(await self.chat(model, loop.messages, **loop.options))
            if isinstance(took, ToolRun):
                return took
            loop.give(took, await asyncio.gather(*map(_perform, took)))

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
        """
        calls = batch_calls(requests, model=model, options=options)
        outcomes = [Outcome()] * len(calls)
        waiting = iter(enumerate(calls))
        with shown(progress, len(calls)) as step:

            async def work() -> None:
                for index, call in waiting:
                    outcomes[index] = await self._outcome(call)
                    step()

            async with asyncio.TaskGroup() as workers:
                for _ in range(min(max(1, concurrency), len(calls))):
                    workers.create_task(work())
        return outcomes

    async def models(self) -> tuple[Model, ...]:
        """The names that this caller may ask for.

        Raises:
            UnderstudyError: as `chat`.
        """
        return model_list((await self._retried(lambda: self._ask(MODELS)))[0])

    async def wait_until_ready(self, within_seconds: float = 60.0) -> None:
        """Wait until the gateway would be sent requests.

        Raises:
            Unavailable: not by then; the message says what it answered last.
        """
        deadline = self._clock.now() + within_seconds
        for pause in pauses():
            try:
                await self._ask(READY, silence=min(ASK_SECONDS, within_seconds))
            except UnderstudyError as error:
                if self._clock.now() + pause > deadline:
                    raise not_ready(self._settings.url, seconds=within_seconds, error=error) from error
                await self._clock.sleep_async(pause)
            else:
                return

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self._settings.url!r})"

    async def _answered(self, call: Call) -> ChatResult:
        return chat_result(*await self._retried(lambda: self._ask(call)))

    async def _outcome(self, call: Call) -> Outcome:
        try:
            return Outcome(result=await self._answered(call))
        except UnderstudyError as error:
            return Outcome(error=error)

    async def _retried(self, once: Callable[[], Awaitable[T]]) -> T:
        for retried in count():
            try:
                return await once()
            except UnderstudyError as error:
                wait = self._retrying.wait(error, retried=retried, draw=self._clock.chance())
                if wait is None:
                    raise
            await self._clock.sleep_async(wait)
        raise AssertionError("count() does not end")

    async def _ask(self, call: Call, *, silence: float | None = None) -> tuple[Any, httpx2.Headers]:
        """The JSON of a success and its headers."""
        async with aclosing(await self._sent(call, silence=silence)) as response:
            return (await self._read(response)).decoded(response), response.headers

    async def _open(self, call: Call) -> AsyncChatStream:
        async with AsyncExitStack() as leaving:
            response = await leaving.enter_async_context(aclosing(await self._sent(call)))
            if not response.is_success:
                raise (await self._read(response)).refused(response)
            check_is_stream(response)
            leaving.pop_all()
        return AsyncChatStream(response)

    async def _sent(self, call: Call, *, silence: float | None = None) -> httpx2.Response:
        """The answer, with its body yet to be read."""
        request = self._http.build_request(
            call.method,
            call.path,
            json=call.body,
            headers=authorization(self._settings),
            timeout=self._http.timeout if silence is None else silence,
        )
        try:
            return await self._http.send(request, stream=True)
        except httpx2.RequestError as error:
            raise from_transport(error, url=self._settings.url) from error

    async def _read(self, response: httpx2.Response) -> Body:
        body = Body()
        try:
            async for piece in response.aiter_bytes():
                body.add(piece)
        except httpx2.RequestError as error:
            raise from_transport(error, url=self._settings.url) from error
        return body


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
