"""Gemini's answers, whole and in pieces, in canonical form."""

from collections.abc import Mapping

from understudy_proxy.dialects import sse
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.events import Ended, Event, Failed, KeptAlive
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.failures.kinds import invalid_response, is_success, no_answer, parsed
from understudy_proxy.dialects.gemini.candidates import Candidates, NotUnderstood
from understudy_proxy.dialects.gemini.eventdata import data_of
from understudy_proxy.dialects.gemini.failures import failure_in, refused
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.failure import UpstreamFailure


def read_answer(status: int, headers: Mapping[str, str], body: bytes, names: FunctionNames) -> Answer | UpstreamFailure:
    """What a response that is not a stream says."""
    if not is_success(status):
        return refused(status, headers, body)
    response = parsed(body)
    if (failure := failure_in(response)) is not None:
        return failure
    if not isinstance(response, dict):
        return no_answer(body, response, status=status)
    candidates = Candidates(names)
    try:
        events = candidates.read(response)
    except NotUnderstood as error:
        return invalid_response(f"HTTP {status} with an answer that is none: {error}")
    ends = candidates.ends()
    return fold(events + ends) if ends else no_answer(body, response, status=status)


class StreamDecoder:
    """The reader of one stream of server-sent events.

    There is no terminal event: a stream is whole when it ends after every candidate of it did.
    """

    __slots__ = ("_candidates", "_over", "_splitter")

    def __init__(self, names: FunctionNames) -> None:
        self._candidates = Candidates(names)
        self._splitter = sse.EventSplitter()
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if self._over:
            return []
        try:
            raw = self._splitter.feed(chunk)
        except sse.EventTooLarge:
            return self._failed(invalid_response("an event of the stream has no end"))
        return self._read(raw)

    def close(self) -> list[Event]:
        """How the answer ended, if all of it is there."""
        if self._over:
            return []
        tail = self._splitter.rest().strip()
        events = self._read([tail]) if parsed(data_of(tail)) is not None else []
        failed = bool(events) and isinstance(events[-1], Failed)
        if not failed and self._candidates.complete:
            self._over = True
            events += [*self._candidates.ends(), Ended()]
        return events

    def _read(self, raw: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for one in raw:
            data = data_of(one)
            if not data:
                events.append(KeptAlive())
                continue
            self._read_response(data, events)
            if self._over:
                break
        return events

    def _read_response(self, data: bytes, events: list[Event]) -> None:
        response = parsed(data)
        if (failure := failure_in(response)) is not None:
            events += self._failed(failure)
        elif not isinstance(response, dict):
            events += self._failed(invalid_response("an event of the stream is not a JSON object"))
        else:
            try:
                events += self._candidates.read(response)
            except NotUnderstood as error:
                events += self._failed(invalid_response(str(error)))

    def _failed(self, failure: UpstreamFailure) -> list[Event]:
        self._over = True
        return [Failed(failure)]
