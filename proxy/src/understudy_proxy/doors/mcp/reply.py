"""The answer to one request of the protocol: plain JSON, or a stream once there is something to tell before it.

A client that wants to know how its request gets on hears of it in a stream, whose last event is the answer. So does a
client that has to wait, because a connection on which nothing moves is cut by what is between.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson

from understudy_proxy.dialects.sse import CONTENT_TYPE
from understudy_proxy.doors.door import Answer, EventStream, Headers, Request
from understudy_proxy.doors.headers import STREAMING
from understudy_proxy.doors.mcp.forms import Forms
from understudy_proxy.mcp.messages import KEPT_ALIVE, Call, Id, event, progress_of

_OK = 200


class Reply:
    """One answer on its way."""

    def __init__(self, request: Request, forms: Forms, headers: Headers, *, token: Id | None) -> None:
        """Answer `request`.

        Args:
            request: What is answered.
            forms: What its sender can read.
            headers: Of the answer, whatever form it takes.
            token: By which its sender knows the progress of the request; None: it wants none.
        """
        self._request = request
        self._forms = forms
        self._headers = headers
        self._token = token if forms.stream else None
        self._flow: EventStream | None = None
        self._writing = asyncio.Lock()
        self._told = 0
        self._written = False

    @classmethod
    def to(cls, request: Request, call: Call, forms: Forms, headers: Headers) -> "Reply":
        """The answer to `call`, which `request` brought."""
        return cls(request, forms, headers, token=call.progress_token)

    @property
    def begun(self) -> bool:
        """Whether a part of the answer is out."""
        return self._flow is not None

    @property
    def heard(self) -> bool:
        """Whether anybody wants to hear of progress."""
        return self._token is not None

    async def tell(self, message: str, *, headers: Headers = ()) -> None:
        """The request gets on; `headers` are those of the answer, as far as it is known."""
        if self._token is not None:
            self._told += 1
            await self._write(event(progress_of(self._token, self._told, message)), headers)

    async def finish(self, message: dict[str, Any] | list[Any], *, status: int, headers: Headers = ()) -> Answer | None:
        """The answer itself; None where it has gone out already. A status of its own is no stream's."""
        if self._flow is None and (self._forms.json or status != _OK):
            return Answer(status, orjson.dumps(message), headers=self._headers + headers)
        await self._write(event(message), headers)
        if self._flow is not None:
            await self._flow.finish()
        return None

    @asynccontextmanager
    async def kept_alive(self, every_seconds: float) -> AsyncIterator[None]:
        """Within this context the client hears from time to time that its answer is still to come."""
        if not self._forms.stream:
            yield
            return
        over = asyncio.Event()
        reminding = asyncio.create_task(self._remind(every_seconds, over), name="mcp-keep-alive")
        try:
            yield
        finally:
            over.set()
            with suppress(ConnectionError):
                await reminding

    async def _remind(self, every_seconds: float, over: asyncio.Event) -> None:
        while not over.is_set():
            self._written = False
            with suppress(TimeoutError):
                async with asyncio.timeout(every_seconds):
                    await over.wait()
            if not over.is_set() and not self._written:
                await self._write(KEPT_ALIVE, ())

    async def _write(self, piece: bytes, headers: Headers) -> None:
        self._written = True
        async with self._writing:
            if self._flow is not None:
                await self._flow.write(piece)
                return
            opening = Answer(body=piece, content_type=CONTENT_TYPE, headers=self._headers + headers + STREAMING)
            self._flow = await self._request.begin(opening)
