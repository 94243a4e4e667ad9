"""Every client with every provider: the same answer whole and streamed, and the provider's own numbers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller, Heard
from harness.gateways import Serving, in_order, route, snapshot
from harness.raw_http import exchange
from harness.vendors import VENDORS, Vendor
from understudy.mock import Mock

PAIRS = [
    pytest.param(caller, vendor, id=f"{asks}-{answers}")
    for asks, caller in CALLERS.items()
    for answers, vendor in VENDORS.items()
]
TRIP = {"city": "city"}
"""What the mock makes of the tools' schema."""
REFUSAL = "I cannot help with that."
METRICS = {
    "input": "input",
    "output": "output",
    "cached": "cached_input",
    "written": "cache_write",
    "reasoning": "reasoning",
}


@asynccontextmanager
async def gateway_to(vendor: Vendor) -> AsyncIterator[tuple[Serving, Mock]]:
    """A gateway in front of one provider."""
    async with Mock(name="a") as mock:
        whole = snapshot([vendor.provider("a", mock.url)], [route("chat", *in_order("a"))])
        async with Serving(whole) as gateway:
            yield gateway, mock


async def both(
    caller: Caller, vendor: Vendor, text: str, *, think: bool = False, tools: bool = False, most: int | None = None
) -> Heard:
    """The answer, which is the same whole and streamed but for the ids of calls, which a mock counts."""
    async with gateway_to(vendor) as (gateway, _):
        asked = Asking([caller.user(text)], think=think, tools=tools, most=most)
        whole = await caller.go_on(gateway.port, asked)
        streamed = await caller.go_on(gateway.port, replace(asked, stream=True))
    for heard in (whole, streamed):
        assert len({call.id for call in heard.calls}) == len(heard.calls)
    assert _without_ids(whole) == _without_ids(streamed)
    return whole


def _without_ids(heard: Heard) -> Heard:
    return replace(heard, calls=tuple(replace(call, id="") for call in heard.calls))


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_words(caller: Caller, vendor: Vendor) -> None:
    """What was said, letter by letter."""
    words = 'Grüß Gott, \\ "世界" 🎭 </x> \u2028 ok'
    heard = await both(caller, vendor, f"[say: {words}]")
    assert (words, "stop", ()) == (heard.text, heard.finish, heard.calls)


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_thoughts(caller: Caller, vendor: Vendor) -> None:
    """What was thought comes before what is said, and apart from it."""
    heard = await both(caller, vendor, "[think: a city has weather] [say: It is sunny.]", think=True)
    assert ("a city has weather", "It is sunny.", "stop") == (heard.thoughts, heard.text, heard.finish)


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_parallel_calls(caller: Caller, vendor: Vendor) -> None:
    """Several calls in one turn, whole and in order."""
    heard = await both(caller, vendor, "[call: get_time, get_weather]", tools=True)
    assert [("get_time", TRIP), ("get_weather", TRIP)] == [(call.name, call.arguments) for call in heard.calls]
    assert ("", "tool_calls") == (heard.text, heard.finish)


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_all_at_once(caller: Caller, vendor: Vendor) -> None:
    """Thoughts, words and a call in one turn."""
    heard = await both(caller, vendor, "[think: hm, well] [say: Let me see.] [call]", tools=True, think=True)
    assert ("hm, well", "Let me see.", "tool_calls") == (heard.thoughts, heard.text, heard.finish)
    assert ["get_weather"] == [call.name for call in heard.calls]


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_a_refusal(caller: Caller, vendor: Vendor) -> None:
    """A vendor's filter is one to every client, and the words of a refusal arrive once, where the client looks."""
    heard = await both(caller, vendor, "[refuse]")
    assert [REFUSAL] * vendor.refusals == list({heard.text, heard.refusal} - {""})
    if vendor.filters:
        assert heard.finish == "content_filter"


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
async def test_a_longest_answer(caller: Caller, vendor: Vendor) -> None:
    """An answer that is cut off by its bound says so."""
    heard = await both(caller, vendor, "[say: one two three four five]", most=3)
    assert ("one two three", "length") == (heard.text.strip(), heard.finish)


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_usage(caller: Caller, vendor: Vendor, stream: bool) -> None:
    """Client and metrics get the provider's own numbers, as far as there are words for them on both sides."""
    text = "[think: one two] [cached: 7] [written: 5] [say: three four five]"
    async with gateway_to(vendor) as (gateway, mock):
        heard = await caller.ask(gateway.port, text, think=True, stream=stream)
        counted = await _counted(vendor, mock)
        told = {kind: counted.get(kind, 0) for kind in caller.counts}
        assert told == heard.usage
        assert {"output": 5, "cached": 7 * ("cached" in vendor.counts)}.items() <= counted.items() | {("cached", 0)}
        await _metered(gateway, counted)


async def test_usage_that_nobody_asked_for() -> None:
    """A stream of OpenAI's without `stream_options` has no usage in it, and is metered all the same."""
    caller = CALLERS["openai"]
    for vendor in VENDORS.values():
        async with gateway_to(vendor) as (gateway, mock):
            asking = Asking([caller.user("[think: one two] [cached: 7] three four")], stream=True)
            answer = await caller.send(gateway.port, asking, stream_options=None)
            assert caller.heard(answer, stream=True).usage is None
            await _metered(gateway, await _counted(vendor, mock))


async def _counted(vendor: Vendor, mock: Mock) -> dict[str, int]:
    """What the provider says that the last request took: it is asked the same again, for a whole answer."""
    sent = mock.requests[-1]
    path, body = vendor.whole(sent.path, sent.body)
    kept = {name: value for name, value in sent.headers.items() if name.lower() not in {"content-length", "host"}}
    answer = await exchange(mock.port, "POST", path, body, kept | {"connection": "close"})
    assert answer.status == 200
    return vendor.usage(answer.json())


async def _metered(gateway: Serving, counted: dict[str, int]) -> None:
    """Wait until the metrics say so."""
    for kind, label in METRICS.items():
        await gateway.reaches("understudy_tokens_total", counted.get(kind, 0), route="default/chat", type=label)


@pytest.mark.parametrize("vendor", ["anthropic", "gemini"])
@pytest.mark.parametrize("caller", CALLERS)
async def test_usage_of_a_stream_that_breaks_off(caller: str, vendor: str) -> None:
    """What the provider had counted by then is metered: it is what it will charge."""
    asks = CALLERS[caller]
    async with gateway_to(VENDORS[vendor]) as (gateway, mock):
        mock.set_faults(["cut-after:2;times=1"])
        answer = await asks.send(gateway.port, Asking([asks.user("[say: one two three]")], stream=True))
        assert asks.wrong(answer) is not None
        counted = await _counted(VENDORS[vendor], mock)
        await gateway.reaches("understudy_tokens_total", counted["input"], route="default/chat", type="input")
