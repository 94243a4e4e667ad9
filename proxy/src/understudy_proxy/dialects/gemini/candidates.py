"""What Gemini says, in one `GenerateContentResponse` or in many, as events.

Any field may be missing: `index`, `content`, `parts`, the id of a function call. The end of an answer is told when all
of it is there, since models put their last STOP into a chunk of its own, or into several.
"""

from secrets import token_hex
from typing import Any

import orjson

from understudy_proxy.dialects.bodies import string
from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import Issuer, Signature
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Event,
    Finished,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.gemini.finish import finish_of
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.logprobs import read_logprobs
from understudy_proxy.dialects.gemini.usage import read_usage

_MOST_CHOICES = 128
_MOST_CALLS = 1024
"""Of a choice: a bound for what is remembered of a stream."""
_UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"


class NotUnderstood(Exception):
    """The answer is none that Gemini gives; the message says why."""


class Candidates:
    """The candidates of one answer, however many pieces it comes in."""

    __slots__ = ("_appeared", "_began", "_calls", "_finishes", "_ids", "_names", "_thought")

    def __init__(self, names: FunctionNames) -> None:
        self._names = names
        self._began = False
        self._appeared: set[int] = set()
        self._finishes: dict[int, Finish] = {}
        self._calls: dict[int, int] = {}
        self._ids: set[str] = set()
        self._thought: set[int] = set()

    @property
    def complete(self) -> bool:
        """Every candidate that appeared has ended."""
        return bool(self._finishes) and self._appeared <= self._finishes.keys()

    def read(self, response: dict[str, Any]) -> list[Event]:
        """What a response says.

        Raises:
            NotUnderstood: it is none.
        """
        events: list[Event] = []
        if not self._began:
            self._began = True
            events.append(Began(string(response.get("responseId")), string(response.get("modelVersion"))))
        candidates = response.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            if not isinstance(candidate, dict):
                raise NotUnderstood("a candidate is not an object")
            self._read_candidate(candidate, events)
        if (usage := read_usage(response.get("usageMetadata"))) is not None:
            events.append(Counted(usage))
        return events

    def ends(self) -> list[Event]:
        """How each candidate ended; one that does not say has said all."""
        return [Finished(self._finish(choice), choice) for choice in sorted(self._appeared)]

    def _finish(self, choice: int) -> Finish:
        """An answer with function calls ends with STOP like any other; one that was cut may have cut them."""
        finish = self._finishes.get(choice, Finish.STOP)
        return Finish.TOOL_CALLS if finish is Finish.STOP and self._calls.get(choice) else finish

    def _read_candidate(self, candidate: dict[str, Any], events: list[Event]) -> None:
        choice = candidate.get("index") or 0
        if type(choice) is not int or choice not in range(_MOST_CHOICES):
            raise NotUnderstood("a candidate has no sane index")
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        reason = candidate.get("finishReason")
        if isinstance(parts, list):
            self._appeared.add(choice)
            logprobs = read_logprobs(candidate.get("logprobsResult"))
            for part in parts:
                if isinstance(part, dict):
                    logprobs = self._read_part(part, choice, logprobs, events)
        if isinstance(reason, str) and reason and reason != _UNSPECIFIED:
            self._appeared.add(choice)
            self._finishes[choice] = finish_of(reason)

    def _read_part(
        self, part: dict[str, Any], choice: int, logprobs: dict[str, Any] | None, events: list[Event]
    ) -> dict[str, Any] | None:
        """Events for one part; what is left of the log probabilities, which belong to its text."""
        mark = part.get("thoughtSignature")
        signature = Signature(mark, Issuer.GEMINI) if isinstance(mark, str) and mark else None
        if isinstance(call := part.get("functionCall"), dict):
            self._read_call(call, choice, signature, events)
            return logprobs
        if "inlineData" in part:
            raise NotUnderstood("the answer holds a picture or sound, which only Google's own clients can be given")
        text = part.get("text")
        if isinstance(text, str) and text:
            if part.get("thought") is True:
                self._thought.add(choice)
                events.append(ThinkingDelta(text, choice))
            else:
                events.append(TextDelta(text, choice, logprobs))
                logprobs = None
        # A signature matters where reasoning is shown: those who want none would get a part of it all the same.
        if signature is not None and choice in self._thought:
            events.append(ThinkingSigned(signature, choice))
        return logprobs

    def _read_call(self, call: dict[str, Any], choice: int, signature: Signature | None, events: list[Event]) -> None:
        name = call.get("name")
        if not isinstance(name, str) or not name:
            raise NotUnderstood("a function call has no name")
        index = self._calls.get(choice, 0)
        if index >= _MOST_CALLS:
            raise NotUnderstood("there are too many function calls")
        self._calls[choice] = index + 1
        events.append(ToolCallBegan(index, self._id(call.get("id")), self._names.meant(name), choice, signature))
        events.append(ArgumentsDelta(index, _arguments(call.get("args")), choice))

    def _id(self, given: object) -> str:
        """The call's own id, unless it has none or one that is taken."""
        if not isinstance(given, str) or not given or given in self._ids:
            given = f"call_{token_hex(12)}"
        self._ids.add(given)
        return given


def _arguments(given: Any) -> str:
    if not isinstance(given, dict):
        return "{}"
    try:
        return orjson.dumps(given).decode()
    except orjson.JSONEncodeError:
        raise NotUnderstood("the arguments of a function call are nested too deeply") from None
