"""From a request that has arrived to its delivery: the one place where wire format, script and settings meet.

Pure but for the counters of the script: reads no socket and no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Answer, Body, Delivery, Replacements, delivery_of, spoiled, whole
from understudy.mock.dialects import Dialect, Head, Stamp
from understudy.mock.failures import Failure, RefusedError, bad_request, scripted
from understudy.mock.faults import Fault, FaultError, When, parse_fault
from understudy.mock.records import Recorded
from understudy.mock.replies import Reply, reply_to
from understudy.mock.script import Script
from understudy.mock.settings import Settings
from understudy.mock.vectors import vectors_for

FAULT_HEADER = "x-mock-fault"
"""The request header that asks for one fault, for its own request."""

_GARBAGE = b'{"choices": [{"this is": not JSON'


# Benchmarks and tests send the same request again and again; reading it once is most of the work.
_REMEMBERED_REQUESTS = 256
_LARGEST_REMEMBERED = 16 * 1024


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that can be answered: what it asks for, and for a chat what is said."""

    call: Call
    model: str
    ask: Chat | Embeddings | None
    reply: Reply | None

    @property
    def stream(self) -> bool:
        """Whether the answer is to come in chunks."""
        return isinstance(self.ask, Chat) and self.ask.stream

    @property
    def generates(self) -> bool:
        """Whether a model is asked for something, rather than the server about its models or a request's size."""
        return self.call.operation in {Operation.CHAT, Operation.EMBEDDINGS}


@dataclass(frozen=True, slots=True)
class Answerer:
    """Everything that decides an answer, besides the request."""

    name: str
    forms: tuple[Dialect, ...]
    settings: Settings
    script: Script

    def answer(self, recorded: Recorded, *, instead: Failure | None = None) -> Delivery:
        """Return what is to be sent for `recorded`, and note in it what was understood: model, stream, fault.

        A request that is refused for its own faults counts for no scripted one. `instead` refuses it in any case.
        """
        head = Head(recorded.method, recorded.path, recorded.headers)
        stamp = Stamp(self.name, recorded.number, int(recorded.received_at))
        dialect, call = self._found(head)
        if isinstance(call, Failure):
            return _refusal(dialect, None, call, stamp)
        if instead:
            return _refusal(dialect, call, instead, stamp)
        try:
            self._check_key(dialect, head)
            understood = self._understood(dialect, call, recorded.body)
            fault = self._fault(head, understood)
        except RefusedError as refused:
            return _refusal(dialect, call, refused.failure, stamp)
        recorded.model, recorded.stream = understood.model, understood.stream
        answer = self._encoded(dialect, understood, stamp)
        if fault is None:
            return delivery_of(answer, self.settings)
        recorded.fault = fault.text
        instead_of = _Instead(dialect, understood, stamp, recorded.path)
        return spoiled(answer, fault, instead=instead_of.replacements(), settings=self.settings)

    def _found(self, head: Head) -> tuple[Dialect, Call | Failure]:
        """Return the form that knows the path, with what is asked for; or the refusal of the request."""
        for dialect in self.forms:
            try:
                call = dialect.find(head)
            except RefusedError as refused:
                return dialect, refused.failure
            if call is not None:
                return dialect, call
        last = self.forms[-1]
        return last, last.unknown(head)

    def _understood(self, dialect: Dialect, call: Call, body: bytes) -> Understood:
        read = _understand if len(body) <= _LARGEST_REMEMBERED else _understand.__wrapped__
        return read(dialect, call, self.name, self.settings, body)

    def _check_key(self, dialect: Dialect, head: Head) -> None:
        if self.settings.require_key is None:
            return
        given = dialect.credential(head)
        if given != self.settings.require_key:
            raise RefusedError(dialect.bad_key(given))

    def _fault(self, head: Head, understood: Understood) -> Fault | None:
        wanted = head.headers.get(FAULT_HEADER)
        if wanted is None:
            return self.script.next(model=understood.model, path=head.path, generates=understood.generates)
        try:
            fault = parse_fault(wanted)
        except FaultError as error:
            raise bad_request(f"{FAULT_HEADER}: {error}") from error
        if fault.when != When():
            raise bad_request(f"{FAULT_HEADER} is for one request: leave out times, percent, model, path, after, every")
        return fault

    def _encoded(self, dialect: Dialect, understood: Understood, stamp: Stamp) -> Answer:
        call, ask, reply = understood.call, understood.ask, understood.reply
        headers = dialect.headers(call, stamp)
        if isinstance(ask, Chat) and reply is not None:
            if not ask.stream:
                return Answer(Body(dialect.answer(ask, reply, stamp), reply.tokens_each), headers)
            headers |= {"content-type": dialect.stream_type(call), "cache-control": "no-cache"}
            return Answer(dialect.stream(ask, reply, stamp), headers)
        return Answer(Body(self._told(dialect, understood, stamp)), headers)

    def _told(self, dialect: Dialect, understood: Understood, stamp: Stamp) -> bytes:
        """Return the body of an answer that is no text of a model."""
        served = self.settings.models or (self.name,)
        match understood.ask:
            case Chat() as chat:
                return dialect.size(chat)
            case Embeddings() as ask:
                return dialect.vectors(ask, vectors_for(ask))
        match understood.call.operation:
            case Operation.MODEL:
                return dialect.model_entry(understood.model, stamp)
            case Operation.MODELS:
                return dialect.model_list(served, stamp)
            case _:
                return dialect.about(understood.call, served, stamp)


@dataclass(frozen=True, slots=True)
class _Instead:
    """What there is to say instead of the answer to one request, in its wire format."""

    dialect: Dialect
    understood: Understood
    stamp: Stamp
    target: str

    def replacements(self) -> Replacements:
        return Replacements(refusal=self._refusal, error=self._error, garbage=self._garbage)

    def _failure(self, fault: Fault) -> Failure:
        failure = scripted(fault.error, model=self.understood.model, words=self.dialect.words)
        return replace(failure, retry=fault.headers)

    def _refusal(self, fault: Fault) -> tuple[int, Mapping[str, str], bytes]:
        call, failure = self.understood.call, self._failure(fault)
        # A redirect back to where the request came from: who follows it is caught in a loop.
        extra = {"location": self.target} if failure.status < 400 else {}
        headers = {**self.dialect.headers(call, self.stamp), **self.dialect.error_headers(failure), **extra}
        return failure.status, headers, self.dialect.error(call, failure, self.stamp)

    def _error(self, fault: Fault, first: bool) -> bytes:
        call, failure = self.understood.call, self._failure(fault)
        if not self.understood.stream:
            return self.dialect.error_within(call, failure, self.stamp)
        return self.dialect.error_event(call, failure, self.stamp, first=first)

    def _garbage(self) -> bytes:
        if not self.understood.stream:
            return _GARBAGE
        return self.dialect.event(self.understood.call, _GARBAGE, first=True)


def _refusal(dialect: Dialect, call: Call | None, failure: Failure, stamp: Stamp) -> Delivery:
    headers = {**dialect.headers(call, stamp), **dialect.error_headers(failure)}
    return whole(failure.status, headers, dialect.error(call, failure, stamp))


@lru_cache(maxsize=_REMEMBERED_REQUESTS)
def _understand(dialect: Dialect, call: Call, name: str, settings: Settings, body: bytes) -> Understood:
    """Read a request and decide what to say to it: the part of an answer that is the same every time."""
    ask: Chat | Embeddings | None = None
    model, reply = call.model, None
    match call.operation:
        case Operation.CHAT:
            ask = dialect.chat(call, _parsed(body))
            model, reply = ask.model, reply_to(ask, name=name, settings=settings)
        case Operation.COUNT:
            ask = dialect.chat(call, _parsed(body))
            model = ask.model
        case Operation.EMBEDDINGS:
            ask = dialect.embeddings(call, _parsed(body))
            model = ask.model
        case Operation.MODEL:
            model = dialect.model_of(call, _parsed(body) if body else None)
    if settings.models and model and model not in settings.models:
        raise RefusedError(scripted("404", model=model, words=dialect.words))
    return Understood(call, model, ask, reply)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"We could not parse the JSON body of your request: {error}.") from error
