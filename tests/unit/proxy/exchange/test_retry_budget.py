"""How many repeats a target may make."""

from understudy_api.config import RetryPolicy
from understudy_proxy.exchange.retry_budget import RetryBudget

POLICY = RetryPolicy(budget_percent=20)


def _spent(budget: RetryBudget, target: str, *, now: float, tries: int = 1000) -> int:
    return sum(budget.withdraw(target, now=now) for _ in range(tries))


def test_little_traffic_has_a_reserve() -> None:
    """A first failure may always be repeated, and a handful more."""
    assert _spent(RetryBudget(), "a", now=0.0) == 10


def test_requests_pay_in_their_percentage() -> None:
    """With 20 percent, five requests earn one repeat."""
    budget = RetryBudget()
    _spent(budget, "a", now=0.0)
    for _ in range(50):
        budget.deposit("a", POLICY, now=0.0)
    assert _spent(budget, "a", now=0.0) == 10


def test_the_reserve_comes_back_with_time() -> None:
    """One repeat a second, up to the reserve and no further."""
    budget = RetryBudget()
    _spent(budget, "a", now=0.0)
    assert [3, 10] == [_spent(budget, "a", now=3.0), _spent(budget, "a", now=1000.0)]


def test_the_past_excuses_no_storm() -> None:
    """However many requests went well, what they saved up is bounded."""
    budget = RetryBudget()
    for _ in range(1_000_000):
        budget.deposit("a", POLICY, now=0.0)
    assert _spent(budget, "a", now=0.0) == 30


def test_targets_do_not_spend_for_one_another() -> None:
    """A storm on one route leaves the other's repeats alone."""
    budget = RetryBudget()
    _spent(budget, "a", now=0.0)
    assert _spent(budget, "b", now=0.0) == 10


def test_a_budget_of_nothing_still_has_its_reserve() -> None:
    """Zero percent earns nothing with traffic."""
    budget = RetryBudget()
    for _ in range(1000):
        budget.deposit("a", RetryPolicy(budget_percent=0), now=0.0)
    assert _spent(budget, "a", now=0.0) == 10
