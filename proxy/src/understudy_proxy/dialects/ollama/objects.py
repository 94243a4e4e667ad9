"""What Ollama says, in one object or in one a line, as events."""

from secrets import token_hex
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    TextDelta,
    ThinkingDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.ollama.logprobs import read_logprobs
from understudy_proxy.dialects.ollama.usage import read_usage

_MOST_CALLS = 1024
"""A bound for what is remembered of a stream."""


class NotUnderstood(Exception):
    """The object is none that Ollama says; the message says why."""


class Objects:
    """The objects of one answer, however many it comes in."""

    __slots__ = ("_began", "_calls", "_ids")

    def __init__(self) -> None:
        self._began = False
        self._calls = 0
        self._ids: set[str] = set()

    def read(self, said: dict[str, Any]) -> list[Event]:
        """What an object says; the last one ends the answer.

        Raises:
            NotUnderstood: it is none of an answer.
        """
        message = said.get("message")
        done = said.get("done") is True
        if not isinstance(message, dict) and not done:
            raise NotUnderstood("there is no message in it")
        events: list[Event] = []
        if not self._began:
            self._began = True
            model = said.get("model")
            events.append(Began(model=model if isinstance(model, str) and model else None))
        if isinstance(message, dict):
            self._read_message(message, read_logprobs(said.get("logprobs")), events)
        if done:
            events += self._ending(said)
        return events

    def _read_message(self, message: dict[str, Any], logprobs: dict[str, Any] | None, events: list[Event]) -> None:
        if isinstance(thinking := message.get("thinking"), str) and thinking:
            events.append(ThinkingDelta(thinking))
        if isinstance(content := message.get("content"), str) and content:
            events.append(TextDelta(content, logprobs=logprobs))
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict):
                raise NotUnderstood("a tool call has no function")
            self._read_call(call.get("id"), function, events)

    def _read_call(self, given: Any, function: dict[str, Any], events: list[Event]) -> None:
        name = function.get("name")
        if not isinstance(name, str) or not name:
            raise NotUnderstood("a tool call has no name")
        if self._calls >= _MOST_CALLS:
            raise NotUnderstood("there are too many tool calls")
        events.append(ToolCallBegan(self._calls, self._id(given), name))
        events.append(ArgumentsDelta(self._calls, _arguments(function.get("arguments"))))
        self._calls += 1

    def _id(self, given: object) -> str:
        """The call's own id, which only newer versions give, unless it is taken."""
        if not isinstance(given, str) or not given or given in self._ids:
            given = f"call_{token_hex(12)}"
        self._ids.add(given)
        return given

    def _ending(self, said: dict[str, Any]) -> list[Event]:
        finish = Finish.LENGTH if said.get("done_reason") == "length" else Finish.STOP
        if finish is Finish.STOP and self._calls:
            finish = Finish.TOOL_CALLS
        usage = read_usage(said)
        return [Finished(finish), *([] if usage is None else [Counted(usage)]), Ended()]


def _arguments(given: Any) -> str:
    if isinstance(given, str):
        # Servers of others that speak this dialect write text, as OpenAI does.
        return given or "{}"
    if not isinstance(given, dict):
        return "{}"
    try:
        return orjson.dumps(given).decode()
    except orjson.JSONEncodeError:
        raise NotUnderstood("the arguments of a tool call are nested too deeply") from None
