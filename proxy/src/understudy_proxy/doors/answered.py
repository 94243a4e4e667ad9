"""Answers to conversations that the gateway asks in canonical form: whole ones, and those that come bit by bit."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.content import Message, Role
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.door import Headers
from understudy_proxy.doors.headers import answered_headers, tool_calls_header
from understudy_proxy.exchange.course import Course
from understudy_proxy.telemetry.cost import cost_of


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, and how it came about."""

    said: Said
    target: RuntimeTarget
    course: Course
    """Of the last model that was asked."""
    messages: tuple[Message, ...]
    """What a conversation that goes on holds after the request; empty for an answer without anything in it."""
    cost: Decimal | None
    """In US dollars, of all models that were asked; None where no price is known."""
    tool_calls: int | None = None
    """How many calls of tools the gateway has run; None where it runs none."""

    @property
    def usage(self) -> Usage | None:
        """The tokens that it took, of all models that were asked."""
        return self.said.usage

    @property
    def headers(self) -> Headers:
        """Which route it was, who answered, and why not the first choice."""
        return answered_headers(self.target, self.course) + tool_calls_header(self.tool_calls)


class Saying(Protocol):
    """An answer as it comes: an asynchronous iterator of its events, ending after `Ended`.

    What it says of itself is true whenever it is asked for, and complete before `Ended` is there.
    """

    target: RuntimeTarget

    @property
    def course(self) -> Course:
        """Of the last model that was asked."""

    @property
    def usage(self) -> Usage | None:
        """The tokens that it took so far, of all models that were asked."""

    @property
    def cost(self) -> Decimal | None:
        """In US dollars so far, of all models that were asked; None where no price is known."""

    @property
    def tool_calls(self) -> int | None:
        """How many calls of tools the gateway has run so far; None where it runs none."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """What a conversation that goes on holds after the request; empty for an answer without anything in it."""

    @property
    def headers(self) -> Headers:
        """Which route it is, who answers, and why not the first choice."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """The events.

        Raises:
            UpstreamError: the answer was cut, or an error came in its place.
            Refused: the gateway cannot go on with it.
        """


def turn_of(said: Said) -> tuple[Message, ...]:
    """An answer as a turn of its conversation."""
    parts = said.choices[0].parts if said.choices else ()
    return (Message(Role.ASSISTANT, parts),) if parts else ()


def cost_at(course: Course, usage: Usage | None) -> Decimal | None:
    """What an answer cost, where tokens and price are known."""
    candidate = course.candidate
    if usage is None or candidate is None or candidate.pricing is None:
        return None
    return cost_of(usage, candidate.pricing)


def added(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Both together, as far as they are known."""
    return other if one is None else one if other is None else one + other
