"""How far a conversation is: what was said and run so far, and what is asked next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from understudy_proxy.dialects.canonical.answer import Choice
from understudy_proxy.dialects.canonical.chat import Chat, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import Message, Role, ToolResult
from understudy_proxy.rounds.decide import Deliver, Functions, Round, Step, after
from understudy_proxy.rounds.results import MAX_CHARACTERS_IN_ALL, characters, fitted

_NO_CALLS = ToolChoice(ToolMode.NONE, firm=False)
"""A call that is made nevertheless is not run."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far it may go."""

    rounds: int
    """How often the model may call tools."""
    deadline: float
    """Monotonic seconds; no tool is run after it."""


class Progress:
    """One conversation. Times are monotonic seconds."""

    def __init__(self, chat: Chat, functions: Functions, bounds: Bounds) -> None:
        self.chat = chat
        """What to ask next."""
        self.messages: tuple[Message, ...] = ()
        """What has come after the request."""
        self.executed = 0
        """Calls that were run."""
        self.functions = functions
        self.bounds = bounds
        self._room = MAX_CHARACTERS_IN_ALL
        self._rounds = 0
        self._last = False

    def step(self, choice: Choice, *, now: float) -> Step:
        """What to do after `choice`, which answers `chat`."""
        in_time = now < self.bounds.deadline
        step = after(choice, functions=self.functions, in_time=in_time, last=self._last)
        if isinstance(step, Deliver) and step.parts:
            self.messages += (Message(Role.ASSISTANT, step.parts),)
        return step

    def go_on(self, done: Round, results: Sequence[ToolResult], *, now: float) -> None:
        """A round is over: ask with its results."""
        self._rounds += 1
        self._last = self._rounds >= self.bounds.rounds or now >= self.bounds.deadline
        self.executed += sum(planned.instead is None for planned in done.calls)
        fit = fitted(results, room=self._room)
        self._room = max(0, self._room - sum(characters(result) for result in fit))
        turns = (Message(Role.ASSISTANT, done.turn), Message(Role.USER, tuple(fit)))
        self.messages += turns
        self.chat = replace(
            self.chat,
            messages=_joined(self.chat.messages, turns),
            tool_choice=_NO_CALLS if self._last else choice_after(self.chat.tool_choice),
        )


def choice_after(choice: ToolChoice | None) -> ToolChoice | None:
    """What the model may call once it has called what it had to: with the same demand it would never come to an end."""
    if choice is None or choice.mode is not ToolMode.REQUIRED:
        return choice
    return ToolChoice(ToolMode.AUTO, choice.names) if len(choice.names) > 1 else None


def _joined(before: tuple[Message, ...], turns: tuple[Message, ...]) -> tuple[Message, ...]:
    """A client that began the answer itself gets it continued, in one turn."""
    if before and before[-1].role is Role.ASSISTANT:
        return (*before[:-1], Message(Role.ASSISTANT, before[-1].parts + turns[0].parts), *turns[1:])
    return before + turns
