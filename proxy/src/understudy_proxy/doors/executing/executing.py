"""Asks models and runs tools, in turns, until there is an answer."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from understudy_proxy.dialects.canonical.answer import Choice, Finish
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.answered import Answered, Saying, added
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.executing.memory import RoundMemory
from understudy_proxy.doors.executing.opening import Opening
from understudy_proxy.doors.executing.running import Running
from understudy_proxy.doors.executing.saying import BEAT_SECONDS, ExecutedSaying, Slot
from understudy_proxy.doors.executing.talk import Talk, begin
from understudy_proxy.doors.headers import forwarded
from understudy_proxy.doors.model_calls import Addressee, ModelCalls
from understudy_proxy.rounds.decide import Deliver, Round
from understudy_proxy.rounds.gathering import Gathering
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.tools.tools import Tools

_NOTHING = Choice((), Finish.STOP)


class Executing:
    """Answers of personas whose tools the gateway runs."""

    def __init__(
        self,
        models: ModelCalls,
        tools: Tools,
        memory: RoundMemory,
        metrics: Metrics,
        *,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        """Ask `models`, run `tools`, and count in `metrics` who is turned away before anybody is asked.

        What a client with tools of its own does not see is kept in `memory`.

        Who waits for a stream while tools are run hears of the gateway every `beat_seconds`.
        """
        self._models = models
        self._tools = tools
        self._memory = memory
        self._metrics = metrics
        self._beat_seconds = beat_seconds

    async def complete(self, request: Request, chat: Chat, to: Addressee, *, operation: str) -> Answered:
        """The whole answer.

        Raises:
            Refused: nobody answered, or the request is wrong.
        """
        talk = await self._begin(to, chat)
        progress, gathering = talk.progress, Gathering(talk.functions, last_words_only=talk.last_words_only)
        usage, cost = None, None
        while True:
            answered = await self._turn(request, talk, operation)
            usage, cost = _sum(usage, answered.usage), added(cost, answered.cost)
            choices = answered.said.choices
            step = progress.step(choices[0] if choices else _NOTHING, now=time.monotonic())
            if isinstance(step, Deliver):
                break
            gathering.add(step.turn)
            async with self._running(request, talk, step) as running:
                await running.finished()
            progress.go_on(step, running.results(), now=time.monotonic())
        said = gathering.delivered(answered.said, step, usage)
        if step.gave_up and not gathering.said:
            raise talk.unanswered()
        await self._keep(talk)
        return Answered(
            said, talk.to.target, answered.course, messages=progress.messages, cost=cost, tool_calls=progress.executed
        )

    @asynccontextmanager
    async def stream(self, request: Request, chat: Chat, to: Addressee, *, operation: str) -> AsyncIterator[Saying]:
        """The answer as it comes; leaving the context ends it, and tools that are being run.

        Raises:
            Refused: nobody began to answer, or the request is wrong.
        """
        talk = await self._begin(to, chat)

        async def ask(next_chat: Chat) -> Opening[Saying]:
            later = bool(talk.progress.messages)
            model = self._models.stream(request, next_chat, operation=operation, to=talk.asked, later=later)
            return await slot.enter(Opening(model, name="model"))

        async def run(todo: Round) -> Running:
            return await slot.enter(self._running(request, talk, todo))

        async with Slot() as slot:
            keep = partial(self._keep, talk)
            saying = ExecutedSaying(talk, slot, ask=ask, run=run, keep=keep, beat_seconds=self._beat_seconds)
            await saying.begin()
            yield saying

    async def _turn(self, request: Request, talk: Talk, operation: str) -> Answered:
        later = bool(talk.progress.messages)
        try:
            return await self._models.complete(
                request, talk.progress.chat, operation=operation, to=talk.asked, later=later
            )
        except Refused as refused:
            talk.mark(refused)
            raise

    async def _begin(self, to: Addressee, chat: Chat) -> Talk:
        try:
            talk = begin(to, chat)
        except Refused as refused:
            self._metrics.refused(refused.reason)
            raise
        messages = await self._memory.recalled(chat.messages, talk.functions, of=to.key)
        talk.progress.chat = replace(talk.progress.chat, messages=messages)
        return talk

    async def _keep(self, talk: Talk) -> None:
        if talk.progress.messages:
            await self._memory.keep(talk.client_messages, talk.progress.messages, talk.functions, of=talk.to.key)

    def _running(self, request: Request, talk: Talk, todo: Round) -> Running:
        return Running(self._tools, todo, talk.tools, forward=forwarded(request), deadline=talk.deadline)


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    return other if one is None else one if other is None else one + other
