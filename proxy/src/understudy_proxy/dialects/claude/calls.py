"""Tool calls of an answer: the client's, under the client's names, or the answer itself in a tool's clothes."""

from typing import Any, Protocol

from understudy_proxy.dialects.bodies import json_text, string
from understudy_proxy.dialects.canonical.content import Text, ToolCall
from understudy_proxy.dialects.canonical.events import ArgumentsDelta, Event, TextDelta, ToolCallBegan
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.claude.json_tool import JSON_TOOL

MAX_BLOCKS = 10_000
"""Of one answer; more are no answer."""
_NO_CALL = -1
"""The block is the answer itself."""


class Encoded(Protocol):
    """What reading an answer takes of its request."""

    @property
    def names(self) -> Renaming:
        """Of tools, as they went out."""

    @property
    def ids(self) -> Renaming:
        """Of calls, as they went out."""

    @property
    def json_tool(self) -> bool:
        """An answer to a JSON Schema comes as a call of `JSON_TOOL`."""


class TooManyCalls(Exception):
    """The stream has more tool calls than an answer can have."""


class OpenCalls:
    """The tool calls of one stream, by the index of their block, as far as they have come."""

    __slots__ = ("_encoded", "_opened", "count")

    def __init__(self, encoded: Encoded) -> None:
        self.count = 0
        """How many there were."""
        self._encoded = encoded
        self._opened: dict[int, int] = {}
        """Which call of the answer each block that is not complete is."""

    def open(self, index: int, call_id: Any, name: Any, events: list[Event]) -> None:
        """A call begins.

        Raises:
            TooManyCalls: there were enough.
        """
        if self.count == MAX_BLOCKS or len(self._opened) == MAX_BLOCKS:
            raise TooManyCalls("the stream has more tool calls than an answer can have")
        name = string(name) or ""
        if self._encoded.json_tool and name == JSON_TOOL:
            self._opened[index] = _NO_CALL
            return
        self._opened[index] = self.count
        back = self._encoded.ids.back(string(call_id) or "")
        events.append(ToolCallBegan(self.count, back, self._encoded.names.back(name)))
        self.count += 1

    def argue(self, index: Any, text: str | None, events: list[Event]) -> bool:
        """More of a call's arguments; whether it is open, and there are more."""
        call = self._opened.get(index) if isinstance(index, int) else None
        if call is None or not text:
            return False
        events.append(TextDelta(text) if call == _NO_CALL else ArgumentsDelta(call, text))
        return True

    def close(self, index: Any) -> None:
        """The block is complete."""
        if isinstance(index, int):
            self._opened.pop(index, None)


def whole_call(encoded: Encoded, call_id: Any, name: Any, given: Any) -> ToolCall | Text:
    """A call of a whole answer, with the arguments `given`."""
    name = string(name) or ""
    arguments = json_text({} if given is None else given)
    if encoded.json_tool and name == JSON_TOOL:
        return Text(arguments)
    return ToolCall(encoded.ids.back(string(call_id) or ""), encoded.names.back(name), arguments)
