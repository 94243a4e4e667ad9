"""The door behind which models answer, whatever dialect its client speaks and whatever is asked: whoever answers.

One class serves every path of this kind. What differs between them is how a request is read and what is made of it,
an `Operation`; how an error looks is the route's.
"""

import asyncio
import time
from collections.abc import Callable

from understudy_proxy.dialects.interpretation import Asked, Operation
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.doors.door import Answer, EventStream, Headers, Refused, Request
from understudy_proxy.doors.headers import STREAMING, answered_headers, course_headers, forwarded
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.refusing import bad_request, from_refusal
from understudy_proxy.exchange.admission import RETRY_AFTER_SECONDS
from understudy_proxy.exchange.course import Course, Exhausted, Whole
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.exchange.failure import FailureKind, UpstreamError, UpstreamFailure
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.walk import Ask
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.telemetry.record import RequestRecord

_CLIENT_LEFT = 499
"""nginx's status for it; no client ever sees it."""
_SHUTTING_DOWN = 503
_GOING_DOWN = UpstreamFailure(FailureKind.INTERRUPTED, "the gateway is shutting down; send the request again")


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
        *,
        names: Names,
        exchange: Exchange,
        metrics: Metrics,
        instead: Instead | None = None,
    ) -> None:
        """Read requests with `read`, and make `operation` of them.

        With `instead`, a request that no backend's dialect can express is answered with what it returns.
        """
        self._instead = instead
        self._read = read
        self._operation = operation
        self._names = names
        self._exchange = exchange
        self._admission = exchange.ledger.admission
        self._metrics = metrics

    async def __call__(self, request: Request) -> Answer | None:
        """Answer, and record how it went."""
        if not self._admission.enter():
            self._metrics.refused("overloaded")
            raise _overloaded()
        record = RequestRecord(request_id=request.id, started=request.received, operation=self._operation.name)
        course = Course()
        self._metrics.request_began()
        try:
            return await self._answer(request, record, course)
        except Refused as refused:
            record.status, record.reason = refused.status, refused.reason
            raise
        except (asyncio.CancelledError, ConnectionError):
            record.client_left = not request.cut_short
            record.status = _SHUTTING_DOWN if request.cut_short else _CLIENT_LEFT
            raise
        except BaseException:
            record.status = 500
            raise
        finally:
            self._admission.leave()
            self._record(record, course)

    async def _answer(self, request: Request, record: RequestRecord, course: Course) -> Answer | None:
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

    def _record(self, record: RequestRecord, course: Course) -> None:
        record.candidate = course.candidate
        record.attempts = course.attempts
        record.failovers = course.failovers
        record.reason = record.reason or course.reason or ""
        record.first_token = course.first_token
        record.finished = time.monotonic()
        self._metrics.record_request(record)

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
            if flow is not None and (said := stream.failed(error.failure)):
                await flow.write(said)
        except asyncio.CancelledError:
            if not request.cut_short or flow is None:
                raise
            record.reason = _GOING_DOWN.kind
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            if said := stream.failed(_GOING_DOWN):
                await flow.write(said)
        finally:
            record.usage = stream.usage
            stream.close()


def _own(answer: tuple[bytes, str], headers: Headers) -> Answer:
    body, warning = answer
    return Answer(body=body, headers=(*headers, ("x-understudy-warning", warning)))


def _overloaded() -> Refused:
    return Refused(
        503,
        "The gateway has as many requests under way as it takes; try again shortly.",
        type="server_error",
        code="overloaded",
        reason="overloaded",
        headers=(("retry-after", f"{RETRY_AFTER_SECONDS:.0f}"),),
    )
