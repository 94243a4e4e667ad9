"""A conversation in which functions are called until the model is done. Pure: clients ask, and call them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from understudy.client._errors import TooManyRounds
from understudy.client._requests import AnyTool, ChatOptions, Message, Messages, as_messages
from understudy.client._results import ChatResult, ToolCall
from understudy.client._tools import Bound, Tool, as_tool, bound

MAX_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class ToolRun:
    """How a conversation with tools went.

    Attributes:
        result: The last answer.
        messages: The whole conversation, the last answer included.
        rounds: How often the model was asked.
    """

    result: ChatResult
    messages: tuple[Message, ...]
    rounds: int

    @property
    def text(self) -> str:
        """What the model said in the end."""
        return self.result.text


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that the model wants made: what to run, or why it cannot be."""

    call: ToolCall
    action: Bound | str


class ToolLoop:
    """Keeps the conversation of one run."""

    def __init__(self, messages: Messages, options: ChatOptions, *, max_rounds: int) -> None:
        if max_rounds < 1:
            raise ValueError("max_rounds must be at least 1")
        self._tools = _by_name(options.get("tools", ()))
        self.options: ChatOptions = {**options, "tools": tuple(self._tools.values())}
        self.messages = as_messages(messages)
        self._max_rounds = max_rounds
        self._rounds = 0

    @property
    def unsaid(self) -> list[Message]:
        """What has been added since the last answer: all that somebody must be told who remembers the rest."""
        answers = [index for index, each in enumerate(self.messages) if each.get("role") == "assistant"]
        return self.messages[answers[-1] + 1 :] if self._rounds else self.messages

    @property
    def needs_async(self) -> str | None:
        """A function that must be awaited, if there is one."""
        asynchronous = (each.name for each in self._tools.values() if Bound(each.function, {}).is_async)
        return next(asynchronous, None)

    def take(self, result: ChatResult) -> ToolRun | list[Wanted]:
        """An answer: the end of the run, or what is to be called next.

        Raises:
            TooManyRounds: it wants calls, and no round is left to tell their results in.
        """
        self._rounds += 1
        self.messages.append(result.message)
        run = ToolRun(result, tuple(self.messages), self._rounds)
        if not result.tool_calls:
            return run
        if self._rounds >= self._max_rounds:
            message = f"the model still calls {result.tool_calls[0].name} after {self._rounds} rounds"
            raise TooManyRounds(message, run=run)
        return [Wanted(call, bound(call, self._tools)) for call in result.tool_calls]

    def give(self, wanted: Sequence[Wanted], results: Sequence[str]) -> None:
        """What came of the calls, in their order."""
        for each, content in zip(wanted, results, strict=True):
            self.messages.append({"role": "tool", "tool_call_id": each.call.id, "content": content})


def _by_name(given: Sequence[AnyTool]) -> dict[str, Tool]:
    tools: dict[str, Tool] = {}
    for each in given:
        if not (isinstance(each, Tool) or callable(each)):
            raise TypeError("run() calls the tools, so each must be a function or a Tool; chat() takes declarations")
        made: Any = as_tool(each)
        if made.name in tools:
            raise ValueError(f"two tools are called {made.name}")
        tools[made.name] = made
    return tools
