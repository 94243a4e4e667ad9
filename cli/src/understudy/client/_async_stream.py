"""An answer as it comes, for asyncio."""

from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self

import httpx2

from understudy.client._answers import MAX_EVENT_BYTES
from understudy.client._results import ChatResult
from understudy.client._streams import Chunk, Folding


class AsyncChatStream:
    """An answer as it comes: an async iterator of `Chunk`s, and a context manager that ends it when left early."""

    def __init__(self, response: httpx2.Response, fold: Folding) -> None:
        """Read the pieces of an open response into `fold`."""
        self._response = response
        self._fold = fold
        self._pieces = self._read()

    @property
    def so_far(self) -> ChatResult:
        """What has been said until now."""
        return self._fold.result()

    async def result(self) -> ChatResult:
        """The whole answer, waited for.

        Raises:
            Interrupted: it broke off, or was closed before its end.
        """
        async for _ in self._pieces:
            pass
        self._fold.end()
        return self._fold.result()

    async def close(self) -> None:
        """End it here; the gateway cancels the provider."""
        await self._pieces.aclose()
        await self._response.aclose()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self._pieces

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self) -> AsyncGenerator[Chunk, None]:
        try:
            async for event in httpx2.EventSource(self._response, max_event_size=MAX_EVENT_BYTES):
                if event.data and (chunk := self._fold.add(event.data)):
                    yield chunk
                if self._fold.is_done:
                    break
            self._fold.end()
        except httpx2.RequestError as error:
            self._fold.end(error)
        finally:
            await self._response.aclose()
