"""From a request that has arrived to its delivery: the one place where wire format, script and settings meet.

Pure but for the counters of the script: reads no socket and no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Answer, Body, Delivery, Replacements, delivery_of, spoiled, whole
from understudy.mock.dialects import Dialect, Stamp
from understudy.mock.failures import Failure, FailureKind, RefusedError, bad_request, scripted
from understudy.mock.faults import Fault, FaultError, When, parse_fault
from understudy.mock.records import Recorded
from understudy.mock.replies import reply_to, vectors_for
from understudy.mock.script import Script
from understudy.mock.settings import Settings

FAULT_HEADER = "x-mock-fault"
"""The request header that asks for one fault, for its own request."""

_GARBAGE = b'{"choices": [{"this is": not JSON'


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
        try:
            call, ask = self._understand(recorded)
            fault = self._fault(recorded, call)
        except RefusedError as refused:
            return self.refusal(refused.failure, stamp)
        answer = self._encoded(call, ask, stamp)
        if fault is None:
            return delivery_of(answer, self.settings)
        recorded.fault = fault.text
        return spoiled(answer, fault, instead=self._instead(recorded, stamp), settings=self.settings)

    def refusal(self, failure: Failure, stamp: Stamp) -> Delivery:
        """Return the delivery of a failure as this wire format has it."""
        return whole(failure.status, self.dialect.headers(stamp), self.dialect.error(failure))

    def _understand(self, recorded: Recorded) -> tuple[Call, Chat | Embeddings | None]:
        call = self.dialect.find(recorded.method, recorded.path.partition("?")[0])
        self._check_key(recorded.headers)
        body = _parsed(recorded.body) if call.operation in {Operation.CHAT, Operation.EMBEDDINGS} else None
        recorded.model = self.dialect.model(call, body)
        ask: Chat | Embeddings | None = None
        if call.operation is Operation.CHAT:
            ask = self.dialect.chat(call, body)
            recorded.stream = ask.stream
        elif call.operation is Operation.EMBEDDINGS:
            ask = self.dialect.embeddings(call, body)
        if self.settings.models and recorded.model and recorded.model not in self.settings.models:
            raise RefusedError(scripted("404", model=recorded.model))
        return call, ask

    def _check_key(self, headers: Mapping[str, str]) -> None:
        wanted = self.settings.require_key
        if wanted is None or self.dialect.credential(headers) == wanted:
            return
        given = self.dialect.credential(headers)
        message = "You didn't provide an API key." if not given else f"Incorrect API key provided: ***{given[-4:]}."
        raise RefusedError(Failure(FailureKind.BAD_KEY, 401, message))

    def _fault(self, recorded: Recorded, call: Call) -> Fault | None:
        wanted = recorded.headers.get(FAULT_HEADER)
        if wanted is None:
            generates = call.operation in {Operation.CHAT, Operation.EMBEDDINGS}
            path = recorded.path.partition("?")[0]
            return self.script.next(model=recorded.model, path=path, generates=generates)
        try:
            fault = parse_fault(wanted)
        except FaultError as error:
            raise bad_request(f"{FAULT_HEADER}: {error}") from error
        if fault.when != When():
            raise bad_request(f"{FAULT_HEADER} is for one request: leave out times, percent, model, path, after, every")
        return fault

    def _encoded(self, call: Call, ask: Chat | Embeddings | None, stamp: Stamp) -> Answer:
        headers = self.dialect.headers(stamp)
        if isinstance(ask, Chat):
            reply = reply_to(ask, name=self.name, settings=self.settings)
            if not ask.stream:
                return Answer(Body(self.dialect.answer(ask, reply, stamp)), headers)
            headers |= {"content-type": self.dialect.stream_type, "cache-control": "no-cache"}
            return Answer(self.dialect.stream(ask, reply, stamp), headers)
        if ask is not None:
            return Answer(Body(self.dialect.vectors(ask, vectors_for(ask))), headers)
        if call.operation is Operation.MODEL:
            return Answer(Body(self.dialect.model_entry(call.model, stamp)), headers)
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


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"We could not parse the JSON body of your request: {error}.") from error
