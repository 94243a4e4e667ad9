"""What each client is put through, and what its user must notice, in every dialect alike."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from compatibility.clients.subjects import TOOLS
from compatibility.expectations import (
    Differs,
    Report,
    expect,
    expect_calls,
    expect_error,
    expect_in,
    expect_same,
    expect_usage,
)
from compatibility.objects import FIRST, LOOK_UP, UNDERSTUDY, Situation
from compatibility.roster import Client

HELLO = "Grüß Gott, 世界 🎭"
THOUGHT = "a city has weather"
CACHED = 3
WEATHER, TIME = TOOLS["get_weather"], TOOLS["get_time"]
TRIP = {"city": "city", "days": 1}
"""What the mock makes of the schema of `Trip`."""


class Asker(Protocol):
    """Has one conversation, with one client and one type of provider."""

    @property
    def client(self) -> Client:
        """Who asks."""

    def model(self, situation: Situation) -> str:
        """The name of the model that is asked for in a situation."""

    async def __call__(self, situation: Situation, text: str, **task: Any) -> Report:
        """Have it; `task` are further fields of a `Task`, and `hands_over` goes on with a model of another vendor."""


Scenario = Callable[[Asker], Awaitable[None]]


async def plain(ask: Asker) -> None:
    """A whole answer: text, finish reason, usage."""
    turn = (await ask(Situation.STEADY, HELLO)).turn(0, of=1)
    expect_in(f"This is {FIRST}", turn["text"], "text")
    expect_in(f'You said: "{HELLO}"', turn["text"], "text")
    expect(ask.client.words.done, turn["finish"], "finish reason")
    expect_usage(turn)


async def stream(ask: Asker) -> None:
    """The same in pieces."""
    whole = (await ask(Situation.STEADY, HELLO)).turn(0, of=1)
    streamed = (await ask(Situation.STEADY, HELLO, stream=True)).turn(0, of=1)
    expect_same(whole, streamed)
    expect(streamed["text"], streamed["heard"], "text heard")
    if streamed["pieces"] < 2:
        raise Differs(f"it came in {streamed['pieces']} pieces")


async def tools(ask: Asker) -> None:
    """A tool is called, its result sent back, and the answer knows it."""
    asked, offered = f"[call: {WEATHER.name}]", (WEATHER.name, TIME.name)
    whole = await ask(Situation.STEADY, asked, tools=offered)
    for report in (whole, await ask(Situation.STEADY, asked, tools=offered, stream=True)):
        expect_calls(report.turn(0, of=2), [(WEATHER.name, {WEATHER.argument: "city"})], ask.client.words)
        final = report.turn(1, of=2)
        expect_in(WEATHER.result, final["text"], "answer after the result")
        expect(ask.client.words.done, final["finish"], "finish reason after the result")
        for mine, other in zip(whole.turns, report.turns, strict=True):
            expect_same(mine, other)


async def parallel_tools(ask: Asker) -> None:
    """Two calls come in one turn, both results go back."""
    asked, offered = f"[call: {TIME.name}, {WEATHER.name}]", (WEATHER.name, TIME.name)
    whole = await ask(Situation.STEADY, asked, tools=offered)
    for report in (whole, await ask(Situation.STEADY, asked, tools=offered, stream=True)):
        calls = [(TIME.name, {TIME.argument: "zone"}), (WEATHER.name, {WEATHER.argument: "city"})]
        expect_calls(report.turn(0, of=2), calls, ask.client.words)
        for tool in (TIME, WEATHER):
            expect_in(tool.result, report.turn(1, of=2)["text"], "answer after the results")
        for mine, other in zip(whole.turns, report.turns, strict=True):
            expect_same(mine, other)


async def image(ask: Asker) -> None:
    """A picture arrives as one."""
    for streamed in (False, True):
        turn = (await ask(Situation.STEADY, HELLO, image=True, stream=streamed)).turn(0, of=1)
        expect_in("1 image(s) (image/png)", turn["text"], "text")


async def thinking(ask: Asker) -> None:
    """The model thinks before it calls a tool; what it thought goes back with the result, and is good."""
    asked, offered = f"[think: {THOUGHT}] [call: {WEATHER.name}]", (WEATHER.name,)
    whole = await ask(Situation.STEADY, asked, tools=offered, think=True)
    for report in (whole, await ask(Situation.STEADY, asked, tools=offered, think=True, stream=True)):
        expect(THOUGHT, report.turn(0, of=2)["thoughts"], "thoughts")
        expect_calls(report.turn(0, of=2), [(WEATHER.name, {WEATHER.argument: "city"})], ask.client.words)
        expect_in(WEATHER.result, report.turn(1, of=2)["text"], "answer after the result")
        expect_same(whole.turn(0, of=2), report.turn(0, of=2))
        # What goes back in pieces, as it came, may count as more.
        expect(whole.turn(1, of=2)["text"], report.turn(1, of=2)["text"], "answer of the stream")


async def handover(ask: Asker) -> None:
    """A tool is called by one provider after some thought, and its result goes to another vendor's: nobody objects."""
    asked = f"[think: {THOUGHT}] [call: {WEATHER.name}]"
    for streamed in (False, True):
        asking = {"tools": (WEATHER.name,), "think": True, "stream": streamed}
        report = await ask(Situation.STEADY, asked, hands_over=True, **asking)
        expect_calls(report.turn(0, of=2), [(WEATHER.name, {WEATHER.argument: "city"})], ask.client.words)
        expect_in(WEATHER.result, report.turn(1, of=2)["text"], "answer after the result")
        expect(ask.client.words.done, report.turn(1, of=2)["finish"], "finish reason after the result")


async def cached_tokens(ask: Asker) -> None:
    """What a cache had of the prompt is told, in the SDK's own place."""
    for streamed in (False, True):
        turn = (await ask(Situation.STEADY, f"[cached: {CACHED}] {HELLO}", stream=streamed)).turn(0, of=1)
        expect(CACHED, turn["cached"], "cached tokens")


async def json_schema(ask: Asker) -> None:
    """The answer meets a schema, and the SDK has parsed it."""
    for streamed in (False, True):
        turn = (await ask(Situation.STEADY, HELLO, schema=True, stream=streamed)).turn(0, of=1)
        expect(TRIP.keys(), (turn["parsed"] or {}).keys(), "parsed")
        expect(TRIP["days"], turn["parsed"]["days"], "parsed days")


async def error_before(ask: Asker) -> None:
    """One provider fails before it says anything: nobody notices. All do: the SDK's own exception, and no storm.

    A request that the provider rejects is the user's own fault, and is told as such; nobody else is asked. Where all
    limit their rate, the SDK knows for how long.
    """
    for streamed in (False, True):
        saved = await ask(Situation.FIRST_DOWN, HELLO, stream=streamed)
        expect_in(f"This is {UNDERSTUDY}", saved.turn(0, of=1)["text"], "text")
        expect(1, saved.requests, "requests sent")
        lost = await ask(Situation.ALL_DOWN, HELLO, stream=streamed)
        error = expect_error(lost, ask.client.words.refused)
        expect(503, error["status"], "status")
        expect(1 if streamed else ask.client.tries, lost.requests, "requests sent")
        rejected = await ask(Situation.REJECTED, HELLO, stream=streamed)
        error = expect_error(rejected, ask.client.words.rejected)
        expect(400, error["status"], "status")
        expect(1, rejected.requests, "requests sent")
    error = expect_error(await ask(Situation.LIMITED, HELLO), ask.client.words.limited)
    expect(429, error["status"], "status")
    expect(ask.client.words.hinted, bool(error["retry_after"]), "a time to wait for")


async def error_after(ask: Asker) -> None:
    """A provider fails within a stream: what came is there, then the SDK raises. A whole answer comes from the next."""
    await _expect_break(ask, Situation.BROKEN)
    await _expect_whole(ask, Situation.BROKEN)


async def cut(ask: Asker) -> None:
    """A stream ends without its end: the SDK raises. Half an answer is none, and a whole one comes from the next."""
    await _expect_break(ask, Situation.CUT)
    await _expect_whole(ask, Situation.CUT)


async def resumed(ask: Asker) -> None:
    """A stream just ends, on a route that resumes: the next provider goes on, and the SDK sees one whole answer."""
    turn = (await ask(Situation.RESUMED, HELLO, stream=True)).turn(0, of=1)
    begun, _, gone_on = turn["text"].partition(f"This is {FIRST},")
    expect("", begun, "text before the beginning")
    expect_in(UNDERSTUDY, gone_on, "text that goes on")
    expect(turn["text"], turn["heard"], "text heard")
    expect(ask.client.words.done, turn["finish"], "finish reason")
    expect_usage(turn)


async def executed(ask: Asker) -> None:
    """The gateway runs a persona's tools, twice: the SDK sees one answer, what was said before the calls in it.

    A call of the client's own tool comes to the SDK, and when it comes back the model knows all that was before.
    """
    asked = f"[say: Let me see.] [call: {LOOK_UP}] [then: [call: {LOOK_UP}] [then: Well?]]"
    whole = (await ask(Situation.EXECUTED, asked)).turn(0, of=1)
    expect_in(f"Let me see.\n\nThis is {FIRST}", whole["text"], "text")
    expect_in('The tool returned: "{"echo":{"city":"city"}}"', whole["text"], "text after the tools")
    streamed = (await ask(Situation.EXECUTED, asked, stream=True)).turn(0, of=1)
    expect(streamed["text"], streamed["heard"], "text heard")
    for turn in (whole, streamed):
        expect([], turn["calls"], "calls")
        expect(ask.client.words.done, turn["finish"], "finish reason")
        expect_usage(turn)
    expect_same(whole, streamed)
    if not ask.client.words.ids:
        return
    asked = f"[call: {LOOK_UP}] [then: [call: {WEATHER.name}] [then: [call: {LOOK_UP}] [then: [say: That was all.]]]]"
    for streaming in (False, True):
        report = await ask(Situation.EXECUTED, asked, tools=(WEATHER.name,), stream=streaming)
        expect_calls(report.turn(0, of=2), [(WEATHER.name, {WEATHER.argument: "city"})], ask.client.words)
        expect("That was all.", report.turn(1, of=2)["text"], "answer after the result")


async def error_event(ask: Asker) -> None:
    """The provider's own way to end a stream with an error is one that the SDK understands."""
    await _expect_break(ask, Situation.BROKEN)


SCENARIOS: Mapping[str, Scenario] = {
    "plain": plain,
    "stream": stream,
    "tools": tools,
    "parallel tools": parallel_tools,
    "image": image,
    "JSON schema": json_schema,
    "thinking": thinking,
    "handover": handover,
    "cached tokens": cached_tokens,
    "error before": error_before,
    "error after": error_after,
    "cut": cut,
    "resumed": resumed,
    "executed": executed,
}
"""The columns of the tables."""


async def models(ask: Asker) -> None:
    """The list of models has the name that is asked for."""
    report = await ask(Situation.STEADY, HELLO, call="models")
    report.expect_no_error()
    if ask.model(Situation.STEADY) not in report.value:
        raise Differs(f"models: {report.value}")


async def embeddings(ask: Asker) -> None:
    """Each text has a vector of its own."""
    report = await ask(Situation.STEADY, HELLO, call="embeddings")
    report.expect_no_error()
    vectors = [tuple(round(number, 6) for number in vector) for vector in report.value or ()]
    expect(2, len(vectors), "vectors")
    first, second = vectors
    if len(first) != len(second) or first == second or not any(first):
        raise Differs(f"vectors: {first[:3]}, {second[:3]}")


async def count_tokens(ask: Asker) -> None:
    """A prompt has a length, without being answered."""
    report = await ask(Situation.STEADY, HELLO, call="count tokens")
    report.expect_no_error()
    if not report.value or report.value < len(HELLO.split()):
        raise Differs(f"tokens: {report.value}")


CALLS: Mapping[str, Scenario] = {"models": models, "embeddings": embeddings, "count tokens": count_tokens}
"""What SDKs do besides conversations."""

_NEED_SEVERAL = frozenset({"handover", "error before", "error after", "cut", "resumed", "executed"})
OF_THE_MOCK: Mapping[str, Scenario] = {
    **{name: SCENARIOS[name] for name in SCENARIOS if name not in _NEED_SEVERAL},
    "error event": error_event,
}
"""What the mock itself has to stand, asked in a client's own dialect."""


async def _expect_break(ask: Asker, situation: Situation) -> None:
    report = await ask(situation, HELLO, stream=True)
    if report.error is None:
        raise Differs(f"nothing was raised; the text ends after {report.heard!r}")
    error = expect_error(report, ask.client.words.broken)
    expect_in(f"This is {FIRST}", report.heard, f"text before {error['message']}")
    expect(1, report.requests, "requests sent")


async def _expect_whole(ask: Asker, situation: Situation) -> None:
    whole = await ask(situation, HELLO)
    expect_in(f"This is {UNDERSTUDY}", whole.turn(0, of=1)["text"], "whole text")
