"""An answer in plain fields, as it comes: server-sent events, each an object with a `type`.

`delta` has more of the content, `reasoning` more of what the model shows of its thoughts. `done` comes last and has all
that a whole answer has but the content. `error` comes in its place where the answer was cut; then the connection is
cut, too.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.events import Event, KeptAlive, RefusalDelta, TextDelta, ThinkingDelta
from understudy_proxy.dialects.canonical.fold import Folding
from understudy_proxy.dialects.openai.errors import INTERRUPTED
from understudy_proxy.dialects.sse import CONTENT_TYPE
from understudy_proxy.doors.asking import Saying
from understudy_proxy.doors.door import Answer, EventStream, Headers, Refused, Request
from understudy_proxy.doors.generation import GOING_DOWN
from understudy_proxy.doors.headers import STREAMING
from understudy_proxy.doors.plain.errors import error_fields
from understudy_proxy.failure import UpstreamError, UpstreamFailure

Ending = Callable[[Said, Saying], dict[str, Any]]
"""The fields of `done`."""

_KEPT_ALIVE = b": \n\n"


async def tell(request: Request, saying: AbstractAsyncContextManager[Saying], ending: Ending) -> None:
    """Pass an answer on to its end.

    Raises:
        Refused: nobody began to answer.
        UpstreamError: it was cut, and the client has been told.
    """
    telling = _Telling(request)
    try:
        async with saying as events:
            await telling.through(events, ending)
    except UpstreamError as error:
        await telling.cut(error.failure)
        raise


class _Telling:
    """One answer on its way."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._flow: EventStream | None = None
        self._headers: Headers = ()

    async def through(self, saying: Saying, ending: Ending) -> None:
        """All of it."""
        self._headers = saying.headers
        folding = Folding()
        try:
            async for event in saying:
                folding.add(event)
                if piece := _piece(event):
                    await self._write(piece)
            await self._write(_event({"type": "done", **ending(folding.answer(), saying)}))
            if self._flow is not None:
                await self._flow.finish()
        except asyncio.CancelledError:
            if not self._request.cut_short or self._flow is None:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            raise UpstreamError(GOING_DOWN) from None

    async def cut(self, failure: UpstreamFailure) -> None:
        """Say that there is no more.

        Raises:
            Refused: nothing was said yet, so that the client gets an error and nothing else.
        """
        message = f"The provider's answer was interrupted ({failure.kind}): it is not complete."
        refused = Refused(
            502, message, type="upstream_error", code=INTERRUPTED, reason=failure.kind, headers=self._headers
        )
        if self._flow is None:
            raise refused
        await self._flow.write(_event({"type": "error", **error_fields(refused)}))

    async def _write(self, piece: bytes) -> None:
        if self._flow is None:
            opening = Answer(body=piece, content_type=CONTENT_TYPE, headers=self._headers + STREAMING)
            self._flow = await self._request.begin(opening)
        else:
            await self._flow.write(piece)


def _piece(event: Event) -> bytes:
    match event:
        case TextDelta(text=text, choice=0) | RefusalDelta(text=text, choice=0):
            return _event({"type": "delta", "content": text})
        case ThinkingDelta(text=text, choice=0):
            return _event({"type": "reasoning", "content": text})
        case KeptAlive():
            return _KEPT_ALIVE
        case _:
            return b""


def _event(fields: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(fields) + b"\n\n"
