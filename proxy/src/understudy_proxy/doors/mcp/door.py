"""The door `POST /mcp`: one endpoint for both eras of the protocol, without any session.

Nothing is kept between two requests, so any worker of any pod answers any of them. What a client of the older era
tells once (that it is there, that it has given up) has nobody to remember it and is taken note of politely; whoever
gives up closes the connection, and the work behind it ends.
"""

import asyncio

import orjson

from understudy_proxy.doors.door import Answer, Headers, Refused, Request
from understudy_proxy.doors.mcp.batch import Batch
from understudy_proxy.doors.mcp.errors import protocol_error
from understudy_proxy.doors.mcp.forms import Forms, forms_of
from understudy_proxy.doors.mcp.methods import Methods
from understudy_proxy.doors.mcp.origins import Origins
from understudy_proxy.doors.mcp.reply import Reply
from understudy_proxy.doors.telling import GOING_DOWN, goes_down
from understudy_proxy.mcp.eras import Era, era_of
from understudy_proxy.mcp.errors import Code, ProtocolError
from understudy_proxy.mcp.messages import Call, Told, error_of, read, result_of
from understudy_proxy.telemetry.metrics import Metrics

KEEP_ALIVE_SECONDS = 15.0
"""Well below the minute after which load balancers cut a connection on which nothing moves."""
_OK, _ACCEPTED, _BAD_REQUEST, _NOT_FOUND = 200, 202, 400, 404


class McpDoor:
    """Answers the protocol's requests."""

    def __init__(self, methods: Methods, *, origins: Origins, metrics: Metrics) -> None:
        """Answer with `methods` to pages of `origins`; count in `metrics` who is turned away."""
        self._methods = methods
        self._origins = origins
        self._metrics = metrics

    async def __call__(self, request: Request) -> Answer | None:
        """Answer."""
        try:
            granted = self._origins.check(request)
        except Refused as refused:
            self._metrics.refused(refused.reason)
            raise
        try:
            forms = forms_of(request)
            raw = await request.body()
        except Refused as refused:
            self._metrics.refused(refused.reason)
            refused.headers += granted
            raise
        try:
            message = read(raw)
            if isinstance(message, Call):
                return await self._call(request, message, Reply.to(request, message, forms, granted))
            if isinstance(message, Told):
                era_of(request.headers)
                return Answer(_ACCEPTED, headers=granted)
            return await self._batch(request, Batch(message, request), forms, granted)
        except ProtocolError as error:
            self._metrics.refused("bad_request")
            return Answer(_BAD_REQUEST, orjson.dumps(error_of(None, error)), headers=granted)

    async def _call(self, request: Request, call: Call, reply: Reply) -> Answer | None:
        try:
            era = era_of(request.headers, call)
        except ProtocolError as error:
            self._metrics.refused("bad_request")
            return await reply.finish(error_of(call.id, error), status=_BAD_REQUEST)
        try:
            async with reply.kept_alive(KEEP_ALIVE_SECONDS):
                result, headers = await self._methods.answer(
                    request, call, era, tell=reply.tell if reply.heard else None
                )
        except ProtocolError as error:
            return await reply.finish(error_of(call.id, error), status=_status(error, era))
        except Refused as refused:
            self._metrics.refused(refused.reason)
            status = refused.status if era is Era.MODERN else _OK
            return await reply.finish(
                error_of(call.id, protocol_error(refused)), status=status, headers=refused.headers
            )
        except asyncio.CancelledError:
            if not reply.begun or not goes_down(request):
                raise
            return await reply.finish(error_of(call.id, _going_down()), status=_OK)
        return await reply.finish(result_of(call, result), status=_OK, headers=headers)

    async def _batch(self, request: Request, batch: Batch, forms: Forms, granted: Headers) -> Answer | None:
        reply = Reply(request, forms, granted, token=None)
        try:
            async with reply.kept_alive(KEEP_ALIVE_SECONDS):
                answers = await batch.answered_by(self._methods)
        except asyncio.CancelledError:
            if not reply.begun or not goes_down(request):
                raise
            answers = batch.unanswered(_going_down())
        if not answers:
            return Answer(_ACCEPTED, headers=granted)
        return await reply.finish(answers, status=_OK)


def _status(error: ProtocolError, era: Era) -> int:
    """Clients of the older era take any other status than 200 for an outage."""
    if era is Era.HANDSHAKE:
        return _OK
    return _NOT_FOUND if error.code is Code.METHOD_NOT_FOUND else _BAD_REQUEST


def _going_down() -> ProtocolError:
    return ProtocolError(Code.INTERNAL_ERROR, f"The answer is not complete: {GOING_DOWN.message}.")
