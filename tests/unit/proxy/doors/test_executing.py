"""The loop over models and tools: what waits, what is cancelled, and when a client hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from harness.executing import MODEL, helper
from harness.gateways import provider
from harness.raw_http import eventually
from harness.tools import tool
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import RuntimeTarget, RuntimeTool
from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.answer import Choice, Finish
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import AssistantPart, Message, Role, Text, ToolCall
from understudy_proxy.dialects.canonical.events import (
    Ended,
    Event,
    Finished,
    KeptAlive,
    TextDelta,
    ToolCallBegan,
)
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.answered import Answered, Saying
from understudy_proxy.doors.door import Answer, EventStream, Headers
from understudy_proxy.doors.executing.executing import Executing
from understudy_proxy.doors.executing.memory import RoundMemory
from understudy_proxy.doors.executing.running import MAX_AT_ONCE
from understudy_proxy.doors.model_calls import Addressee, ModelCalls
from understudy_proxy.exchange.course import Course
from understudy_proxy.state.memory import MemoryStore
from understudy_proxy.telemetry.book import Book
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.telemetry.outcomes import Outcomes
from understudy_proxy.tools.outcome import Outcome
from understudy_proxy.tools.tools import Tools

RUNTIME = build(helper([provider("a", "http://127.0.0.1:1")], [tool("search", "http://127.0.0.1:1/")]), now=0)
TARGET = RUNTIME.targets["Persona/default/helper"]
TO = Addressee(RUNTIME, TARGET, "default")
CHAT = Chat(MODEL, (Message(Role.USER, (Text("Hello"),)),))
SEARCH = ToolCall("1", "search", "{}")
DONE = (Text("Done."),)


@dataclass
class Asked:
    """A request with nothing in it."""

    headers: CIMultiDictProxy[str] = field(default_factory=lambda: CIMultiDictProxy(CIMultiDict()))
    id: str = "req_1"
    method: str = "POST"
    path: str = ""
    query: str = ""
    rest: str = ""
    namespace: str | None = None
    received: float = 0.0
    cut_short: bool = False

    async def body(self) -> bytes:
        """None."""
        return b""

    async def begin(self, answer: Answer) -> EventStream:
        """Nobody does."""
        raise AssertionError(answer)


class OneSaying(Saying):
    """A turn as it comes."""

    def __init__(self, parts: tuple[AssistantPart, ...]) -> None:
        self._parts = parts
        self.target: RuntimeTarget = TARGET
        self.course_of_it = Course()

    course = property(lambda self: self.course_of_it)
    usage = property(lambda _: None)
    cost = property(lambda _: Decimal(1))
    tool_calls = property(lambda _: None)
    messages = property(lambda _: ())
    headers = property(lambda _: ())

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Its events."""
        calls = [part for part in self._parts if isinstance(part, ToolCall)]
        for part in self._parts:
            if isinstance(part, Text):
                yield TextDelta(part.text)
        for index, call in enumerate(calls):
            yield ToolCallBegan(index, call.id, call.name)
        yield Finished(Finish.TOOL_CALLS if calls else Finish.STOP)
        yield Ended()


class Models(ModelCalls):
    """Says turn by turn what it is given; keeps how each of its streams was left."""

    def __init__(self, *turns: tuple[AssistantPart, ...], thinks: asyncio.Event | None = None) -> None:
        """With `thinks`, all but the first turn begin when it is set."""
        self.turns = list(turns)
        self._thinks = thinks
        self.thinking = 0
        self._asked = 0
        self.left: list[BaseException | None] = []

    async def complete(self, request: Any, chat: Chat, **more: Any) -> Answered:
        """The next turn."""
        del request, chat, more
        parts = self.turns.pop(0)
        finish = Finish.TOOL_CALLS if any(isinstance(part, ToolCall) for part in parts) else Finish.STOP
        said = Said((Choice(parts, finish),), Usage(1, 1))
        return Answered(said, TARGET, Course(), messages=(), cost=Decimal(1))

    @asynccontextmanager
    async def stream(self, request: Any, chat: Chat, **more: Any) -> AsyncIterator[Saying]:
        """The next turn."""
        del request, chat, more
        try:
            await self._think()
            yield OneSaying(self.turns.pop(0))
        except BaseException as error:
            self.left.append(error)
            raise
        self.left.append(None)

    async def _think(self) -> None:
        self._asked += 1
        if self._thinks is None or self._asked == 1:
            return
        self.thinking += 1
        try:
            await self._thinks.wait()
        finally:
            self.thinking -= 1


class Holding(Tools):
    """Runs nothing until it is let go; keeps how many calls are under way, and how many were cancelled."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.under_way = 0
        self.cancelled = 0

    async def run(self, tool: RuntimeTool, arguments: object, *, forward: Headers = ()) -> Outcome:
        """Wait."""
        del tool, arguments, forward
        self.under_way += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1
        return Outcome.of("found")


def executing(models: Models, tools: Tools, *, beat_seconds: float = 60.0) -> Executing:
    """A loop over these."""
    memory = RoundMemory(MemoryStore(max_bytes=1024, now=lambda: 0.0))
    return Executing(models, tools, memory, Metrics(Book(), Outcomes(), log=None), beat_seconds=beat_seconds)


async def break_off(loop: Executing) -> None:
    """Leave when there is something to be told."""
    async with loop.stream(Asked(), CHAT, TO, operation="chat") as saying:
        async for _ in saying:
            raise ConnectionResetError


async def test_a_client_that_waits_hears_that_it_is_waited_for() -> None:
    """Signs of life come while tools run, and only then."""
    tools, heard = Holding(), list[Event]()
    loop = executing(Models((SEARCH,), DONE), tools, beat_seconds=0.001)
    async with loop.stream(Asked(), CHAT, TO, operation="chat") as saying:
        async for event in saying:
            heard.append(event)
            if heard.count(KeptAlive(ours=True)) == 3:
                tools.go.set()
    words = [event for event in heard if not isinstance(event, KeptAlive)]
    assert [TextDelta("Done."), Finished(Finish.STOP), Ended()] == words
    assert isinstance(heard[0], KeptAlive)
    assert (1, Decimal(2)) == (saying.tool_calls, saying.cost)


async def test_a_client_that_waits_for_a_later_turn_hears_of_it_too() -> None:
    """A model may think for long before it goes on after a tool."""
    tools, thinks, alive = Holding(), asyncio.Event(), 0
    tools.go.set()
    models = Models((SEARCH,), DONE, thinks=thinks)
    async with executing(models, tools, beat_seconds=0.001).stream(Asked(), CHAT, TO, operation="chat") as saying:
        async for event in saying:
            alive += isinstance(event, KeptAlive)
            if alive == 3:
                thinks.set()
    assert alive >= 3
    assert [None, None] == models.left


async def test_a_client_that_leaves_a_model_that_thinks_cancels_it() -> None:
    """Also where nothing of the turn has come yet."""
    tools = Holding()
    tools.go.set()
    models = Models((SEARCH,), DONE, thinks=asyncio.Event())
    loop = executing(models, tools)

    async def asks() -> None:
        async with loop.stream(Asked(), CHAT, TO, operation="chat") as saying:
            async for _ in saying:
                pass

    asking = asyncio.create_task(asks())
    await eventually(lambda: models.thinking == 1)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert 0 == models.thinking
    assert [type(None), asyncio.CancelledError] == [type(error) for error in models.left]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_whoever_leaves_cancels_what_is_run(stream: bool) -> None:
    """Nothing is run for nobody, and it is over before the request is."""
    tools, models = Holding(), Models((SEARCH, SEARCH), DONE)
    loop = executing(models, tools)

    async def asks() -> None:
        if not stream:
            await loop.complete(Asked(), CHAT, TO, operation="chat")
            return
        async with loop.stream(Asked(), CHAT, TO, operation="chat") as saying:
            async for _ in saying:
                pass

    asking = asyncio.create_task(asks())
    await eventually(lambda: tools.under_way == 2)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert (0, 2, 1) == (tools.under_way, tools.cancelled, len(models.turns))


async def test_whoever_cannot_be_told_cancels_what_is_run() -> None:
    """A client may be gone when it is told that tools are still being run."""
    tools = Holding()
    loop = executing(Models((SEARCH,), DONE), tools, beat_seconds=0.001)
    with pytest.raises(ConnectionResetError):
        await break_off(loop)
    assert (0, 1) == (tools.under_way, tools.cancelled)


async def test_the_answer_that_is_left_knows_why() -> None:
    """The record of a model's answer tells a client that left from an answer that was whole."""
    models = Models((Text("Let me see."), SEARCH), DONE)
    with pytest.raises(ConnectionResetError):
        await break_off(executing(models, Holding()))
    assert [ConnectionResetError] == [type(error) for error in models.left]


async def test_so_many_are_run_at_once() -> None:
    """More of one round wait for the first to be done."""
    tools = Holding()
    calls = tuple(ToolCall(str(number), "search", "{}") for number in range(MAX_AT_ONCE + 3))
    asking = asyncio.create_task(executing(Models(calls, DONE), tools).complete(Asked(), CHAT, TO, operation="chat"))
    await eventually(lambda: tools.under_way == MAX_AT_ONCE)
    for _ in range(10):
        await asyncio.sleep(0)
    assert MAX_AT_ONCE == tools.under_way
    tools.go.set()
    answered = await asking
    assert MAX_AT_ONCE + 3 == answered.tool_calls
    assert (Usage(2, 2), Decimal(2)) == (answered.usage, answered.cost)
    assert [Role.ASSISTANT, Role.USER, Role.ASSISTANT] == [message.role for message in answered.messages]
