"""One gateway, and calls of it as HTTP: sent, tried again, read within bounds. For coroutines."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from itertools import count
from typing import Any, TypeVar

import httpx2

from understudy.client._answers import Body, check_is_stream
from understudy.client._async_stream import AsyncChatStream
from understudy.client._clock import Clock
from understudy.client._errors import UnderstudyError
from understudy.client._failures import from_transport
from understudy.client._http import authorization, http_options
from understudy.client._requests import Call
from understudy.client._retrying import Retrying
from understudy.client._settings import Settings
from understudy.client._streams import Fold

T = TypeVar("T")


class AsyncConnection:
    """What a client and all that it hands out share."""

    def __init__(
        self,
        settings: Settings,
        headers: Mapping[str, str] | None,
        *,
        transport: httpx2.AsyncBaseTransport | None,
        clock: Clock,
        name: str = "the gateway",
    ) -> None:
        """Ask the gateway of the settings, with `headers` in every request; `name` is for errors."""
        self.settings = settings
        self.clock = clock
        self._whom = f"{name} at {settings.url}"
        self._retrying = Retrying(settings.retries)
        self._http = httpx2.AsyncClient(**http_options(settings, headers), transport=transport)

    async def answer(self, call: Call) -> tuple[Any, httpx2.Headers]:
        """The JSON of a success and its headers, after as many retries as it takes and may take.

        Raises:
            UnderstudyError: there is none.
        """
        return await self._retried(lambda: self.once(call), repeatable=call.repeatable)

    async def stream(self, call: Call) -> AsyncChatStream:
        """An answer that has begun.

        Raises:
            UnderstudyError: there is none.
        """
        return await self._retried(lambda: self._open(call))

    async def once(self, call: Call, *, silence: float | None = None) -> tuple[Any, httpx2.Headers]:
        """The JSON of a success and its headers, asked for once; `silence` is the longest, in seconds.

        Raises:
            UnderstudyError: there is none.
        """
        async with aclosing(await self.send(call, silence=silence)) as response:
            return (await self.read(response)).decoded(response), response.headers

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _retried(self, once: Callable[[], Awaitable[T]], *, repeatable: bool = True) -> T:
        for retried in count():
            try:
                return await once()
            except UnderstudyError as error:
                wait = self._retrying.wait(error, retried=retried, draw=self.clock.chance(), repeatable=repeatable)
                if wait is None:
                    raise
            await self.clock.sleep_async(wait)
        raise AssertionError("count() does not end")

    async def _open(self, call: Call) -> AsyncChatStream:
        async with AsyncExitStack() as leaving:
            response = await leaving.enter_async_context(aclosing(await self.send(call)))
            if not response.is_success:
                raise (await self.read(response)).refused(response)
            check_is_stream(response)
            leaving.pop_all()
        return AsyncChatStream(response, Fold(response.headers))

    async def send(self, call: Call, *, silence: float | None = None) -> httpx2.Response:
        """The answer, whatever it is, with its body yet to be read: close it.

        Raises:
            UnderstudyError: there is none.
        """
        request = self._http.build_request(
            call.method,
            call.path,
            json=call.body,
            headers=authorization(self.settings),
            timeout=self._http.timeout if silence is None else silence,
        )
        try:
            return await self._http.send(request, stream=True)
        except httpx2.RequestError as error:
            raise from_transport(error, whom=self._whom) from error

    async def read(self, response: httpx2.Response) -> Body:
        """The body of an answer.

        Raises:
            UnderstudyError: it breaks off, or is too large.
        """
        body = Body()
        try:
            async for piece in response.aiter_bytes():
                body.add(piece)
        except httpx2.RequestError as error:
            raise from_transport(error, whom=self._whom) from error
        return body
