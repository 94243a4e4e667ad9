"""An answer told to a client as it comes, in whatever words its door has for it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.doors.asking import Saying
from understudy_proxy.doors.door import Answer, EventStream, Headers, Refused, Request
from understudy_proxy.doors.headers import STREAMING
from understudy_proxy.doors.refusing import interrupted
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure

GOING_DOWN = UpstreamFailure(FailureKind.INTERRUPTED, "the gateway is shutting down; send the request again")
"""What cuts an answer that the gateway cannot wait for any longer."""


def goes_down(request: Request) -> bool:
    """Whether the task was cancelled because the gateway goes down; then it goes on, to tell the client of it."""
    task = asyncio.current_task()
    if request.cut_short and task is not None:
        task.uncancel()
    return request.cut_short


class Voice(Protocol):
    """How a client is told of one answer."""

    @property
    def content_type(self) -> str:
        """Of the stream."""

    async def say(self, event: Event) -> bytes:
        """What is sent for an event; empty where the client has no word for it."""

    def end(self, saying: Saying) -> bytes:
        """What is sent after the last event."""

    def cut(self, refused: Refused, failure: UpstreamFailure) -> bytes:
        """What tells the client, within its stream, that the answer is not complete."""


async def tell(request: Request, saying: AbstractAsyncContextManager[Saying], voice: Voice) -> None:
    """Pass an answer on to its end; the client is told if it is cut.

    Raises:
        Refused: nobody began to answer, or it was cut before anything was said.
    """
    telling = _Telling(request, voice)
    try:
        async with saying as events:
            await telling.through(events)
    except UpstreamError as error:
        await telling.cut(error.failure)
    except Refused as refused:
        await telling.refuse(refused)


class _Telling:
    """One answer on its way."""

    def __init__(self, request: Request, voice: Voice) -> None:
        self._request = request
        self._voice = voice
        self._flow: EventStream | None = None
        self._saying: Saying | None = None

    async def through(self, saying: Saying) -> None:
        """All of it."""
        self._saying = saying
        try:
            async for event in saying:
                if piece := await self._voice.say(event):
                    await self._write(piece)
            if piece := self._voice.end(saying):
                await self._write(piece)
            if self._flow is not None:
                await self._flow.finish()
        except asyncio.CancelledError:
            if self._flow is None or not goes_down(self._request):
                raise
            raise UpstreamError(GOING_DOWN) from None

    async def cut(self, failure: UpstreamFailure) -> None:
        """Say that there is no more.

        Raises:
            Refused: nothing was said yet, so that the client gets an error and nothing else.
        """
        headers = self._headers
        if self._saying is not None and self._saying.tool_calls:
            # SDKs repeat a 502 by themselves, and what tools did would be done again.
            headers += (("x-should-retry", "false"),)
        await self._say_cut(interrupted(failure, headers=headers), failure)

    async def refuse(self, refused: Refused) -> None:
        """Say that the gateway itself cannot go on.

        Raises:
            Refused: nothing was said yet.
        """
        await self._say_cut(refused, UpstreamFailure(FailureKind.INTERRUPTED, refused.message))

    @property
    def _headers(self) -> Headers:
        """As they are now: who answers may be another one than was asked first."""
        return () if self._saying is None else self._saying.headers

    async def _say_cut(self, refused: Refused, failure: UpstreamFailure) -> None:
        if self._flow is None:
            raise refused
        if piece := self._voice.cut(refused, failure):
            await self._flow.write(piece)

    async def _write(self, piece: bytes) -> None:
        if self._flow is None:
            opening = Answer(body=piece, content_type=self._voice.content_type, headers=self._headers + STREAMING)
            self._flow = await self._request.begin(opening)
        else:
            await self._flow.write(piece)
