"""One request and its answer, translated through the canonical form."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.canonical.events import SAYS, Counted, Ended, Event, Failed
from understudy_proxy.dialects.client import ChatClient, Encoder
from understudy_proxy.dialects.failures.kinds import interrupted, invalid_response
from understudy_proxy.dialects.interpretation import Asked, Call, Fed, Reading
from understudy_proxy.dialects.provider import ChatTurn, Decoder
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

_MAX_HELD_EVENTS = 10_000
"""Held back while nothing has begun."""


class TranslatedChat:
    """One request, translated."""

    __slots__ = ("_asked", "_client", "_turn")

    def __init__(self, asked: Asked, client: ChatClient[Any], turn: ChatTurn) -> None:
        self._asked = asked
        self._client = client
        self._turn = turn

    @property
    def call(self) -> Call:
        """What to send."""
        return self._turn.call

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a whole answer says, in the client's dialect."""
        answer = self._turn.read(status, headers, body)
        if isinstance(answer, UpstreamFailure):
            return Reading(answer)
        return Reading(None, answer.usage, self._client.answer(answer, self._asked))

    def flow(self) -> "TranslatedFlow":
        """The reader of a stream that answers it."""
        return TranslatedFlow(self._turn.decoder(), self._client.encoder(self._asked))


class TranslatedFlow:
    """A stream, translated event by event; held back until an answer has begun."""

    __slots__ = ("_began", "_decoder", "_encoder", "_failure", "_held", "finished", "usage")

    def __init__(self, decoder: Decoder, encoder: Encoder) -> None:
        self.finished = False
        """The terminal event was seen."""
        self.usage: Usage | None = None
        """What the provider has counted so far."""
        self._decoder = decoder
        self._encoder = encoder
        self._began = False
        self._held: list[Event] = []
        self._failure: UpstreamFailure | None = None

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        return self._take(self._decoder.feed(chunk))

    def close(self) -> Fed:
        """The stream has ended by itself, or broke."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        fed = self._take(self._decoder.close())
        if self._is_over():
            return fed
        self._failure = interrupted()
        return fed._replace(failure=self._failure)

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that its answer is not complete."""
        return self._encoder.failed(failure)

    def _is_over(self) -> bool:
        return self.finished or self._failure is not None

    def _take(self, events: list[Event]) -> Fed:
        for event in events:
            if isinstance(event, Counted):
                self.usage = event.usage
        # `Ended` and `Failed` are the last of a stream.
        if events and isinstance(last := events[-1], (Ended, Failed)):
            if isinstance(last, Failed):
                self._failure = last.failure
                events = events[:-1]
            else:
                self.finished = True
        if not self._began:
            self._held += events
            self._began = any(isinstance(event, SAYS) for event in events)
            if not self._began:
                return self._wait()
            events, self._held = self._held, []
        return Fed(self._encoder.encode(events) if events else b"", True, self._failure)

    def _wait(self) -> Fed:
        if self.finished and self._failure is None:
            self._failure = invalid_response("the stream ended before an answer began")
        elif len(self._held) > _MAX_HELD_EVENTS and self._failure is None:
            self._failure = invalid_response("the stream goes on and on without an answer")
        return Fed(b"", False, self._failure)
