"""Conversations of the gateway's own: doors that need an answer, and not the bytes of one.

Personas, the internal door, tools that the gateway runs and agents all ask here, in canonical form, with the same
routing, failover and metering as every client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.canonical.fold import Folding
from understudy_proxy.dialects.inner import CLIENT, InnerRequest, Understood, inner_request
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.dialects.usage import Usage
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
class Answered:
    """An answer, and how it came about."""

    said: Said
    target: RuntimeTarget
    course: Course

    @property
    def headers(self) -> Headers:
        """Which route it was, who answered, and why not the first choice."""
        return answered_headers(self.target, self.course)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What a conversation that goes on holds after the request; empty for an answer without anything in it."""
        return _turn(self.said)


class Saying:
    """An answer as it comes: an asynchronous iterator of its events, ending after `Ended`."""

    def __init__(self, stream: Stream, understood: Understood, *, target: RuntimeTarget, course: Course) -> None:
        self._stream = stream
        self._understood = understood
        self._folding = Folding()
        self.target = target
        self.course = course

    @property
    def headers(self) -> Headers:
        """Which route it is, who answers, and why not the first choice."""
        return answered_headers(self.target, self.course)

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far."""
        return self._stream.usage

    @property
    def messages(self) -> tuple[Message, ...]:
        """As `Answered.messages`, of what was said so far: all of it once `Ended` has come."""
        return _turn(self._folding.answer())

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events.

        Raises:
            UpstreamError: the answer was cut, or an error came in its place.
        """
        for event in self._understood.take():
            self._folding.add(event)
            yield event
        while await self._stream.next():
            for event in self._understood.take():
                self._folding.add(event)
                yield event


class Asking:
    """Puts conversations to whoever answers under a name."""

    def __init__(self, *, names: Names, exchange: Exchange, metrics: Metrics) -> None:
        """Look names up in `names`, and ask by `exchange`."""
        self._names = names
        self._exchange = exchange
        self._metrics = metrics

    async def complete(self, request: Request, chat: Chat, *, operation: str = "chat") -> Answered:
        """The whole answer to `chat`, on behalf of `request`.

        Raises:
            Refused: nobody answered, or the request is wrong.
        """
        with self._visit(request, operation) as visit:
            asked = inner_request(chat)
            target, answer = await self._ask(request, asked, visit)
            said = asked.understood.answer
            if not isinstance(answer, Whole) or said is None:
                raise TypeError("a stream was asked for where a whole answer is wanted")
            visit.record.usage = answer.usage
            return Answered(said, target, visit.course)

    @asynccontextmanager
    async def stream(self, request: Request, chat: Chat, *, operation: str = "chat") -> AsyncIterator[Saying]:
        """The answer to `chat` as it comes; leaving the context ends it.

        Raises:
            Refused: nobody began to answer, or the request is wrong.
        """
        with self._visit(request, operation) as visit:
            visit.record.stream = True
            asked = inner_request(chat)
            target, stream = await self._ask(request, asked, visit)
            if not isinstance(stream, Stream):
                raise TypeError("a whole answer was asked for where a stream is wanted")
            try:
                yield Saying(stream, asked.understood, target=target, course=visit.course)
            except UpstreamError as error:
                # Whoever reads the stream tells the client; the record knows it too.
                visit.record.reason = error.failure.kind
                raise
            finally:
                visit.record.usage = stream.usage
                stream.close()

    def _visit(self, request: Request, operation: str) -> Visit:
        return Visit(request, operation, admission=self._exchange.ledger.admission, metrics=self._metrics)

    async def _ask(self, request: Request, asked: InnerRequest, visit: Visit) -> tuple[RuntimeTarget, Whole | Stream]:
        runtime, record = self._names.runtime(), visit.record
        record.revision = runtime.revision
        record.namespace = self._names.namespace(request)
        target = record.target = self._names.target(runtime, asked.model, namespace=record.namespace)
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


def _turn(said: Said) -> tuple[Message, ...]:
    parts = said.choices[0].parts if said.choices else ()
    return (Message(Role.ASSISTANT, parts),) if parts else ()
