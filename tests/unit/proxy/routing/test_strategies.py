"""How one of several backends of the same priority is chosen."""

from collections import Counter

import pytest

from harness.planning import NOW, a_need, a_route, chance, keys, planned
from harness.runtimes import CHAT
from understudy_api.config import HealthPolicy, Strategy
from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.routing.health import HealthBoard, HealthEffect
from understudy_proxy.routing.need import Need

POLICY = HealthPolicy()


def _firsts(
    target: RuntimeTarget, *, board: HealthBoard | None = None, need: Need = CHAT, times: int = 20_000
) -> Counter[str]:
    """How often each backend is the first."""
    draw = chance(7)
    board = board or HealthBoard()
    return Counter(planned(target, need, board=board, draw=draw).choices[0].endpoint.key for _ in range(times))


def test_weights_are_shares() -> None:
    """Over many requests each backend is first as often as its weight says; weight 0 never is."""
    firsts = _firsts(a_route(0, 0, 0, 0, weights=(70, 20, 10, 0)))
    assert firsts["x/p0"] == pytest.approx(14_000, rel=0.03)
    assert firsts["x/p1"] == pytest.approx(4_000, rel=0.05)
    assert firsts["x/p2"] == pytest.approx(2_000, rel=0.08)
    assert "x/p3" not in firsts


def test_weights_are_shares_of_those_who_are_left() -> None:
    """When one backend is out, the others take its share in proportion to their own, and it is asked by nobody."""
    board = HealthBoard()
    board.failed("x/p0", "m", HealthEffect.EJECT, POLICY, now=NOW)
    firsts = _firsts(a_route(0, 0, 0, weights=(70, 20, 10)), board=board)
    assert firsts["x/p1"] == pytest.approx(20_000 * 2 / 3, rel=0.03)
    assert firsts["x/p2"] == pytest.approx(20_000 / 3, rel=0.05)
    assert "x/p0" not in firsts


def test_the_understudies_of_a_tier_are_drawn_by_weight_too() -> None:
    """When the first fails, the load moves on in proportion to the weights of the rest."""
    draw = chance(7)
    target = a_route(0, 0, 0, weights=(50, 40, 10))
    plans = [keys(planned(target, draw=draw).choices) for _ in range(20_000)]
    behind_p0 = Counter(names[1] for names in plans if names[0] == "x/p0")
    assert behind_p0["x/p1"] / behind_p0["x/p2"] == pytest.approx(4.0, rel=0.1)


def test_taking_turns() -> None:
    """Each request begins with the next backend; just looking takes nobody's turn."""
    target = a_route(0, 0, 0, strategy=Strategy.ROUND_ROBIN)
    board = HealthBoard()
    assert keys(planned(target, board=board, looking=True).choices) == ["x/p0", "x/p1", "x/p2"]
    rows = [keys(planned(target, board=board).choices) for _ in range(4)]
    assert [row[0] for row in rows] == ["x/p0", "x/p1", "x/p2", "x/p0"]
    assert rows[1] == ["x/p1", "x/p2", "x/p0"]


def test_the_least_busy_by_weight() -> None:
    """Whoever has the fewest requests under way for its weight is asked."""
    board = HealthBoard()
    for endpoint, requests in (("x/p0", 6), ("x/p1", 2), ("x/p2", 3)):
        for _ in range(requests):
            board.start(endpoint, "m", now=NOW)
    target = a_route(0, 0, 0, weights=(4, 1, 1), strategy=Strategy.LEAST_BUSY)
    assert keys(planned(target, board=board).choices) == ["x/p0", "x/p1", "x/p2"]


def test_the_idle_share_alike() -> None:
    """Among equals chance decides, not the order in which they are written."""
    firsts = _firsts(a_route(0, 0, strategy=Strategy.LEAST_BUSY), times=4_000)
    assert firsts["x/p0"] == pytest.approx(2_000, rel=0.1)


def _measured(**seconds: float) -> HealthBoard:
    board = HealthBoard()
    for endpoint, latency in seconds.items():
        board.pace.record(f"x/{endpoint}", "m", stream=False, seconds=latency, now=NOW)
    return board


def test_the_fastest_first() -> None:
    """The backend that answered fastest lately is asked; one that is hardly slower gets its part."""
    firsts = _firsts(a_route(0, 0, 0, strategy=Strategy.LOWEST_LATENCY), board=_measured(p0=1.0, p1=0.3, p2=0.31))
    assert "x/p0" not in firsts
    assert firsts["x/p1"] > firsts["x/p2"] > 0.2 * firsts["x/p1"]


def test_the_unmeasured_is_looked_at_once_at_a_time() -> None:
    """A backend without a measurement gets a request, but not all of them while that one is under way."""
    target = a_route(0, 0, strategy=Strategy.LOWEST_LATENCY)
    board = _measured(p0=0.5)
    assert keys(planned(target, board=board).choices)[0] == "x/p1"
    board.start("x/p1", "m", now=NOW)
    assert keys(planned(target, board=board).choices)[0] == "x/p0"


def test_the_slow_one_is_looked_at_again() -> None:
    """A backend that was slow once does not starve: now and then it is measured anew."""
    target = a_route(0, 0, strategy=Strategy.LOWEST_LATENCY)
    board = _measured(p0=5.0)
    later = NOW + 100.0
    board.pace.record("x/p1", "m", stream=False, seconds=0.5, now=later)
    draw = chance(7)
    firsts = Counter(planned(target, board=board, draw=draw, now=later).choices[0].endpoint.key for _ in range(20_000))
    assert firsts["x/p0"] == pytest.approx(1_000, rel=0.2)


def test_streams_are_measured_by_themselves() -> None:
    """Seconds to a first token are not compared with seconds to a whole answer."""
    board = HealthBoard()
    for endpoint, whole, first in (("x/p0", 9.0, 0.2), ("x/p1", 1.0, 0.8)):
        board.pace.record(endpoint, "m", stream=False, seconds=whole, now=NOW)
        board.pace.record(endpoint, "m", stream=True, seconds=first, now=NOW)
    target = a_route(0, 0, strategy=Strategy.LOWEST_LATENCY)
    assert keys(planned(target, a_need(), board=board).choices)[0] == "x/p1"
    assert keys(planned(target, a_need(stream=True), board=board).choices)[0] == "x/p0"


@pytest.mark.parametrize(
    ("need", "order"),
    [
        pytest.param(a_need(tokens=100, output=1000), ["x/p1", "x/p0", "x/p2"], id="long answers"),
        pytest.param(a_need(tokens=100_000, output=10), ["x/p0", "x/p1", "x/p2"], id="long questions"),
    ],
)
def test_the_cheapest_for_this_request(need: Need, order: list[str]) -> None:
    """The price is that of this request; a backend without a known price comes last."""
    prices = (("0.10", "9.00"), ("1.00", "2.00"), None)
    target = a_route(0, 0, 0, strategy=Strategy.LOWEST_COST, prices=prices)
    assert keys(planned(target, need).choices) == order


@pytest.mark.parametrize("strategy", list(Strategy), ids=str)
def test_every_strategy_offers_everybody(strategy: Strategy) -> None:
    """Whoever is not first is an understudy: no strategy loses a backend or asks one twice."""
    draw = chance(3)
    target = a_route(0, 0, 0, 1, strategy=strategy)
    for _ in range(50):
        names = keys(planned(target, draw=draw).choices)
        assert sorted(names[:3]) == ["x/p0", "x/p1", "x/p2"]
        assert names[3:] == ["x/p3"]


@pytest.mark.parametrize("strategy", list(Strategy), ids=str)
def test_the_same_draws_make_the_same_plan(strategy: Strategy) -> None:
    """Chance comes in from outside and nowhere else."""
    target = a_route(0, 0, 0, 1, strategy=strategy)
    one, other = (planned(target, draw=chance(5)) for _ in range(2))
    assert keys(one.choices) == keys(other.choices)
