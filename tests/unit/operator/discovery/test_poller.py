"""When servers are asked, and what is known of them meanwhile; in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from harness import virtual_time
from harness.scripted_servers import ScriptedServers
from understudy_api.config import Capability, Config, Dialect, Provider, ProviderModel
from understudy_api.v1alpha1.provider import ProviderType
from understudy_operator.compile import Discovered, DiscoveredModel, Inquiry
from understudy_operator.discovery import Poller, first_answers, recalled

OWN = ("ai", "own")
INQUIRY = Inquiry(OWN, ProviderType.VLLM, "http://own:8000/v1", interval_seconds=30, connect_seconds=5)
SMALL = Discovered(INQUIRY.base_url, models=(DiscoveredModel(id="small", name="small"),))
LOST = "cannot be connected to"


class Polling:
    """A poller, the servers that it asks, and when it told of something new."""

    def __init__(self) -> None:
        self.servers = ScriptedServers({OWN: ("small",)})
        self.rung: list[float] = []
        self.poller = Poller(self.servers, changed=self._ring, draw=lambda: 1.0)

    def _ring(self) -> None:
        self.rung.append(asyncio.get_running_loop().time())


def play(script: Callable[[Polling], Awaitable[None]]) -> None:
    """Run a script in virtual time."""

    async def scenario() -> None:
        polling = Polling()
        try:
            await script(polling)
        finally:
            await polling.poller.close()

    virtual_time.run(scenario())


def test_a_server_is_asked_at_its_interval() -> None:
    """At once, then at the interval with a tenth more or less; only what is new is told."""

    async def script(made: Polling) -> None:
        made.poller.keep([INQUIRY])
        await asyncio.sleep(100)
        assert (4, [0.0]) == (len(made.servers.asked), made.rung)
        assert {OWN: SMALL} == made.poller.known
        made.servers.models[OWN] = ("large",)
        await asyncio.sleep(33)
        assert [0.0, 132.0] == made.rung

    play(script)


def test_no_server_is_hammered() -> None:
    """However short the interval, a second passes between two questions."""

    async def script(made: Polling) -> None:
        made.poller.keep([replace(INQUIRY, interval_seconds=0.001)])
        await asyncio.sleep(10.5)
        assert len(made.servers.asked) == 10

    play(script)


def test_a_failure_keeps_what_was_said() -> None:
    """It is told once, however often it happens again, and so is the end of it."""

    async def script(made: Polling) -> None:
        made.poller.keep([INQUIRY])
        await asyncio.sleep(1)
        del made.servers.models[OWN]
        await asyncio.sleep(100)
        assert {OWN: replace(SMALL, failure=LOST)} == made.poller.known
        assert len(made.rung) == 2
        made.servers.models[OWN] = ("small",)
        await asyncio.sleep(40)
        assert {OWN: SMALL} == made.poller.known
        assert len(made.rung) == 3

    play(script)


def test_a_changed_key_or_address_is_tried_at_once() -> None:
    """An edit need not wait for the interval; what was said at another address is no answer of this one."""

    async def script(made: Polling) -> None:
        made.poller.keep([INQUIRY])
        await asyncio.sleep(1)
        made.poller.keep([INQUIRY])
        await asyncio.sleep(1)
        assert len(made.servers.asked) == 1
        del made.servers.models[OWN]
        made.poller.keep([replace(INQUIRY, headers={"Authorization": "Bearer new"})])
        await asyncio.sleep(1)
        assert {OWN: replace(SMALL, failure=LOST)} == made.poller.known
        moved = "http://elsewhere:8000/v1"
        made.poller.keep([replace(INQUIRY, base_url=moved)])
        await asyncio.sleep(1)
        assert {OWN: Discovered(moved, failure=LOST)} == made.poller.known

    play(script)


def test_what_nobody_asks_for_is_forgotten() -> None:
    """Neither asked nor known any more."""

    async def script(made: Polling) -> None:
        made.poller.keep([INQUIRY])
        await asyncio.sleep(1)
        made.poller.keep([])
        await asyncio.sleep(100)
        assert ({}, 1) == (made.poller.known, len(made.servers.asked))

    play(script)


def test_what_was_known_before_holds_until_there_is_an_answer() -> None:
    """A memory never takes the place of a newer answer of the same server, but of one from elsewhere."""

    async def script(made: Polling) -> None:
        remembered = Discovered(INQUIRY.base_url, models=(DiscoveredModel(id="old", name="old"),))
        made.poller.recall({OWN: remembered})
        assert {OWN: remembered} == made.poller.known
        made.poller.keep([INQUIRY])
        await asyncio.sleep(1)
        made.poller.recall({OWN: remembered})
        assert {OWN: SMALL} == made.poller.known
        moved = replace(remembered, base_url="http://elsewhere:8000/v1")
        made.poller.recall({OWN: moved})
        assert {OWN: moved} == made.poller.known

    play(script)


def test_an_answer_that_breaks_the_reading_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It counts as a failure, is logged, and the server is asked again."""
    asked = 0

    async def broken(_inquiry: Inquiry, _before: Discovered | None) -> Discovered:
        nonlocal asked
        asked += 1
        raise ZeroDivisionError

    async def scenario() -> None:
        poller = Poller(broken, changed=lambda: None)
        poller.keep([INQUIRY])
        await asyncio.sleep(100)
        assert {OWN: Discovered(INQUIRY.base_url, failure="gives an answer that cannot be read")} == poller.known
        await poller.close()

    virtual_time.run(scenario())
    assert asked > 2
    assert "asking a server for its models failed for a reason that should not be" in caplog.messages


def test_first_answers_are_not_waited_for_forever() -> None:
    """Who answers in time is heard, who fails is heard with that, and who does neither is left out."""

    async def ask(inquiry: Inquiry, before: Discovered | None) -> Discovered:
        if inquiry.provider[1] == "slow":
            await asyncio.sleep(60)
        return await ScriptedServers({OWN: ("small",)})(inquiry, before)

    async def scenario() -> None:
        inquiries = [replace(INQUIRY, provider=("ai", name)) for name in ("own", "slow", "down")]
        answers = await first_answers(ask, inquiries, within_seconds=3)
        assert {OWN: SMALL, ("ai", "down"): Discovered(INQUIRY.base_url, failure=LOST)} == answers
        assert (3.0, {}) == (asyncio.get_running_loop().time(), await first_answers(ask, [], within_seconds=3))

    virtual_time.run(scenario())


def test_a_live_configuration_is_remembered() -> None:
    """Models by the names that routes have for them, with all that a server may have told."""
    model = ProviderModel(upstream_name="a/b", capabilities=frozenset({Capability.CHAT}), context_window=5)
    provider = Provider(
        namespace="ai",
        name="own",
        type="LlamaCpp",
        system="llama_cpp",
        dialect=Dialect.OPENAI,
        base_url="http://own/v1",
        models={"b": model},
        slots=4,
    )
    known = DiscoveredModel(id="a/b", name="b", capabilities=frozenset({Capability.CHAT}), context_window=5)
    assert {OWN: Discovered("http://own/v1", models=(known,), slots=4)} == recalled(
        Config(providers={"ai/own": provider})
    )


def test_a_key_is_never_shown() -> None:
    """Not even where an inquiry gets into a log."""
    assert "sk-canary" not in repr(replace(INQUIRY, headers={"Authorization": "Bearer sk-canary"}))
