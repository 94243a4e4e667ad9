"""One question to the models, in canonical form, with the same routing, failover and metering as every client's."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from understudy_proxy.config.runtime import Runtime, RuntimeTarget
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.canonical.fold import Folding
from understudy_proxy.dialects.inner import CLIENT, InnerRequest, Understood, inner_request
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.answered import Answered, Saying, cost_at, turn_of
from understudy_proxy.doors.door import Headers, Request
from understudy_proxy.doors.headers import answered_headers, course_headers, forwarded
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.refusing import bad_request, from_refusal
from understudy_proxy.doors.visit import Visit
from understudy_proxy.exchange.course import Course, Exhausted, Whole
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.walk import Ask
from understudy_proxy.failure import UpstreamError
from understudy_proxy.telemetry.metrics import Metrics

_OPERATION = ChatOperation(CLIENT, PROVIDERS)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a question is for, looked up already."""

    runtime: Runtime
    target: RuntimeTarget
    namespace: str | None
    """Of the caller."""

    @property
    def key(self) -> str:
        """Tells it from any other, and for whom it is from anybody else."""
        return f"{self.namespace or ''}/{self.target.key}"


class ModelCalls:
    """Puts single questions to whoever answers under a name; each is a request of its own in logs and metrics."""

    def __init__(self, *, names: Names, exchange: Exchange, metrics: Metrics) -> None:
        """Look names up in `names`, and ask by `exchange`."""
        self._names = names
        self._exchange = exchange
        self._metrics = metrics

    async def complete(
        self, request: Request, chat: Chat, *, operation: str, to: Addressee | None = None, later: bool = False
    ) -> Answered:
        """The whole answer to `chat`, on behalf of `request`; `later` when it is not the first for it.

        Raises:
            Refused: nobody answered, or the request is wrong.
        """
        with self._visit(request, operation, later=later) as visit:
            asked = inner_request(chat)
            target, answer = await self._ask(request, asked, visit, to)
            said = asked.understood.answer
            if not isinstance(answer, Whole) or said is None:
                raise TypeError("a stream was asked for where a whole answer is wanted")
            visit.record.usage = answer.usage
            return Answered(said, target, visit.course, messages=turn_of(said), cost=cost_at(visit.course, said.usage))

    @asynccontextmanager
    async def stream(
        self, request: Request, chat: Chat, *, operation: str, to: Addressee | None = None, later: bool = False
    ) -> AsyncIterator[Saying]:
        """The answer to `chat` as it comes; leaving the context ends it.

        Raises:
            Refused: nobody began to answer, or the request is wrong.
        """
        with self._visit(request, operation, later=later) as visit:
            visit.record.stream = True
            asked = inner_request(chat)
            target, stream = await self._ask(request, asked, visit, to)
            if not isinstance(stream, Stream):
                raise TypeError("a whole answer was asked for where a stream is wanted")
            try:
                yield _Saying(stream, asked.understood, target=target, course=visit.course)
            except UpstreamError as error:
                # Whoever reads the stream tells the client; the record knows it too.
                visit.record.reason = error.failure.kind
                raise
            finally:
                visit.record.usage = stream.usage
                stream.close()

    def _visit(self, request: Request, operation: str, *, later: bool) -> Visit:
        visit = Visit(request, operation, admission=self._exchange.ledger.admission, metrics=self._metrics)
        if later:
            visit.record.started = time.monotonic()
        return visit

    async def _ask(
        self, request: Request, asked: InnerRequest, visit: Visit, to: Addressee | None
    ) -> tuple[RuntimeTarget, Whole | Stream]:
        runtime, record = to.runtime if to else self._names.runtime(), visit.record
        record.revision = runtime.revision
        record.namespace = to.namespace if to else self._names.namespace(request)
        target = to.target if to else self._names.target(runtime, asked.model, namespace=record.namespace)
        record.target = target
        try:
            answer = await self._exchange.run(
                Ask(target, _OPERATION, asked, request.headers, forwarded(request), visit.course)
            )
        except RequestError as error:
            raise bad_request(error) from error
        except Exhausted as exhausted:
            raise from_refusal(exhausted.refusal, course_headers(target, visit.course)) from exhausted
        record.status = 200
        return target, answer


class _Saying(Saying):
    """One model's answer as it comes."""

    def __init__(self, stream: Stream, understood: Understood, *, target: RuntimeTarget, course: Course) -> None:
        self._stream = stream
        self._understood = understood
        self._folding = Folding()
        self._course = course
        self.target = target

    @property
    def course(self) -> Course:
        """How it came about."""
        return self._course

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far."""
        return self._stream.usage

    @property
    def cost(self) -> Decimal | None:
        """What that costs."""
        return cost_at(self._course, self._stream.usage)

    @property
    def tool_calls(self) -> int | None:
        """The gateway runs none."""
        return None

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said so far."""
        return turn_of(self._folding.answer())

    @property
    def headers(self) -> Headers:
        """Which route it is, who answers, and why not the first choice."""
        return answered_headers(self.target, self._course)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events."""
        for event in self._understood.take():
            self._folding.add(event)
            yield event
        while await self._stream.next():
            for event in self._understood.take():
                self._folding.add(event)
                yield event
