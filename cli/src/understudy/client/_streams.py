"""Pieces of an answer, folded into the whole. Pure: events in, pieces and a result out, no socket.

An answer is whole when its finish reason or `[DONE]` has come: a gateway sends neither when it breaks off. Whatever
else ends a stream is an interruption, and never made up for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from understudy.client._errors import Facts, Interrupted
from understudy.client._failures import in_stream
from understudy.client._results import ChatResult, Headers, ToolCall, Usage, served_by, usage

DONE = "[DONE]"
_MAX_CALLS = 128
"""Calls in one answer: an index is a number that somebody else chose."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer; `text` is what it adds, and may be empty."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Folding(Protocol):
    """Makes an answer of the data of events."""

    @property
    def is_done(self) -> bool:
        """Whether no more is to be read."""

    def add(self, data: str) -> Chunk | None:
        """The piece in the data of an event; None for one without."""

    def result(self) -> ChatResult:
        """The whole answer, or what there is of it."""

    def end(self, cause: Exception | None = None) -> None:
        """No event comes any more, because of `cause` or in good order."""


class Fold:
    """An answer in OpenAI's words so far."""

    def __init__(self, headers: Headers) -> None:
        self._served = served_by(headers)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, _CallSoFar] = {}
        self._usage: Usage | None = None
        self._model = ""
        self._raw: Mapping[str, Any] = {}
        self._is_done = False
        self.finish_reason: str | None = None

    def add(self, data: str) -> Chunk | None:
        """The piece in the data of an event; None for one without.

        Raises:
            Interrupted: the event is an error, or nothing that belongs in a stream.
        """
        if data == DONE:
            self._is_done = True
            return None
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self.interrupted("a piece of the stream is not JSON") from error
        if broken := in_stream(raw):
            raise self.interrupted(broken.message, code=broken.code, body=raw)
        if not isinstance(raw, dict):
            raise self.interrupted("a piece of the stream is no JSON object")
        self._raw = raw
        self._model = self._model or _text(raw.get("model"))
        self._usage = usage(raw.get("usage")) or self._usage
        choice = _first(raw.get("choices"))
        return self._piece(choice, raw) if choice else None

    def result(self) -> ChatResult:
        """The whole answer, or what there is of it."""
        served = self._served
        calls = (self._calls[index] for index in sorted(self._calls))
        return ChatResult(
            text="".join(self._text),
            tool_calls=tuple(ToolCall(each.id, each.name, "".join(each.arguments)) for each in calls),
            finish_reason=self.finish_reason,
            usage=self._usage,
            refusal="".join(self._refusal),
            reasoning="".join(self._reasoning),
            provider=served.provider,
            model=served.model or self._model,
            route=served.route,
            attempts=served.attempts,
            request_id=served.request_id,
            raw=self._raw,
        )

    @property
    def is_done(self) -> bool:
        """Whether its last event has come."""
        return self._is_done

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the answer can be missing."""
        return self._is_done or self.finish_reason is not None

    def end(self, cause: Exception | None = None) -> None:
        """No event comes any more, because of `cause` or in good order.

        Raises:
            Interrupted: before the answer was whole.
        """
        if not self.is_whole:
            why = f": {cause}" if cause and str(cause) else ""
            raise self.interrupted(f"the stream ended before the answer did{why}") from cause

    def interrupted(self, message: str, *, code: str | None = None, body: Any = None) -> Interrupted:
        """The error for a stream that goes no further."""
        served = self._served
        facts = Facts(
            status=200, code=code, request_id=served.request_id or None, route=served.route or None,
            provider=served.provider or None, attempts=served.attempts, body=body,
        )  # fmt: skip
        return Interrupted(message, facts, so_far=self.result())

    def _piece(self, choice: Mapping[str, Any], raw: Mapping[str, Any]) -> Chunk:
        delta = choice.get("delta")
        said: Mapping[str, Any] = delta if isinstance(delta, dict) else {}
        text, reasoning = _text(said.get("content")), _text(said.get("reasoning_content"))
        self._text.append(text)
        self._reasoning.append(reasoning)
        self._refusal.append(_text(said.get("refusal")))
        calls = said.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            self._add_call(call)
        self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        return Chunk(text, reasoning, self.finish_reason, raw)

    def _add_call(self, call: Any) -> None:
        index = call.get("index", 0) if isinstance(call, dict) else None
        if not (isinstance(index, int) and 0 <= index < _MAX_CALLS):
            raise self.interrupted("a piece of the stream is a tool call that cannot be one")
        so_far = self._calls.setdefault(index, _CallSoFar())
        function = call.get("function")
        said: Mapping[str, Any] = function if isinstance(function, dict) else {}
        so_far.id = so_far.id or _text(call.get("id"))
        so_far.name = so_far.name or _text(said.get("name"))
        so_far.arguments.append(_text(said.get("arguments")))


@dataclass(slots=True)
class _CallSoFar:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


def _first(choices: Any) -> Mapping[str, Any] | None:
    """The first choice's piece: who asks for several takes them from `raw`."""
    if not isinstance(choices, list):
        return None
    return next((each for each in choices if isinstance(each, dict) and each.get("index", 0) == 0), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
