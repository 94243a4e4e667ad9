"""An answer as it comes, with tools that are run on the way."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from decimal import Decimal
from types import TracebackType
from typing import Self, TypeVar

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.answered import Saying, added
from understudy_proxy.doors.door import Headers, Refused
from understudy_proxy.doors.executing.opening import Opening
from understudy_proxy.doors.executing.running import Running
from understudy_proxy.doors.executing.talk import Talk
from understudy_proxy.doors.headers import answered_headers, tool_calls_header
from understudy_proxy.exchange.course import Course
from understudy_proxy.rounds.decide import Deliver, Round
from understudy_proxy.rounds.telling import Telling

BEAT_SECONDS = 10.0
"""Well below the minute after which most proxies give a silent connection up."""
Opened = TypeVar("Opened")


class Slot:
    """What is open at the moment: an answer of a model, or a round of calls.

    Whoever leaves the slot leaves that as well, for the same reason: so a client that has gone cancels what is under
    way at once, and its record says why.
    """

    def __init__(self) -> None:
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Nothing is open yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave what is open."""
        return await self._open.__aexit__(kind, error, traceback)

    async def enter(self, context: AbstractAsyncContextManager[Opened]) -> Opened:
        """Leave what is open, and open `context`."""
        await self.leave()
        return await self._open.enter_async_context(context)

    async def leave(self) -> None:
        """Leave what is open: it has ended well."""
        await self._open.pop_all().aclose()


class ExecutedSaying(Saying):
    """The answer of several turns as one."""

    def __init__(
        self,
        talk: Talk,
        slot: Slot,
        *,
        ask: Callable[[Chat], Awaitable[Opening[Saying]]],
        run: Callable[[Round], Awaitable[Running]],
        keep: Callable[[], Awaitable[None]],
        beat_seconds: float,
    ) -> None:
        """Go through `talk`; `ask` and `run` open in `slot` what they give, and `keep` is called before the end."""
        self._talk = talk
        self._slot = slot
        self._ask = ask
        self._run = run
        self._keep = keep
        self._beat_seconds = beat_seconds
        self._telling = Telling(talk.functions, last_words_only=talk.last_words_only)
        self._earlier_cost: Decimal | None = None
        self._told_at = time.monotonic()
        self.target = talk.to.target

    async def begin(self) -> None:
        """Ask for the first turn.

        Raises:
            Refused: nobody began to answer.
        """
        opening = await self._ask(self._talk.progress.chat)
        await opening.finished()
        self._model = opening.opened()

    @property
    def course(self) -> Course:
        """Of the last model that was asked."""
        return self._model.course

    @property
    def usage(self) -> Usage | None:
        """What all turns took so far."""
        return self._telling.usage

    @property
    def cost(self) -> Decimal | None:
        """What that costs."""
        return added(self._earlier_cost, self._model.cost)

    @property
    def tool_calls(self) -> int:
        """How many calls were run so far."""
        return self._talk.progress.executed

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turns so far, with the results of tools."""
        return self._talk.progress.messages

    @property
    def headers(self) -> Headers:
        """Which route it is, who answers now, and how many calls were run so far."""
        return answered_headers(self.target, self.course) + tool_calls_header(self.tool_calls)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events of one answer."""
        while True:
            async for event in self._turn():
                yield event
            step = self._talk.progress.step(self._telling.choice, now=time.monotonic())
            if isinstance(step, Deliver):
                break
            async for event in self._round(step):
                yield event
        events = self._telling.deliver(step)
        if step.gave_up and not self._telling.said:
            raise self._talk.unanswered()
        await self._keep()
        for event in events:
            yield event

    async def _turn(self) -> AsyncIterator[Event]:
        """What the client is told of what the model says."""
        async for event in self._model:
            told = self._telling.hear(event)
            if not told and self._is_silent():
                told = self._telling.wait()
            for each in told:
                yield self._telling_now(each)

    async def _round(self, todo: Round) -> AsyncIterator[Event]:
        """Run the calls, and have the model asked again."""
        progress, cost = self._talk.progress, self._model.cost
        running = await self._run(todo)
        async for event in self._signs_of_life(running.finished):
            yield event
        progress.go_on(todo, running.results(), now=time.monotonic())
        self._telling.go_on()
        opening = await self._ask(progress.chat)
        async for event in self._signs_of_life(opening.finished):
            yield event
        try:
            self._model = opening.opened()
        except Refused as refused:
            self._talk.mark(refused)
            raise
        self._earlier_cost = added(self._earlier_cost, cost)

    async def _signs_of_life(self, finished: Callable[..., Awaitable[bool]]) -> AsyncIterator[Event]:
        """What the client is told until this is finished, so that it is never left in silence for long."""
        while not await finished(within_seconds=max(0.0, self._told_at + self._beat_seconds - time.monotonic())):
            for event in self._telling.wait():
                yield self._telling_now(event)

    def _telling_now(self, event: Event) -> Event:
        self._told_at = time.monotonic()
        return event

    def _is_silent(self) -> bool:
        return time.monotonic() - self._told_at > self._beat_seconds
