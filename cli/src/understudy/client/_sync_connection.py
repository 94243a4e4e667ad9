"""One gateway, and calls of it as HTTP: sent, tried again, read within bounds. For code that waits."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from itertools import count
from typing import Any, TypeVar

import httpx2

from understudy.client._answers import Body, check_is_stream
from understudy.client._clock import Clock
from understudy.client._errors import UnderstudyError
from understudy.client._failures import from_transport
from understudy.client._http import authorization, http_options
from understudy.client._requests import Call
from understudy.client._retrying import Retrying
from understudy.client._settings import Settings
from understudy.client._streams import Fold
from understudy.client._sync_stream import ChatStream

T = TypeVar("T")


class Connection:
    """What a client and all that it hands out share."""

    def __init__(
        self,
        settings: Settings,
        headers: Mapping[str, str] | None,
        *,
        transport: httpx2.BaseTransport | None,
        clock: Clock,
        name: str = "the gateway",
    ) -> None:
        """Ask the gateway of the settings, with `headers` in every request; `name` is for errors."""
        self.settings = settings
        self.clock = clock
        self._whom = f"{name} at {settings.url}"
        self._retrying = Retrying(settings.retries)
        self._http = httpx2.Client(**http_options(settings, headers), transport=transport)

    def answer(self, call: Call) -> tuple[Any, httpx2.Headers]:
        """The JSON of a success and its headers, after as many retries as it takes and may take.

        Raises:
            UnderstudyError: there is none.
        """
        return self._retried(lambda: self.once(call), repeatable=call.repeatable)

    def stream(self, call: Call) -> ChatStream:
        """An answer that has begun.

        Raises:
            UnderstudyError: there is none.
        """
        return self._retried(lambda: self._open(call))

    def once(self, call: Call, *, silence: float | None = None) -> tuple[Any, httpx2.Headers]:
        """The JSON of a success and its headers, asked for once; `silence` is the longest, in seconds.

        Raises:
            UnderstudyError: there is none.
        """
        with closing(self.send(call, silence=silence)) as response:
            return self.read(response).decoded(response), response.headers

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _retried(self, once: Callable[[], T], *, repeatable: bool = True) -> T:
        for retried in count():
            try:
                return once()
            except UnderstudyError as error:
                wait = self._retrying.wait(error, retried=retried, draw=self.clock.chance(), repeatable=repeatable)
                if wait is None:
                    raise
            self.clock.sleep(wait)
        raise AssertionError("count() does not end")

    def _open(self, call: Call) -> ChatStream:
        with ExitStack() as leaving:
            response = leaving.enter_context(closing(self.send(call)))
            if not response.is_success:
                raise self.read(response).refused(response)
            check_is_stream(response)
            leaving.pop_all()
        return ChatStream(response, Fold(response.headers))

    def send(self, call: Call, *, silence: float | None = None) -> httpx2.Response:
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
            return self._http.send(request, stream=True)
        except httpx2.RequestError as error:
            raise from_transport(error, whom=self._whom) from error

    def read(self, response: httpx2.Response) -> Body:
        """The body of an answer.

        Raises:
            UnderstudyError: it breaks off, or is too large.
        """
        body = Body()
        try:
            for piece in response.iter_bytes():
                body.add(piece)
        except httpx2.RequestError as error:
            raise from_transport(error, whom=self._whom) from error
        return body
