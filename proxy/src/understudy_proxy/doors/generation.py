"""The door behind which models answer, whatever dialect its client speaks and whatever is asked: whoever answers.

One class serves every path of this kind. What differs between them is how a request is read and what is made of it,
an `Operation`; how an error looks is the route's.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.interpretation import Asked, Operation
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.conducting import Conducting
from understudy_proxy.doors.door import Answer, EventStream, Headers, Refused, Request
from understudy_proxy.doors.headers import STREAMING, answered_headers, course_headers, forwarded
from understudy_proxy.doors.refusing import bad_request, from_refusal
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.telling import GOING_DOWN, goes_down
from understudy_proxy.doors.visit import Visit
from understudy_proxy.exchange.course import Exhausted, Whole
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.walk import Ask
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure
from understudy_proxy.telemetry.record import RequestRecord

Read = Callable[[Request, bytes], Asked]
"""Reads a request and its body; raises `RequestError` for what is wrong with it."""

Instead = Callable[[Asked], tuple[bytes, str]]
"""An answer of the gateway's own, and the warning that goes with it."""


class GenerationDoor:
    """Answers of models, streaming and not."""

    def __init__(
        self,
        read: Read,
        operation: Operation,
        services: Services,
        *,
        instead: Instead | None = None,
    ) -> None:
        """Read requests with `read`, and make `operation` of them.

        With `instead`, a request that no backend's dialect can express is answered with what it returns.
        """
        self._instead = instead
        self._read = read
        self._operation = operation
        self._names = services.names
        self._exchange = services.exchange
        self._admission = services.exchange.ledger.admission
        self._metrics = services.metrics
        self._conducting: Conducting | None = None
        if isinstance(operation, ChatOperation):
            self._conducting = Conducting(operation.client, services.asking, services.sessions)

    async def __call__(self, request: Request) -> Answer | None:
        """Answer, and record how it went."""
        with Visit(request, self._operation.name, admission=self._admission, metrics=self._metrics) as visit:
            asked, target = await self._arrive(request, visit.record)
            if self._conducting is None or not self._conducting.takes(request, asked, target):
                return await self._answer(request, asked, target, visit)
            visit.hand_on()
        return await self._conducting.answer(request, asked, target, partial(self._complete, request, asked))

    async def _arrive(self, request: Request, record: RequestRecord) -> tuple[Asked, RuntimeTarget]:
        """What is asked, and of whom."""
        runtime = self._names.runtime()
        record.revision = runtime.revision
        record.namespace = self._names.namespace(request)
        body = await request.body()
        try:
            asked = await self._asked(request, body)
        except RequestError as error:
            raise bad_request(error) from error
        record.stream = asked.stream
        target = record.target = self._names.target(runtime, asked.model, namespace=record.namespace)
        return asked, target

    async def _answer(self, request: Request, asked: Asked, target: RuntimeTarget, visit: Visit) -> Answer | None:
        record, course = visit.record, visit.course
        try:
            ask = Ask(target, self._operation, asked, request.headers, forwarded(request), course)
            answer = await self._exchange.run(ask)
        except RequestError as error:
            raise bad_request(error) from error
        except Exhausted as exhausted:
            if self._instead is not None and exhausted.refusal.reason == FailureKind.UNSUPPORTED:
                record.status = 200
                return _own(self._instead(asked), course_headers(target, course))
            raise from_refusal(exhausted.refusal, course_headers(target, course)) from exhausted
        record.status = 200
        headers = answered_headers(target, course)
        if isinstance(answer, Whole):
            record.usage = answer.usage
            await self._complete(request, asked)
            return Answer(body=answer.body, headers=headers)
        await self._stream(request, answer, headers, record, asked)
        return None

    async def _asked(self, request: Request, body: bytes) -> Asked:
        """The request; what it goes on from may have to be remembered.

        Raises:
            RequestError: it is wrong.
        """
        return self._read(request, body)

    async def _complete(self, request: Request, asked: Asked) -> None:
        """The answer is whole, and about to be the client's."""

    async def _stream(
        self, request: Request, stream: Stream, headers: Headers, record: RequestRecord, asked: Asked
    ) -> None:
        """Pass on a stream to its end; the connection is cut where the stream was."""
        flow: EventStream | None = None
        opening = Answer(body=stream.first, content_type=self._operation.stream_type, headers=headers + STREAMING)
        try:
            if stream.finished:
                await self._complete(request, asked)
            flow = await request.begin(opening)
            while events := await stream.next():
                if stream.finished:
                    await self._complete(request, asked)
                await flow.write(events)
            await flow.finish()
        except UpstreamError as error:
            record.reason = error.failure.kind
            await _cut(flow, stream, error.failure)
        except Refused as refused:
            if flow is None:
                raise
            record.reason = refused.reason
            await _cut(flow, stream, UpstreamFailure(FailureKind.INTERRUPTED, refused.message))
        except asyncio.CancelledError:
            if flow is None or not goes_down(request):
                raise
            record.reason = GOING_DOWN.kind
            await _cut(flow, stream, GOING_DOWN)
        finally:
            record.usage = stream.usage
            stream.close()


async def _cut(flow: EventStream | None, stream: Stream, failure: UpstreamFailure) -> None:
    """Tell a client that has part of an answer that there is no more."""
    if flow is not None and (said := stream.failed(failure)):
        await flow.write(said)


def _own(answer: tuple[bytes, str], headers: Headers) -> Answer:
    body, warning = answer
    return Answer(body=body, headers=(*headers, ("x-understudy-warning", warning)))
