"""A provider's stream on its way to a client of the same format: whole events, and never a cut taken for an end.

Until the answer has begun (a part with something in it, or an end) events are held back, so that a failure can still
be another backend's turn. Each event is parsed once, for its usage and its end, and goes on as the bytes it came in.
"""

from typing import Any

from understudy_proxy.dialects.failures.kinds import interrupted, invalid_response, parsed
from understudy_proxy.dialects.gemini import errors
from understudy_proxy.dialects.gemini.eventdata import data_of
from understudy_proxy.dialects.gemini.failures import failure_in
from understudy_proxy.dialects.gemini.framing import Framing
from understudy_proxy.dialects.gemini.usage import read_usage
from understudy_proxy.dialects.interpretation import Fed
from understudy_proxy.dialects.sse import EventSplitter, EventTooLarge
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure

_MAX_HELD_BYTES = 1024 * 1024
_MAX_CHOICES = 128
_NOTHING = [{"text": ""}]
"""What some streams begin with."""


class PassedStream:
    """One stream.

    Args:
        framing: how the client gets it.
    """

    __slots__ = (
        "_appeared",
        "_began",
        "_ended",
        "_failure",
        "_framing",
        "_held",
        "_held_bytes",
        "_splitter",
        "finished",
        "usage",
    )

    def __init__(self, framing: Framing) -> None:
        self.finished = False
        """All of the answer was there; Google's streams have no terminal event, so this is known when they end."""
        self.usage: Usage | None = None
        """What the provider has counted so far."""
        self._framing = framing
        self._splitter = EventSplitter()
        self._held: list[bytes] = []
        self._held_bytes = 0
        """Of all that was held while nothing had begun."""
        self._began = False
        self._appeared: set[int] = set()
        self._ended: set[int] = set()
        self._failure: UpstreamFailure | None = None

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge:
            events = []
            self._failure = invalid_response("an event of the stream has no end")
        return self._take(events)

    def close(self) -> Fed:
        """The stream has ended by itself, or broke: what is left to send, or the failure that it was cut."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        tail = self._splitter.rest().strip()
        fed = self._take([tail] if parsed(data_of(tail)) is not None else [])
        if self._is_over():
            return fed
        if self._ended and self._appeared <= self._ended:
            self.finished = True
            return Fed(fed.out + self._framing.end(), True, None)
        self._failure = interrupted()
        return Fed(fed.out, self._began, self._failure)

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete."""
        return self._framing.next(errors.in_stream(failure))

    def _is_over(self) -> bool:
        return self.finished or self._failure is not None

    def _take(self, events: list[bytes]) -> Fed:
        for event in events:
            if self._is_over():
                break
            if data := data_of(event):
                self._read(data)
        if not self._began:
            if self._failure is None and self._held_bytes > _MAX_HELD_BYTES:
                self._failure = invalid_response("the stream goes on and on without an answer")
            return Fed(b"", False, self._failure)
        out = b"".join([self._framing.next(data) for data in self._held])
        self._held.clear()
        return Fed(out, True, self._failure)

    def _read(self, data: bytes) -> None:
        response = parsed(data)
        if (failure := failure_in(response)) is not None:
            self._failure = failure
        elif not isinstance(response, dict):
            self._failure = invalid_response("an event of the stream is not a JSON object")
        else:
            # Between two lines of `data` only; inside a string of JSON it would be escaped.
            self._held_bytes += len(data)
            self._held.append(data.replace(b"\n", b" "))
            if (usage := read_usage(response.get("usageMetadata"))) is not None:
                self.usage = usage
            candidates = response.get("candidates")
            for candidate in candidates[:_MAX_CHOICES] if isinstance(candidates, list) else ():
                if isinstance(candidate, dict):
                    self._note(candidate)

    def _note(self, candidate: dict[str, Any]) -> None:
        index = candidate.get("index") or 0
        choice = index if type(index) is int and index in range(_MAX_CHOICES) else 0
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        if parts:
            self._appeared.add(choice)
            self._began = self._began or parts != _NOTHING
        reason = candidate.get("finishReason")
        if isinstance(reason, str) and reason not in {"", "FINISH_REASON_UNSPECIFIED"}:
            self._appeared.add(choice)
            self._ended.add(choice)
            self._began = True
