"""Servers that answer anything at all: every request ends, in its client's format, and nothing is left behind."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import orjson
import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller
from harness.gateways import Serving, in_order, persona, route, snapshot
from harness.mutations import mutated, pieces, revalued, seeded
from harness.raw_http import Answer, eventually, exchange
from harness.raw_upstream import Line, RawUpstream
from harness.vendors import VENDORS, Vendor
from understudy.mock import Mock
from understudy_api.config import HealthPolicy, Prompt, RetryPolicy, Timeouts

ROUNDS = 40
SAID = (
    "[think: Grüße, 世界] [say: Hello 🎭 \u2028 there] [call: get_weather, get_time] [cached: 3]",
    "[say: Nothing but wörds]",
)
PATIENT = HealthPolicy(consecutive_failures=1_000_000)
TIMEOUTS = Timeouts(connect_seconds=2, first_token_seconds=5, stream_idle_seconds=5, request_seconds=8)
ONCE = RetryPolicy(attempts=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """A good answer."""

    content_type: str
    content: bytes


class Mutating:
    """A server that sends a sample each time, with something wrong in it."""

    def __init__(self, random: Random) -> None:
        self.sample = Sample("", b"")
        self.sent = b""
        self.open = 0
        self._random = random

    async def serve(self, line: Line) -> None:
        """The script."""
        self.open += 1
        try:
            while True:
                await line.request()
                await self._answer(line)
        finally:
            self.open -= 1

    async def _answer(self, line: Line) -> None:
        self.sent = mutated(self.sample.content, self._random)
        missing = self._random.choice((0, 0, 0, 1, 50))
        length = len(self.sent) + missing
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {self.sample.content_type}\r\ncontent-length: {length}\r\n\r\n"
        await line.send(head.encode())
        for piece in pieces(self.sent, self._random):
            await line.send(piece)
            await asyncio.sleep(0)
        if missing:
            raise EOFError


async def _samples(vendor: Vendor, *, stream: bool) -> list[Sample]:
    """What the vendor sends, as a mock of it does."""
    asks, samples = CALLERS["openai"], []
    async with Mock(name="a") as mock:
        whole = snapshot([vendor.provider("a", mock.url)], [route("chat", *in_order("a"))])
        async with Serving(whole) as gateway:
            for text in SAID:
                await asks.ask(gateway.port, text, stream=stream, tools=True, think=True)
                request = mock.requests[-1]
                own = {"content-length", "host", "connection"}
                headers = {name: value for name, value in request.headers.items() if name.lower() not in own}
                answer = await exchange(mock.port, "POST", request.path, request.body, headers)
                assert answer.status == 200
                samples.append(Sample(answer.headers["content-type"], answer.body))
    return samples


def _check(caller: Caller, answer: Answer, *, stream: bool, passed: bool) -> None:
    """It is an answer of the client's format, or an error of it; what is passed on is the provider's own."""
    if answer.status != 200:
        assert answer.status in range(400, 600)
        assert answer.complete
        wrong = caller.error_in(answer.json())
        assert wrong is not None
        assert wrong.message
        return
    if not stream:
        assert answer.complete
        body = answer.json()
        if not passed:
            _readable(lambda: caller.read(body))
        return
    if passed:
        return
    events = caller.events(answer.body)
    wrong = caller.error_in(events[-1]) if isinstance(events[-1], dict) else None
    assert answer.complete == (wrong is None)
    if wrong is None:
        _readable(lambda: caller.put_together(events))


def _readable(read: Callable[[], object]) -> None:
    """A client can read it; the arguments of a call are as the model wrote them, and may be no JSON."""
    with suppress(orjson.JSONDecodeError):
        read()


def _check_log(gateway: Serving) -> None:
    """Nothing happened that nobody had thought of."""
    assert [] == [line for line in gateway.log() if "exception" in line]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", VENDORS)
async def test_any_answer(name: str, stream: bool) -> None:
    """Mutated answers, cut anywhere: each request has its answer or error, and all places are free afterwards."""
    vendor, random = VENDORS[name], seeded()
    samples, upstream = await _samples(vendor, stream=stream), Mutating(random)
    async with RawUpstream(upstream.serve) as server:
        url = f"http://127.0.0.1:{server.port}"
        # With one place at the upstream, a place that is not given back refuses the next request.
        given = vendor.provider("a", url, health=PATIENT, timeouts=TIMEOUTS, max_concurrency=1)
        async with Serving(snapshot([given], [route("chat", *in_order("a"), retry=ONCE)])) as gateway:
            for number in range(ROUNDS):
                caller = [*CALLERS][number % len(CALLERS)]
                asks, upstream.sample = CALLERS[caller], samples[number // len(CALLERS) % len(samples)]
                asking = Asking([asks.user("hi")], stream=stream, tools=True, think=True)
                answer = await asks.send(gateway.port, asking)
                assert answer.headers.get("x-understudy-reason") != "busy"
                _check(asks, answer, stream=stream, passed=caller == name)
            # What is read to its end after its client had it may keep a connection from the next request, but few do.
            await eventually(lambda: upstream.open <= ROUNDS // 8)
            await gateway.reaches("understudy_requests_in_flight", 0)
        await eventually(lambda: upstream.open == 0)
        _check_log(gateway)


async def _conversation(asks: Caller, port: int) -> Asking:
    """One with all that a client may send: thoughts, calls, results, an image."""
    turns = [asks.user("[think: hm] [say: Let me see.] [call: get_weather, get_time]", image=True)]
    heard = await asks.go_on(port, Asking(turns, tools=True, think=True))
    turns += [*heard.turns, *asks.results(heard.calls, "sunny", "late")]
    return Asking(turns, tools=True, think=True)


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_any_request(caller: str, name: str) -> None:
    """Requests with anything in any place: an answer, or an error that is the client's."""
    asks, random = CALLERS[caller], seeded()
    async with Mock(name="a") as mock:
        given = VENDORS[name].provider("a", mock.url, health=PATIENT, timeouts=TIMEOUTS)
        async with Serving(snapshot([given], [route("chat", *in_order("a"), retry=ONCE)])) as gateway:
            asking = await _conversation(asks, gateway.port)
            good = orjson.dumps(asks.body(asking))
            for _ in range(ROUNDS):
                sent = revalued(good, random)
                answer = await exchange(gateway.port, "POST", asks.path(asking), sent, asks.headers)
                assert answer.status in {200, 400, 404, 413, 422}, sent
                if answer.status != 200:
                    assert asks.wrong(answer) is not None
        _check_log(gateway)


SCHEMA = {"type": "object", "properties": {"at": {"type": "string", "format": []}}, "required": [[]]}
ASKED = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
REASONED = {"input": [{"type": "reasoning", "id": "r", "content": 1, "summary": 1}, {"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("vendor", [*VENDORS.values(), replace(VENDORS["gemini"], model="gemini-1.5-pro")])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", ASKED | {"tools": [{"type": "function", "function": {"name": []}}]}),
        (
            "/v1/chat/completions",
            ASKED | {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]},
        ),
        ("/v1/chat/completions", {"messages": [{"role": [], "content": "hi"}]}),
        ("/v1/responses", REASONED),
        ("/v1/messages", ASKED | {"tools": [{"name": [], "input_schema": {}}]}),
        ("/v1/messages", ASKED | {"system": 1}),
        (
            "/v1beta/models/persona/desk:generateContent",
            CONTENTS | {"tools": [{"functionDeclarations": [{"name": []}]}]},
        ),
        ("/v1beta/models/persona/desk:embedContent", {"content": {"parts": [{}]}}),
        ("/api/chat", ASKED | {"stream": False, "tools": [{"function": {"name": []}}]}),
        ("/api/generate", {"prompt": "hi", "stream": False, "system": 1}),
    ],
)
async def test_values_of_another_kind(vendor: Vendor, path: str, body: dict[str, Any]) -> None:
    """A list for a name, a number for a text, where a persona is put beside it: the client's error, or none."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    prompt = Prompt(system="Be brief.", tools=() if path == "/api/generate" else (tool,))
    async with Mock(name="a") as mock:
        whole = snapshot([vendor.provider("a", mock.url)], [persona("desk", *in_order("a"), prompt=prompt)])
        async with Serving(whole) as gateway:
            sent = orjson.dumps({"model": "persona/desk"} | body)
            answer = await exchange(gateway.port, "POST", path, sent, CALLERS["anthropic"].headers)
            assert answer.status in {200, 400}
            assert "error" in answer.json() or answer.status == 200
        _check_log(gateway)
