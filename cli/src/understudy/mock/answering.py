"""From a request that has arrived to its delivery: the one place where wire format, script and settings meet.

Pure but for the counters of the script: reads no socket and no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Answer, Body, Delivery, Replacements, delivery_of, spoiled, whole
from understudy.mock.dialects import Dialect, Stamp
from understudy.mock.failures import Failure, FailureKind, RefusedError, bad_request, scripted
from understudy.mock.faults import Fault, FaultError, When, parse_fault
from understudy.mock.records import Recorded
from understudy.mock.replies import Reply, reply_to, vectors_for
from understudy.mock.script import Script
from understudy.mock.settings import Settings

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
        """Whether a model is asked for something, rather than the server about its models."""
        return self.ask is not None


@dataclass(frozen=True, slots=True)
class Answerer:
    """Everything that decides an answer, besides the request."""

    name: str
    dialect: Dialect
    settings: Settings
    script: Script

    def answer(self, recorded: Recorded) -> Delivery:
        """Return what is to be sent for `recorded`, and note in it what was understood: model, stream, fault.

        A request that is refused for its own faults counts for no scripted one.
        """
        stamp = Stamp(self.name, recorded.number, int(recorded.received_at))
        path, _, _ = recorded.path.partition("?")
        try:
            self._check_key(recorded.headers)
            understood = self._understood(recorded.method, path, recorded.body)
            fault = self._fault(recorded.headers, understood, path)
        except RefusedError as refused:
            return self.refusal(refused.failure, stamp)
        recorded.model, recorded.stream = understood.model, understood.stream
        answer = self._encoded(understood, stamp)
        if fault is None:
            return delivery_of(answer, self.settings)
        recorded.fault = fault.text
        return spoiled(answer, fault, instead=self._instead(recorded, stamp), settings=self.settings)

    def refusal(self, failure: Failure, stamp: Stamp) -> Delivery:
        """Return the delivery of a failure as this wire format has it."""
        return whole(failure.status, self.dialect.headers(stamp), self.dialect.error(failure))

    def _understood(self, method: str, path: str, body: bytes) -> Understood:
        read = _understand if len(body) <= _LARGEST_REMEMBERED else _understand.__wrapped__
        return read(self.dialect, self.name, self.settings, method, path, body)

    def _check_key(self, headers: Mapping[str, str]) -> None:
        if self.settings.require_key is None:
            return
        given = self.dialect.credential(headers)
        if given != self.settings.require_key:
            message = f"Incorrect API key provided: ***{given[-4:]}." if given else "You didn't provide an API key."
            raise RefusedError(Failure(FailureKind.BAD_KEY, 401, message))

    def _fault(self, headers: Mapping[str, str], understood: Understood, path: str) -> Fault | None:
        wanted = headers.get(FAULT_HEADER)
        if wanted is None:
            return self.script.next(model=understood.model, path=path, generates=understood.generates)
        try:
            fault = parse_fault(wanted)
        except FaultError as error:
            raise bad_request(f"{FAULT_HEADER}: {error}") from error
        if fault.when != When():
            raise bad_request(f"{FAULT_HEADER} is for one request: leave out times, percent, model, path, after, every")
        return fault

    def _encoded(self, understood: Understood, stamp: Stamp) -> Answer:
        headers = self.dialect.headers(stamp)
        ask, reply = understood.ask, understood.reply
        if isinstance(ask, Chat) and reply is not None:
            if not ask.stream:
                return Answer(Body(self.dialect.answer(ask, reply, stamp), reply.tokens_each), headers)
            headers |= {"content-type": self.dialect.stream_type, "cache-control": "no-cache"}
            return Answer(self.dialect.stream(ask, reply, stamp), headers)
        if isinstance(ask, Embeddings):
            return Answer(Body(self.dialect.vectors(ask, vectors_for(ask))), headers)
        if understood.call.operation is Operation.MODEL:
            return Answer(Body(self.dialect.model_entry(understood.model, stamp)), headers)
        return Answer(Body(self.dialect.model_list(self.settings.models or (self.name,), stamp)), headers)

    def _instead(self, recorded: Recorded, stamp: Stamp) -> Replacements:
        dialect, stream, model = self.dialect, recorded.stream, recorded.model

        def refusal(error: str) -> tuple[int, Mapping[str, str], bytes]:
            failure = scripted(error, model=model)
            # A redirect back to where the request came from: who follows it is caught in a loop.
            extra = {"location": recorded.path} if failure.status < 400 else {}
            return failure.status, {**dialect.headers(stamp), **extra}, dialect.error(failure)

        def within(content: bytes) -> bytes:
            return dialect.event(content) if stream else content

        return Replacements(
            refusal=refusal,
            error=lambda error: within(dialect.error(scripted(error, model=model))),
            garbage=lambda: within(_GARBAGE),
        )


@lru_cache(maxsize=_REMEMBERED_REQUESTS)
def _understand(dialect: Dialect, name: str, settings: Settings, method: str, path: str, body: bytes) -> Understood:
    """Read a request and decide what to say to it: the part of an answer that is the same every time."""
    call = dialect.find(method, path)
    ask: Chat | Embeddings | None = None
    model, reply = call.model, None
    if call.operation is Operation.CHAT:
        ask = dialect.chat(call, _parsed(body))
        model, reply = ask.model, reply_to(ask, name=name, settings=settings)
    elif call.operation is Operation.EMBEDDINGS:
        ask = dialect.embeddings(call, _parsed(body))
        model = ask.model
    if settings.models and model and model not in settings.models:
        raise RefusedError(scripted("404", model=model))
    return Understood(call, model, ask, reply)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"We could not parse the JSON body of your request: {error}.") from error
