"""Ollama's answers, whole and in pieces, in canonical form."""

from collections.abc import Mapping

from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.events import Ended, Event, Failed
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.failures.kinds import invalid_response, is_success, no_answer, parsed
from understudy_proxy.dialects.ollama.failures import failure_in, refused
from understudy_proxy.dialects.ollama.ndjson import LineSplitter, LineTooLarge
from understudy_proxy.dialects.ollama.objects import NotUnderstood, Objects
from understudy_proxy.failure import UpstreamFailure


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
    """What a response that is not a stream says."""
    if not is_success(status):
        return refused(status, headers, body)
    answer = parsed(body)
    if (failure := failure_in(answer)) is not None:
        return failure
    if not isinstance(answer, dict) or not isinstance(answer.get("message"), dict):
        return no_answer(body, answer, status=status)
    try:
        return fold(Objects().read({**answer, "done": True}))
    except NotUnderstood as error:
        return invalid_response(f"HTTP {status} with an answer that is none: {error}")


class StreamDecoder:
    """The reader of one stream of lines; the one with `done` is its last."""

    __slots__ = ("_objects", "_over", "_splitter")

    def __init__(self) -> None:
        self._objects = Objects()
        self._splitter = LineSplitter()
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if self._over:
            return []
        try:
            return self._read(self._splitter.feed(chunk))
        except LineTooLarge:
            return self._ended(Failed(invalid_response("a line of the stream has no end")))

    def close(self) -> list[Event]:
        """What a last line without an end says, if all of it is there."""
        tail = self._splitter.rest()
        return [] if self._over or parsed(tail) is None else self._read([tail])

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            events += self._read_line(line)
            if self._over:
                break
        return events

    def _read_line(self, line: bytes) -> list[Event]:
        said = parsed(line)
        if (failure := failure_in(said)) is not None:
            return self._ended(Failed(failure))
        if not isinstance(said, dict):
            return self._ended(Failed(invalid_response("a line of the stream is not a JSON object")))
        try:
            events = self._objects.read(said)
        except NotUnderstood as error:
            return self._ended(Failed(invalid_response(f"a line of the stream is none of an answer: {error}")))
        self._over = isinstance(events[-1], Ended) if events else False
        return events

    def _ended(self, failed: Failed) -> list[Event]:
        self._over = True
        return [failed]
