"""An agent's answer as it comes: frames with words while it is made, and the result of the call at its end.

Agents answer as a stream of events or as one JSON object, whichever they like, also to a request for a stream.
"""

from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    TextDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.failures.kinds import invalid_response
from understudy_proxy.dialects.mesh.result import NotUnderstood, Result, read_response
from understudy_proxy.dialects.sse import EventSplitter, EventTooLarge, parse
from understudy_proxy.failure import UpstreamFailure

_FRAME = "_mesh_frame"
_LARGEST = 64 * 1024 * 1024
"""Bytes of an answer that comes as one object."""


class AgentDecoder:
    """The reader of one answer."""

    __slots__ = ("_object", "_over", "_splitter", "_spoke", "_stopped")

    def __init__(self) -> None:
        self._splitter = EventSplitter()
        self._object: bytearray | None = None
        """What has come of an answer that is one object."""
        self._spoke = False
        self._stopped = False
        """The agent said that it was not let go on."""
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if self._over:
            return []
        if self._object is None and not self._splitter.rest() and chunk.lstrip()[:1] == b"{":
            self._object = bytearray()
        if self._object is not None:
            self._object += chunk
            return self._failed("it is too large") if len(self._object) > _LARGEST else []
        try:
            return self._events(self._splitter.feed(chunk))
        except EventTooLarge:
            return self._failed("an event of the stream has no end")

    def close(self) -> list[Event]:
        """What an object says that has come by now, or a last event without an end."""
        if self._over:
            return []
        if self._object is not None:
            return self._message(bytes(self._object))
        rest = parse(self._splitter.rest()).data
        return self._message(rest) if rest is not None and _is_json(rest) else []

    def _events(self, raw: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for each in raw:
            data = parse(each).data
            # Comments keep the connection alive, and so do events without data.
            events += [KeptAlive()] if not data else self._message(data)
            if self._over:
                break
        return events

    def _message(self, data: bytes) -> list[Event]:
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError:
            return self._failed("it is no JSON")
        if not isinstance(message, dict):
            return self._failed("it is no message of the protocol")
        if "method" in message:
            return self._progress(message)
        try:
            result = read_response(message)
        except NotUnderstood as error:
            return self._failed(str(error))
        self._over = True
        return [Failed(result)] if isinstance(result, UpstreamFailure) else self._ended(result)

    def _progress(self, message: dict[str, Any]) -> list[Event]:
        params = message.get("params")
        said = params.get("message") if isinstance(params, dict) else None
        if message["method"] != "notifications/progress" or not isinstance(said, str):
            return [KeptAlive()]
        frame = _frame(said)
        if frame is None:
            words: Any = said
        else:
            self._stopped = self._stopped or frame.get("stop_reason") is not None
            words = frame.get("content") if frame[_FRAME] == "chunk" else None
        if not isinstance(words, str) or not words:
            return [KeptAlive()]
        self._spoke = True
        return [TextDelta(words)]

    def _ended(self, result: Result) -> list[Event]:
        events: list[Event] = [] if result.model is None or self._spoke else [Began(model=result.model)]
        if result.text and not self._spoke:
            events.append(TextDelta(result.text))
        for index, call in enumerate(result.calls):
            events += [ToolCallBegan(index, call.id, call.name), ArgumentsDelta(index, call.arguments)]
        events.append(Finished(Finish.LENGTH if self._stopped else result.finish))
        if result.usage is not None:
            events.append(Counted(result.usage))
        return [*events, Ended()]

    def _failed(self, why: str) -> list[Event]:
        self._over = True
        return [Failed(invalid_response(f"an agent's answer cannot be read: {why}"))]


def _frame(said: str) -> dict[str, Any] | None:
    """A frame; None for words as they are."""
    if _FRAME not in said:
        return None
    try:
        frame = orjson.loads(said)
    except orjson.JSONDecodeError:
        return None
    return frame if isinstance(frame, dict) and _FRAME in frame else None


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
