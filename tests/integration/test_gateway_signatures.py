"""Conversations that wander between vendors: what one signed never reaches another, and comes back to it intact."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller, Heard, Turn
from harness.gateways import Serving, in_order, route, snapshot
from harness.vendors import VENDORS
from understudy.mock import Mock

FIRST = "[think: first thoughts] [call: get_weather, get_time]"
SECOND = "[think: second thoughts] [call: get_time]"
SIGNED = ("signature", "thoughtSignature")
CARRIERS = [caller for caller in CALLERS if caller != "ollama"]
"""Whose dialects have a place for signatures. Ollama's has none: there a conversation goes on without them."""


class Talk:
    """A conversation, as a client has it that sends back all that it got."""

    def __init__(self, caller: Caller, port: int, *, stream: bool) -> None:
        self._caller = caller
        self.port = port
        """Of the gateway."""
        self._stream = stream
        self._turns: list[Turn] = []

    async def say(self, text: str, *, model: str = "chat") -> Heard:
        """Say something, to whoever the name leads to."""
        return await self._go_on([self._caller.user(text)], model)

    async def tell(self, heard: Heard, *, model: str = "chat") -> Heard:
        """Tell what the tools returned."""
        results = [f"result of {call.name}" for call in heard.calls]
        return await self._go_on(self._caller.results(heard.calls, *results), model)

    async def _go_on(self, turns: list[Turn], model: str) -> Heard:
        self._turns += turns
        asking = Asking(self._turns, model=model, stream=self._stream, tools=True, think=True)
        heard = await self._caller.go_on(self.port, asking)
        self._turns += heard.turns
        return heard


@asynccontextmanager
async def wandering(first: str, second: str, caller: Caller, *, stream: bool) -> AsyncIterator[tuple[Talk, Mock, Mock]]:
    """A conversation with the first vendor, for which the second one steps in."""
    async with Mock(name="a") as a, Mock(name="b") as b:
        providers = [VENDORS[first].provider("a", a.url), VENDORS[second].provider("b", b.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            yield Talk(caller, gateway.port, stream=stream), a, b


def signatures(mock: Mock) -> list[str]:
    """All signatures in the last request, in order."""
    return list(_found(json.loads(mock.requests[-1].body)))


def _found(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (inner for name, inner in value.items() if name in SIGNED and isinstance(inner, str))
        for inner in value.values():
            yield from _found(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _found(inner)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("anthropic", "gemini"),
        ("gemini", "anthropic"),
        ("anthropic", "openai"),
        ("openai", "anthropic"),
        ("gemini", "openai"),
        ("bedrock", "gemini"),
        ("gemini", "bedrock"),
    ],
)
async def test_there_and_back(first: str, second: str, caller: str, stream: bool) -> None:
    """Nobody gets what another vendor signed, and each gets back all of its own."""
    async with wandering(first, second, CALLERS[caller], stream=stream) as (talk, a, b):
        asked = await talk.say(FIRST)
        assert ["get_weather", "get_time"] == [call.name for call in asked.calls]
        own = await talk.tell(asked)
        assert '"result of get_weather, result of get_time"' in own.text
        kept = signatures(a)
        a.set_faults(["500"])
        again = await talk.say(SECOND)
        assert ["get_time"] == [call.name for call in again.calls]
        assert '"result of get_time"' in (await talk.tell(again)).text
        assert b.stats.requests == 2
        if caller in CARRIERS:
            assert not set(kept) & set(signatures(b))
        a.set_faults([])
        back = await talk.say("[think: third thoughts] [call: get_weather]", model="a/m")
        assert '"result of get_weather"' in (await talk.tell(back, model="a/m")).text
        if caller in CARRIERS:
            assert bool(kept) == (first != "openai")
            assert kept == signatures(a)[: len(kept)]


MARK = {"type": "ephemeral"}
MARKED: dict[str, Any] = {
    "system": [{"type": "text", "text": "Be brief.", "cache_control": MARK}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": MARK}]}],
}


@pytest.mark.parametrize("understudy", ["openai", "gemini", "ollama", "bedrock"])
async def test_cache_marks(understudy: str) -> None:
    """Who has no marks gets none, with a warning, Bedrock has its own; the first vendor gets them back as they were."""
    asks = CALLERS["anthropic"]
    async with wandering("anthropic", understudy, asks, stream=False) as (talk, a, b):
        asking = Asking([])
        a.set_faults(["500;times=2"])
        answer = await asks.send(talk.port, asking, **MARKED)
        assert (200, 1) == (answer.status, b.stats.requests)
        assert ("cache marks" in answer.headers.get("x-understudy-warning", "")) == (understudy != "bedrock")
        assert (b"cachePoint" in b.requests[-1].body) == (understudy == "bedrock")
        assert b"cache_control" not in b.requests[-1].body
        asking = Asking([], model="a/m")
        assert (await asks.send(talk.port, asking, **MARKED)).status == 200
    assert MARKED.items() <= json.loads(a.requests[-1].body).items()
