"""How often agents may ask, and what they have used."""

from decimal import Decimal

import pytest

from understudy_api.config import Pricing
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.door import Refused
from understudy_proxy.doors.internal.agents import Agent, AgentLimits
from understudy_proxy.doors.internal.secret import secrets_in
from understudy_proxy.doors.internal.usage import KEPT_SECONDS, AgentUsage, Sums
from understudy_proxy.telemetry.cost import cost_of

START = 1_700_000_000.0 // 60 * 60


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def refused(limits: AgentLimits, agent: Agent) -> Refused:
    """How the next request of `agent` is refused."""
    with pytest.raises(Refused) as caught:
        limits.take(agent)
    return caught.value


def test_a_minute_holds_so_many() -> None:
    """The next one hears when the minute is over, and others have minutes of their own."""
    clock = Clock()
    limits = AgentLimits(2, timer=clock)
    ada, bob = Agent("ada"), Agent("bob")
    limits.take(ada)
    clock.now += 20
    limits.take(ada)
    answer = refused(limits, ada)
    assert (429, (("retry-after", "40"),)) == (answer.status, answer.headers)
    assert "'ada'" in answer.message
    limits.take(bob)
    clock.now += 40
    limits.take(ada)


def test_who_asks_too_often_waits_no_longer_for_it() -> None:
    """Refusals do not count: after the minute the agent is let in, however often it tried."""
    clock = Clock()
    limits = AgentLimits(1, timer=clock)
    limits.take(Agent("ada"))
    for _ in range(5):
        refused(limits, Agent("ada"))
    clock.now += 60
    limits.take(Agent("ada"))


def test_the_nameless_are_one_agent() -> None:
    """Leaving the name out is no way around, and neither is another channel."""
    limits = AgentLimits(1, timer=Clock())
    limits.take(Agent())
    assert "metadata.agent_id" in refused(limits, Agent(channel_id="another")).message


def test_no_limit() -> None:
    """0 lets everybody through."""
    limits = AgentLimits(0, timer=Clock())
    for _ in range(100):
        limits.take(Agent("ada"))


def test_sums_by_agent_and_window() -> None:
    """Each part of who asked narrows the sum, and the window does."""
    clock = Clock()
    usage = AgentUsage(clock=clock)
    usage.add(Agent("ada", "dao", "one"), Sums(1, 1, 10, 100.0, Decimal("0.5")))
    clock.now += 3600
    usage.add(Agent("ada", "dao", "two"), Sums(1, 0, 0, 300.0))
    usage.add(Agent("bob", "dao", "two"), Sums(1, 1, 7, 1.0))
    day = float(KEPT_SECONDS)
    assert (START, Sums(2, 1, 10, 400.0, Decimal("0.5"))) == usage.total(Agent("ada"), seconds=day)
    assert 3 == usage.total(Agent(microdao_id="dao"), seconds=day)[1].requests
    assert 2 == usage.total(Agent(channel_id="two"), seconds=day)[1].requests
    assert (START + 3540, Sums(1, 0, 0, 300.0)) == usage.total(Agent("ada"), seconds=60)
    assert 0 == usage.total(Agent("eve"), seconds=day)[1].requests


def test_sums_are_forgotten_and_say_so() -> None:
    """After a day, or when there are too many: since when they hold moves along."""
    clock = Clock()
    usage = AgentUsage(clock=clock, most_cells=2)
    for name in ("ada", "bob", "eve"):
        usage.add(Agent(name), Sums(1, 1))
        clock.now += 60
    since, sums = usage.total(Agent(), seconds=float(KEPT_SECONDS))
    assert (START + 60, 2) == (since, sums.requests)
    clock.now += KEPT_SECONDS
    usage.add(Agent("ada"), Sums(1, 1))
    assert 1 == usage.total(Agent(), seconds=2.0 * KEPT_SECONDS)[1].requests


@pytest.mark.parametrize(
    ("setting", "secrets"),
    [
        pytest.param("", (), id="none"),
        pytest.param("one", ("one",), id="one"),
        pytest.param("one,two", ("one", "two"), id="comma"),
        pytest.param("one\ntwo\r\n", ("one", "two"), id="lines"),
        pytest.param(" , one ,\n", ("one",), id="nothing between"),
    ],
)
def test_several_secrets(setting: str, secrets: tuple[str, ...]) -> None:
    """Empty ones are none: nobody gets in with an empty header."""
    assert secrets == secrets_in(setting)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        pytest.param(Usage(1000, 100), "0.0014", id="plain"),
        pytest.param(Usage(1000, 100, cached_input=500), "0.00095", id="half cached"),
        pytest.param(Usage(1000, 100, cache_write=1000), "0.0024", id="all written"),
        pytest.param(Usage(1000, 100, reasoning=50), "0.00145", id="half thought"),
        pytest.param(Usage(0, 0, cached_input=10), "0.000001", id="a provider that counts oddly"),
    ],
)
def test_what_an_answer_costs(usage: Usage, cost: str) -> None:
    """Each token once, at its own price."""
    prices = (Decimal(each) for each in ("1", "4", "0.1", "2", "5"))
    input_, output, cached, write, reasoning = prices
    pricing = Pricing(input=input_, output=output, cached_input=cached, cache_write=write, reasoning=reasoning)
    assert Decimal(cost) == cost_of(usage, pricing)
