"""What to do after an answer of a model, some of whose tools the gateway runs."""

from dataclasses import dataclass
from enum import StrEnum

from understudy_proxy.dialects.canonical.answer import Choice, Finish
from understudy_proxy.dialects.canonical.content import AssistantPart, ToolCall

MAX_CALLS = 64
"""Calls of one round that are run. No model is known to make more; one that does gets the rest later."""
_TIME_IS_UP = "This was not run: the time for calling tools is up. Answer with what you have."
_TOO_MANY = f"This was not run: at most {MAX_CALLS} calls are run at once. Call it again."
_WHOLE = frozenset({Finish.STOP, Finish.TOOL_CALLS})
"""Endings after which the arguments of the last call are complete. Some servers call tools and say that they stop."""


class Owner(StrEnum):
    """Who runs a function."""

    GATEWAY = "gateway"
    CLIENT = "client"
    NOBODY = "nobody"
    """No such function was declared: the model made it up."""


@dataclass(frozen=True, slots=True)
class Functions:
    """Who runs which function of a conversation."""

    gateway: frozenset[str]
    client: frozenset[str]

    def owner(self, name: str) -> Owner:
        """Who runs the function of that name."""
        if name in self.gateway:
            return Owner.GATEWAY
        return Owner.CLIENT if name in self.client else Owner.NOBODY


@dataclass(frozen=True, slots=True)
class Deliver:
    """The answer is the client's."""

    parts: tuple[AssistantPart, ...]
    """What the client gets of this turn."""
    finish: Finish
    gave_up: bool = False
    """The model called tools although it was asked not to: if it has said nothing at all, there is no answer."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A call, and what the model is told in place of a result; None: it is run."""

    call: ToolCall
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """Tools are run, and the model is asked again."""

    turn: tuple[AssistantPart, ...]
    """What the model said, to the letter."""
    calls: tuple[Planned, ...]
    """All calls of the turn, in their order."""


Step = Deliver | Round


def after(choice: Choice, *, functions: Functions, in_time: bool, last: bool) -> Step:
    """What to do after `choice`.

    A turn that calls tools of the client goes to the client, with those calls alone: they have to be answered
    together, and the gateway cannot answer them. What it was to run besides, the model can call again.

    Args:
        choice: What the model said.
        functions: Who runs what.
        in_time: There is time left for tools.
        last: The model was asked for an answer without calls.
    """
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    owners = {functions.owner(call.name) for call in calls}
    if not calls:
        return Deliver(choice.parts, Finish.STOP if choice.finish is Finish.TOOL_CALLS else choice.finish)
    if Owner.CLIENT in owners:
        return Deliver(shown(choice.parts, functions), _ending(choice.finish, Finish.TOOL_CALLS))
    if last or choice.finish not in _WHOLE:
        return Deliver(shown(choice.parts, functions), _ending(choice.finish, Finish.LENGTH), gave_up=last)
    planned = (_planned(call, functions, number=number, in_time=in_time) for number, call in enumerate(calls))
    return Round(choice.parts, tuple(planned))


def shown(parts: tuple[AssistantPart, ...], functions: Functions) -> tuple[AssistantPart, ...]:
    """What a client gets to see of a turn: all but the calls that are not its own."""
    return tuple(part for part in parts if not isinstance(part, ToolCall) or functions.owner(part.name) is Owner.CLIENT)


def _ending(said: Finish, otherwise: Finish) -> Finish:
    return otherwise if said in _WHOLE else said


def _planned(call: ToolCall, functions: Functions, *, number: int, in_time: bool) -> Planned:
    if functions.owner(call.name) is Owner.NOBODY:
        known = ", ".join(sorted(functions.gateway | functions.client))
        return Planned(call, f"There is no function {call.name[:64]!r}. There are: {known}.")
    if not in_time:
        return Planned(call, _TIME_IS_UP)
    return Planned(call, _TOO_MANY if number >= MAX_CALLS else None)
