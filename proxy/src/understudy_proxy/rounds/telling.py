"""What a client hears of several turns while they are said: one answer, without calls that are none of its business.

What a model says before it calls tools is part of the answer: nobody knows while it is said whether calls will follow,
and to wait for that would be no stream at all. Only where the answer has to be JSON, the last turn's words alone are
it, and each turn's wait for its end.
"""

from dataclasses import replace

from understudy_proxy.dialects.canonical.answer import Choice, Finish
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    Said,
    TextDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.canonical.fold import Folding
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.rounds.decide import Deliver, Functions, Owner
from understudy_proxy.rounds.gathering import separation


class Telling:
    """One answer on its way."""

    def __init__(self, functions: Functions, *, last_words_only: bool) -> None:
        """With `last_words_only`, what was said before the last turn is no part of it: the answer is to be JSON."""
        self._functions = functions
        self._last_words_only = last_words_only
        self.opened = False
        """The client has heard of the answer: it can get no other."""
        self.said = False
        """There is more in the answer than thoughts."""
        self._began: Began | None = None
        self._earlier: Usage | None = None
        """What earlier turns took."""
        self._words = ""
        """The last of the answer, as far as the client knows it."""
        self._turn = _Turn("")

    @property
    def usage(self) -> Usage | None:
        """What all turns took so far."""
        if self._earlier is None or self._turn.usage is None:
            return self._turn.usage or self._earlier
        return self._earlier + self._turn.usage

    @property
    def choice(self) -> Choice:
        """What was said in this turn, to the letter."""
        choices = self._turn.folding.answer().choices
        return choices[0] if choices else Choice((), Finish.STOP)

    def hear(self, event: Event) -> list[Event]:
        """What the client is told of an event of this turn, whose end `deliver` tells."""
        match event:
            case Began():
                self._began = event
            case Counted():
                self._turn.usage = event.usage
                return self._count() if self.opened else []
            case KeptAlive() | Resumed():
                return [event] if self.opened else []
            case Ended() | Failed():
                pass
            case _ if event.choice == 0:
                return self._hear(event)
        return []

    def wait(self) -> list[Event]:
        """What the client is told while tools are run."""
        return self._open([KeptAlive(ours=True)])

    def go_on(self) -> None:
        """Another turn follows."""
        self._earlier = self.usage
        self._turn = _Turn(separation(self._words))

    def deliver(self, deliver: Deliver) -> list[Event]:
        """The end of the answer."""
        held, stop_sequence = self._turn.held, self.choice.stop_sequence
        end = Finished(deliver.finish, stop_sequence=stop_sequence)
        self.said = self.said or bool(held)
        return [*self._open([*held, end]), *self._count(), Ended()]

    def _hear(self, event: Said) -> list[Event]:
        self._turn.folding.add(event)
        told = self._turn.told(event, self._functions)
        if told is None:
            return []
        if self._last_words_only and isinstance(told, (TextDelta, RefusalDelta, ToolCallBegan, ArgumentsDelta)):
            self._turn.held.append(told)
            return []
        self.said = self.said or isinstance(told, (RefusalDelta, ToolCallBegan))
        if not isinstance(told, TextDelta) or not told.text:
            return self._open([told])
        self.said = True
        apart, self._turn.apart = self._turn.apart, ""
        self._words = told.text
        return self._open([TextDelta(apart), told] if apart else [told])

    def _open(self, events: list[Event]) -> list[Event]:
        if self.opened:
            return events
        self.opened = True
        return [*([self._began] if self._began else []), *self._count(), *events]

    def _count(self) -> list[Event]:
        usage = self.usage
        return [] if usage is None else [Counted(usage)]


class _Turn:
    """What is said between two rounds of calls."""

    def __init__(self, apart: str) -> None:
        self.apart = apart
        """Goes before its first words."""
        self.folding = Folding()
        self.usage: Usage | None = None
        self.held: list[Event] = []
        """Said, but not told yet."""
        self._calls: dict[int, int] = {}
        """The client's index of each call that is its own."""

    def told(self, event: Said, functions: Functions) -> Said | None:
        """The event as the client gets it, if it does."""
        match event:
            case Finished():
                return None
            case ToolCallBegan():
                if functions.owner(event.name) is not Owner.CLIENT:
                    return None
                self._calls[event.index] = len(self._calls)
                return replace(event, index=self._calls[event.index])
            case ArgumentsDelta():
                index = self._calls.get(event.index)
                return None if index is None else replace(event, index=index)
            case _:
                return event
