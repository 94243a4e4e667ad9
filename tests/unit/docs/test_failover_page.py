"""`docs/failover.md` against the decisions that it tells of, row for row."""

import re
from typing import Any

import pytest

from harness.pages import code, page, rows, section
from harness.runtimes import a_choice, a_model
from understudy_api.config import HealthPolicy, RetryOn, RetryPolicy, Timeouts
from understudy_proxy.exchange import retry_budget
from understudy_proxy.exchange.decide import Decision, decide, worth_asking
from understudy_proxy.exchange.refusal import after
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.health import (
    MAX_COOLDOWN_SECONDS,
    QUOTA_SECONDS,
    RATE_LIMIT_SECONDS,
    HealthEffect,
)

PAGE = page("docs/failover.md")
TABLE = {FailureKind(code(row[0])[0]): row for row in rows(section(PAGE, "## Every failure"), "reason")}
EVERYTHING = frozenset(RetryOn)
MANY = 5
HEALTH = {
    HealthEffect.NONE: "nothing",
    HealthEffect.ALIVE: "is well",
    HealthEffect.SOFT: "counts half",
    HealthEffect.COUNT: "counts",
    HealthEffect.EJECT: "is out at once",
    HealthEffect.COOL_DOWN: "rests, that model",
    HealthEffect.COOL_DOWN_LONG: "rests",
    HealthEffect.MODEL_MISSING: "is out, that model",
}


def failure(kind: FailureKind, *, retry_after: float | None = None) -> UpstreamFailure:
    """A failure of a kind."""
    return UpstreamFailure(kind, "it failed", retry_after_seconds=retry_after)


def decided(what: UpstreamFailure, **given: Any) -> Decision:
    """What follows, by a policy that allows everything, with many attempts left."""
    usual: dict[str, Any] = {
        "begun": False,
        "retries_here": 0,
        "attempts_left": MANY,
        "others_left": 0,
        "policy": RetryPolicy(retry_on=EVERYTHING),
        "draw": lambda: 0.5,
    }
    return decide(what, **{**usual, **given})


def again(kind: FailureKind) -> str:
    """How often the same backend is asked again, in the words of the page."""
    tries = [decided(failure(kind), retries_here=retries).retry_same for retries in range(MANY)]
    if all(tries):
        return "as often as attempts allow"
    if tries[0]:
        return "once"
    alone = decided(failure(kind, retry_after=1.0))
    beside = decided(failure(kind, retry_after=1.0), others_left=1, attempts_left=MANY)
    return "alone, after its Retry-After" if alone.retry_same and not beside.retry_same else "no"


FAILED = a_choice("ai/a:m", address="10.0.0.1:80", model=a_model(context_window=1000))
OTHERS = {
    "the same endpoint": a_choice("ai/a:n", address="10.0.0.1:80", model=a_model(context_window=1000)),
    "another endpoint": a_choice("ai/a:m", address="10.0.0.2:80", model=a_model(context_window=1000)),
    "another provider": a_choice("ai/b:m", address="10.0.0.3:80", model=a_model(context_window=1000)),
    "a larger window": a_choice("ai/a:l", address="10.0.0.1:80", model=a_model(context_window=9000)),
}


def following(kind: FailureKind) -> str:
    """Who is asked next, in the words of the page."""
    if kind is FailureKind.UNSUPPORTED:
        return "yes"  # passed over before anything is decided, whatever the policy says
    if not decided(failure(kind), others_left=1, attempts_left=1).fail_over:
        return "no"
    kept = worth_asking(failure(kind), FAILED, tuple(OTHERS.values()))
    helps = [name for name, choice in OTHERS.items() if choice in kept]
    usual = decided(failure(kind), others_left=1, attempts_left=1, policy=RetryPolicy()).fail_over
    return ("yes" if len(helps) == len(OTHERS) else helps[0]) + ("" if usual else ", if `retryOn` says so")


def test_every_failure_is_told() -> None:
    """One row each."""
    assert set(TABLE) == set(FailureKind)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_row_is_what_is_decided(kind: FailureKind) -> None:
    """Who is asked after it, what it means for the endpoint, and what the caller gets when it is alone."""
    _, _, same, next_one, endpoint, told = TABLE[kind]
    assert (same, next_one) == (again(kind), following(kind))
    assert endpoint == HEALTH[decided(failure(kind), attempts_left=0).effect]
    refusal = after([(FAILED, failure(kind))], target="chat")
    assert told == f"{refusal.status} `{refusal.code}`" if refusal.code else str(refusal.status)


@pytest.mark.parametrize("kind", FailureKind)
def test_nothing_is_asked_again_once_the_caller_has_seen_a_byte(kind: FailureKind) -> None:
    """The promise of the first paragraph."""
    decision = decided(failure(kind), begun=True, others_left=1)
    assert (decision.retry_same, decision.fail_over) == (False, False)


def test_the_words_of_retry_on() -> None:
    """Each word turns on the reasons that stand beside it, and no others; the default is as said."""
    told = {RetryOn(code(row[0])[0]): {FailureKind(kind) for kind in code(row[1])} for row in rows(PAGE, "word")}

    def turned_on(word: RetryOn) -> set[FailureKind]:
        policy = RetryPolicy(retry_on=frozenset({word}))
        return {kind for kind in FailureKind if decided(failure(kind), others_left=1, policy=policy).fail_over} | {
            kind for kind in FailureKind if decided(failure(kind), policy=policy).retry_same
        }

    assert told == {word: turned_on(word) for word in RetryOn}
    assert EVERYTHING - RetryPolicy().retry_on == {RetryOn.CONTENT_FILTERED}


def test_the_timeouts() -> None:
    """Their defaults."""
    usual = Timeouts()
    told = {code(row[0])[0]: code(row[1])[0] for row in rows(PAGE, "field of the provider")}
    assert told == {
        "timeouts.connect": f"{usual.connect_seconds:g}s",
        "timeouts.firstToken": f"{usual.first_token_seconds:g}s",
        "timeouts.streamIdle": f"{usual.stream_idle_seconds:g}s",
        "timeouts.request": f"{usual.request_seconds / 60:g}m",
    }


@pytest.mark.parametrize(
    ("heading", "sentence"),
    [
        pytest.param(
            "## Attempts, and their budget", f"at most {RetryPolicy().attempts} attempts, or as many", id="attempts"
        ),
        pytest.param(
            "## Attempts, and their budget",
            f"up to {RetryPolicy().base_seconds * 1000:g}ms, doubling up to {RetryPolicy().max_seconds:g}s",
            id="backoff",
        ),
        pytest.param(
            "## Attempts, and their budget", f": {RetryPolicy().budget_percent} in a hundred requests", id="budget"
        ),
        pytest.param(
            "## Health",
            f"{HealthPolicy().consecutive_failures} failures in a row that *count* put an endpoint out, for "
            f"{HealthPolicy().ejection_seconds:g}s at first and twice as long each time, up to "
            f"{HealthPolicy().max_ejection_seconds / 60:g}m",
            id="ejection",
        ),
        pytest.param(
            "## Health",
            f"a 429 without one rests {RATE_LIMIT_SECONDS:g} s, a used-up quota {QUOTA_SECONDS:g} s",
            id="resting",
        ),
    ],
)
def test_the_numbers(heading: str, sentence: str) -> None:
    """Those that the code has."""
    assert sentence in " ".join(section(PAGE, heading).split())


def test_the_longest_rest() -> None:
    """A provider's word counts for up to an hour."""
    assert MAX_COOLDOWN_SECONDS == 3600


def test_the_reserve_of_retries() -> None:
    """So many repeats beside the percentage, all at once; the next one only with a request or a second later."""
    budget, policy = retry_budget.RetryBudget(), RetryPolicy(budget_percent=0)
    budget.deposit("route", policy, now=0.0)
    spent = 0
    while budget.withdraw("route", now=0.0):
        spent += 1
    (reserve,) = re.findall(r"beside (\d+) that", " ".join(PAGE.split()))
    assert spent == int(reserve)
    assert [budget.withdraw("route", now=now) for now in (0.5, 1.0, 1.5)] == [False, True, False]
