"""An answer as it comes, for code that waits."""

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

import httpx2

from understudy.client._answers import MAX_EVENT_BYTES
from understudy.client._results import ChatResult
from understudy.client._streams import Chunk, Folding


class ChatStream:
    """An answer as it comes: an iterator of `Chunk`s, and a context manager that ends it when it is left early."""

    def __init__(self, response: httpx2.Response, fold: Folding) -> None:
        """Read the pieces of an open response into `fold`."""
        self._response = response
        self._fold = fold
        self._pieces = self._read()

    @property
    def so_far(self) -> ChatResult:
        """What has been said until now."""
        return self._fold.result()

    def result(self) -> ChatResult:
        """The whole answer, waited for.

        Raises:
            Interrupted: it broke off, or was closed before its end.
        """
        for _ in self._pieces:
            pass
        self._fold.end()
        return self._fold.result()

    def close(self) -> None:
        """End it here; the gateway cancels the provider."""
        self._pieces.close()
        self._response.close()

    def __iter__(self) -> Iterator[Chunk]:
        return self._pieces

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> Generator[Chunk, None, None]:
        try:
            for event in httpx2.EventSource(self._response, max_event_size=MAX_EVENT_BYTES):
                if event.data and (chunk := self._fold.add(event.data)):
                    yield chunk
                if self._fold.is_done:
                    break
            self._fold.end()
        except httpx2.RequestError as error:
            self._fold.end(error)
        finally:
            self._response.close()
