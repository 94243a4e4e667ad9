"""A provider's stream in this dialect to events.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from typing import Any

from understudy_proxy.dialects.bedrock.decode import signature_of, stop_sequence_of
from understudy_proxy.dialects.bedrock.encode import Encoded
from understudy_proxy.dialects.bedrock.failures import excepted
from understudy_proxy.dialects.bedrock.frames import BadFrame, Frame, Frames
from understudy_proxy.dialects.bedrock.names import finish_of, read_usage
from understudy_proxy.dialects.bodies import string
from understudy_proxy.dialects.canonical.events import (
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
)
from understudy_proxy.dialects.claude.calls import OpenCalls, TooManyCalls
from understudy_proxy.dialects.failures.kinds import invalid_response, parsed
from understudy_proxy.failure import UpstreamFailure


class ConverseDecoder:
    """One stream. It ends with the metadata, which come after the end of the message and count its tokens."""

    __slots__ = ("_calls", "_encoded", "_finished", "_frames", "_over")

    def __init__(self, encoded: Encoded) -> None:
        self._encoded = encoded
        self._frames = Frames()
        self._calls = OpenCalls(encoded)
        self._finished = False
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        events: list[Event] = []
        if self._over:
            return events
        try:
            frames = self._frames.feed(chunk)
        except BadFrame as bad:
            self._fail(invalid_response(f"the stream is no event stream: {bad}"), events)
            return events
        for frame in frames:
            self._read(frame, events)
            if self._over:
                break
        return events

    def close(self) -> list[Event]:
        """An answer that has finished is whole, even if nobody counted it."""
        if self._over or not self._finished or self._frames.inside:
            return []
        self._over = True
        return [Ended()]

    def _read(self, frame: Frame, events: list[Event]) -> None:
        match frame.headers.get(":message-type"):
            case "event":
                self._read_event(frame, events)
            case "exception":
                self._fail(excepted(str(frame.headers.get(":exception-type")), frame.payload), events)
            case "error":
                name = str(frame.headers.get(":error-code"))
                message = str(frame.headers.get(":error-message", "")).encode()
                self._fail(excepted(name, message), events)
            case _:
                pass

    def _read_event(self, frame: Frame, events: list[Event]) -> None:
        event = parsed(frame.payload)
        if not isinstance(event, dict):
            failure = invalid_response("an event of the stream is not a JSON object")
            self._fail(failure, events)
            return
        match frame.headers.get(":event-type"):
            case "contentBlockDelta":
                self._delta(event, events)
            case "contentBlockStart":
                self._start(event, events)
            case "contentBlockStop":
                self._calls.close(_index(event))
            case "messageStart":
                events.append(Began())
            case "messageStop":
                self._finished = True
                reason = event.get("stopReason")
                finish = finish_of(reason, calls=self._calls.count > 0)
                events.append(Finished(finish, stop_sequence=stop_sequence_of(reason, self._encoded)))
            case "metadata":
                self._end(event, events)
            case _:
                # Guardrails and others to come say more than anybody asks here.
                pass

    def _start(self, event: dict[str, Any], events: list[Event]) -> None:
        start = event.get("start")
        use = start.get("toolUse") if isinstance(start, dict) else None
        if not isinstance(use, dict):
            return
        try:
            self._calls.open(_index(event), use.get("toolUseId"), use.get("name"), events)
        except TooManyCalls as error:
            self._fail(invalid_response(str(error)), events)

    def _delta(self, event: dict[str, Any], events: list[Event]) -> None:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return
        if text := string(delta.get("text")):
            events.append(TextDelta(text))
        elif isinstance(use := delta.get("toolUse"), dict):
            self._calls.argue(_index(event), string(use.get("input")), events)
        elif isinstance(reasoning := delta.get("reasoningContent"), dict):
            self._think(reasoning, events)

    def _think(self, reasoning: dict[str, Any], events: list[Event]) -> None:
        if text := string(reasoning.get("text")):
            events.append(ThinkingDelta(text))
        if (signature := signature_of(reasoning.get("signature"), self._encoded)) is not None:
            events.append(ThinkingSigned(signature))
        if redacted := string(reasoning.get("redactedContent")):
            events.append(ThinkingRedacted(redacted))

    def _end(self, metadata: dict[str, Any], events: list[Event]) -> None:
        if (usage := read_usage(metadata.get("usage"))) is not None:
            events.append(Counted(usage))
        if self._finished:
            events.append(Ended())
            self._over = True

    def _fail(self, failure: UpstreamFailure, events: list[Event]) -> None:
        self._over = True
        events.append(Failed(failure))


def _index(event: dict[str, Any]) -> int:
    index = event.get("contentBlockIndex")
    return index if isinstance(index, int) else 0
