"""A provider's stream of responses on its way to a client that speaks as Google's do.

It has begun with a part that has something in it, or an end. Each response is parsed once, for its usage and its end.
"""

from typing import Any

from understudy_proxy.dialects.failures.kinds import parsed
from understudy_proxy.dialects.gemini import errors
from understudy_proxy.dialects.gemini.eventdata import data_of
from understudy_proxy.dialects.gemini.failures import failure_in
from understudy_proxy.dialects.gemini.framing import Framing
from understudy_proxy.dialects.gemini.usage import read_usage
from understudy_proxy.dialects.passed_flow import PassedFlow
from understudy_proxy.dialects.sse import EventSplitter
from understudy_proxy.failure import UpstreamFailure

_MAX_CHOICES = 128
_NOTHING = [{"text": ""}]
"""What some streams begin with."""


class PassedStream(PassedFlow):
    """One stream. It has no terminal event: it is whole when it ends after every candidate of it did.

    Args:
        framing: how the client gets it.
    """

    __slots__ = ("_appeared", "_ended", "_framing")

    def __init__(self, framing: Framing) -> None:
        super().__init__(EventSplitter())
        self._framing = framing
        self._appeared: set[int] = set()
        self._ended: set[int] = set()

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete."""
        return self._framing.next(errors.in_stream(failure))

    def _framed(self, held: bytes) -> bytes:
        return self._framing.next(held)

    def _is_whole(self, tail: bytes) -> bool:
        return parsed(data_of(tail)) is not None

    def _end(self) -> bytes | None:
        return self._framing.end() if self._ended and self._appeared <= self._ended else None

    def _read(self, piece: bytes) -> None:
        if not (data := data_of(piece)):
            return
        response = parsed(data)
        if (failure := failure_in(response)) is not None:
            self._failure = failure
        elif not isinstance(response, dict):
            self._fail("an event of the stream is not a JSON object")
        else:
            # Between two lines of `data` only; inside a string of JSON it would be escaped.
            self._hold(data.replace(b"\n", b" "))
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
