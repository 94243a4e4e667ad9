"""Who is asked, in which order, and who is passed over and why."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.planning import NOW, a_need, a_route, keys, one_endpoint, planned
from harness.runtimes import a_backend, a_model, a_provider, a_rule, a_runtime, a_target, the_target
from understudy_api.config import (
    Capability,
    HeaderMatch,
    HealthPolicy,
    Match,
    Prompt,
    ProviderModel,
    RetryPolicy,
    Strategy,
    TargetKind,
)
from understudy_proxy.config.runtime import RuntimeTarget, Upstream
from understudy_proxy.routing.health import HealthBoard, HealthEffect
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Endpoint, SkipReason

POLICY = HealthPolicy()


RULES = a_target(
    "x/chat",
    a_rule(a_backend("x/p", "m"), name="long", matches=(Match(min_input_tokens=1000),)),
    a_rule(
        a_backend("x/p", "m"),
        name="header",
        matches=(
            Match(headers=(HeaderMatch(name="x-team", value="red"),)),
            Match(headers=(HeaderMatch(name="x-team", value="green-", prefix=True),), stream=True),
        ),
    ),
    a_rule(a_backend("x/p", "m"), name="tools", matches=(Match(requires=frozenset({Capability.TOOLS})),)),
    a_rule(a_backend("x/p", "m"), name="caller", matches=(Match(callers=("x/app",)),)),
    a_rule(a_backend("x/p", "m"), name="whole", matches=(Match(stream=False),)),
)


@pytest.mark.parametrize(
    ("need", "headers", "rule"),
    [
        pytest.param(a_need(tokens=1000), {}, "long", id="enough tokens"),
        pytest.param(a_need(tokens=999), {}, "whole", id="not enough"),
        pytest.param(a_need(), {"x-team": "red"}, "header", id="a header"),
        pytest.param(a_need(), {"x-team": "redder"}, "whole", id="another value"),
        pytest.param(a_need(stream=True), {"x-team": "green-7"}, "header", id="any of the matches, all of its parts"),
        pytest.param(a_need(), {"x-team": "green-7"}, "whole", id="one part does not hold"),
        pytest.param(a_need(Capability.TOOLS, Capability.VISION), {}, "tools", id="a capability"),
        pytest.param(a_need(tokens=1000), {"x-team": "red"}, "long", id="the first rule wins"),
        pytest.param(a_need(stream=True), {}, None, id="none; callers never match while nobody is identified"),
    ],
)
def test_the_first_matching_rule(need: Need, headers: dict[str, str], rule: str | None) -> None:
    """Rules are asked in order; a match holds when all its parts do."""
    target = the_target(a_runtime(a_provider("x/p", "m"), targets=[RULES]))
    found = planned(target, need, headers)
    assert (found.rule.name if found.rule else None) == rule
    assert bool(found.choices) is (rule is not None)


@pytest.mark.parametrize(
    ("served", "need", "reason"),
    [
        *(
            pytest.param(
                a_model(capabilities=frozenset(Capability) - {capability}),
                a_need(capability),
                reason,
                id=capability.value,
            )
            for capability, reason in (
                (Capability.CHAT, SkipReason.NO_CHAT),
                (Capability.STREAMING, SkipReason.NO_STREAMING),
                (Capability.TOOLS, SkipReason.NO_TOOLS),
                (Capability.VISION, SkipReason.NO_VISION),
                (Capability.JSON_SCHEMA, SkipReason.NO_JSON_SCHEMA),
                (Capability.AUDIO, SkipReason.NO_AUDIO),
                (Capability.REASONING, SkipReason.NO_REASONING),
                (Capability.EMBEDDINGS, SkipReason.NO_EMBEDDINGS),
                (Capability.PREFILL, SkipReason.NO_PREFILL),
            )
        ),
        pytest.param(a_model(context_window=8000), a_need(tokens=12_000), SkipReason.WINDOW_TOO_SMALL, id="too long"),
        pytest.param(a_model(context_window=8000), a_need(tokens=9000), None, id="maybe too long: the provider knows"),
        pytest.param(
            a_model(context_window=8000),
            a_need(tokens=4000, output=6000),
            SkipReason.WINDOW_TOO_SMALL,
            id="both",
        ),
        pytest.param(a_model(context_window=8000), a_need(tokens=4000, output=4000), None, id="it fits"),
        pytest.param(a_model(), a_need(tokens=10**9), None, id="no window is known"),
        pytest.param(
            a_model(max_output_tokens=100), a_need(output=101), SkipReason.OUTPUT_TOO_LONG, id="a longer answer"
        ),
        pytest.param(a_model(max_output_tokens=100), a_need(output=100), None, id="the longest answer"),
        pytest.param(a_model(max_output_tokens=100), a_need(), None, id="no limit is asked for"),
    ],
)
def test_who_cannot_answer_is_passed_over(served: ProviderModel, need: Need, reason: SkipReason | None) -> None:
    """A backend that lacks what the request needs is not tried, and the reason is kept; the next one is asked."""
    able = a_model()
    runtime = a_runtime(
        a_provider("x/poor", serves={"m": served}),
        a_provider("x/able", serves={"m": able}),
        targets=[a_target("x/chat", a_rule(a_backend("x/poor", "m"), a_backend("x/able", "m", priority=1)))],
    )
    found = planned(the_target(runtime), need)
    expected = ["x/able"] if reason else ["x/poor", "x/able"]
    assert keys(found.choices) == expected
    assert [skip.because for skip in found.skipped] == ([reason] if reason else [])


def test_a_target_may_require_more_than_the_request() -> None:
    """What a persona requires of its cast holds for each request."""
    backends = a_rule(a_backend("x/poor", "m"), a_backend("x/able", "m"))
    runtime = a_runtime(
        a_provider("x/poor", serves={"m": a_model(capabilities=frozenset({Capability.CHAT}))}),
        a_provider("x/able", "m"),
        targets=[a_target("x/p", backends, kind=TargetKind.PERSONA, requires=frozenset({Capability.VISION}))],
    )
    assert keys(planned(the_target(runtime)).choices) == ["x/able"]


@pytest.mark.parametrize(
    ("prompt", "need"),
    [
        pytest.param(Prompt(system="x" * 40_000), a_need(), id="a long prompt"),
        pytest.param(Prompt(overrides={"max_tokens": 9000}), a_need(output=5), id="a longer answer"),
        pytest.param(Prompt(defaults={"max_completion_tokens": 9000}), a_need(), id="a longer answer by default"),
        pytest.param(Prompt(tools=({"type": "function"},)), a_need(), id="tools"),
    ],
)
def test_what_a_persona_adds_counts(prompt: Prompt, need: Need) -> None:
    """A backend must be able to answer the request as the persona makes it."""
    backends = a_rule(a_backend("x/poor", "m"), a_backend("x/able", "m"))
    poor = a_model(context_window=6000, capabilities=frozenset(Capability) - {Capability.TOOLS})
    runtime = a_runtime(
        a_provider("x/poor", serves={"m": poor}),
        a_provider("x/able", "m"),
        targets=[a_target("x/p", backends, kind=TargetKind.PERSONA, prompt=prompt)],
    )
    assert keys(planned(the_target(runtime), need).choices) == ["x/able"]


def test_tiers_follow_one_another() -> None:
    """Lower priorities come first, whatever the order in which they are written."""
    found = planned(a_route(2, 0, 1, 0, weights=(1, 1, 1, 1)))
    assert keys(found.choices) == ["x/p1", "x/p3", "x/p2", "x/p0"]
    assert [choice.because for choice in found.choices] == [
        "drawn by weight",
        "steps in when the ones before it fail",
        "an understudy: steps in when all of a higher priority fail",
        "an understudy: steps in when all of a higher priority fail",
    ]


def test_the_ejected_are_passed_over() -> None:
    """An ejected backend is not asked while another one is there, and the plan says for how long."""
    board = HealthBoard()
    board.failed("x/p0", "m", HealthEffect.EJECT, POLICY, now=NOW - 1.0)
    found = planned(a_route(0, 1), board=board)
    assert keys(found.choices) == ["x/p1"]
    (skip,) = found.skipped
    assert (skip.because, skip.until) == (SkipReason.EJECTED, NOW + 4.0)
    assert skip.detail == "it failed and is out for another 4.0 s"


def test_the_ejected_are_a_last_resort() -> None:
    """When everybody is ejected they are asked all the same, by priority, then who is due first."""
    board = HealthBoard()
    for endpoint, ago in (("x/p0", 1.0), ("x/p1", 2.0), ("x/p2", 3.0)):
        board.failed(endpoint, "m", HealthEffect.EJECT, POLICY, now=NOW - ago)
    found = planned(a_route(0, 0, 1), board=board)
    assert keys(found.choices) == ["x/p1", "x/p0", "x/p2"]
    assert {choice.because for choice in found.choices} == {"a last resort: ejected, but nobody else is left"}
    assert found.skipped == ()


def test_the_cooling_are_never_a_last_resort() -> None:
    """A provider that asked to be left alone is left alone; the plan says when the first one is back."""
    board = HealthBoard()
    for endpoint, seconds in (("x/p0", 30.0), ("x/p1", 12.5)):
        board.failed(endpoint, "m", HealthEffect.COOL_DOWN, POLICY, now=NOW, retry_after_seconds=seconds)
    found = planned(a_route(0, 1), board=board)
    assert (found.choices, found.retry_after_seconds) == ((), 12.5)
    assert {skip.because for skip in found.skipped} == {SkipReason.COOLING_DOWN}


def test_an_ejected_one_is_asked_rather_than_a_coolingone_endpoint() -> None:
    """Who may be back comes before who said that it is not."""
    board = HealthBoard()
    board.failed("x/p0", "m", HealthEffect.COOL_DOWN, POLICY, now=NOW, retry_after_seconds=30.0)
    board.failed("x/p1", "m", HealthEffect.EJECT, POLICY, now=NOW)
    found = planned(a_route(0, 1), board=board)
    assert (keys(found.choices), found.retry_after_seconds) == (["x/p1"], None)


def test_a_trial_takes_its_ordinary_place() -> None:
    """When its ejection is over, a backend gets one request where it stands, and no other meanwhile."""
    board = HealthBoard()
    board.failed("x/p0", "m", HealthEffect.EJECT, POLICY, now=NOW - 5.0)
    target = a_route(0, 1)
    first = planned(target, board=board).choices[0]
    assert (first.endpoint.key, first.trial, first.because) == (
        "x/p0",
        True,
        "its ejection is over, and this is its trial",
    )
    board.start("x/p0", "m", now=NOW)
    found = planned(target, board=board)
    assert keys(found.choices) == ["x/p1"]
    assert [skip.detail for skip in found.skipped] == ["it failed, and a trial is under way"]


ADDRESSES = tuple(Endpoint(f"x/pods@10.0.0.{number}:80", f"10.0.0.{number}:80") for number in range(1, 6))


Addresses = Callable[[Upstream], tuple[Endpoint, ...]]


def _pods(
    *others: str, attempts: int = 3, endpoints: tuple[Endpoint, ...] = ADDRESSES
) -> tuple[RuntimeTarget, Addresses]:
    backends = [a_backend("x/pods", "m"), *(a_backend(other, "m", priority=1) for other in others)]
    runtime = a_runtime(
        a_provider("x/pods", "m", per_address=True),
        *(a_provider(other, "m") for other in others),
        targets=[a_target("x/chat", a_rule(*backends), retry=RetryPolicy(attempts=attempts))],
    )
    return the_target(runtime), lambda upstream: endpoints if upstream.per_address else one_endpoint(upstream)


def test_the_least_busy_address_first() -> None:
    """Behind one Service the address with the fewest requests under way is asked, then the next."""
    board = HealthBoard()
    for endpoint, requests in zip(ADDRESSES, (3, 1, 2, 5, 4), strict=True):
        for _ in range(requests):
            board.start(endpoint.key, "m", now=NOW)
    target, endpoints = _pods()
    found = planned(target, board=board, endpoints=endpoints)
    assert [choice.endpoint.address for choice in found.choices] == ["10.0.0.2:80", "10.0.0.3:80", "10.0.0.1:80"]


def test_each_address_has_its_own_health() -> None:
    """One dead pod is passed over by itself."""
    board = HealthBoard()
    board.failed(ADDRESSES[0].key, "m", HealthEffect.EJECT, POLICY, now=NOW)
    target, endpoints = _pods(endpoints=ADDRESSES[:2])
    found = planned(target, board=board, endpoints=endpoints)
    assert keys(found.choices) == [ADDRESSES[1].key]
    assert [skip.endpoint for skip in found.skipped] == [ADDRESSES[0]]


@pytest.mark.parametrize(("attempts", "addresses"), [(1, 1), (2, 1), (3, 2), (5, 4), (9, 5)])
def test_many_addresses_leave_an_attempt_to_the_understudy(attempts: int, addresses: int) -> None:
    """However many pods fail, the understudy is reached within the attempts of the request."""
    target, endpoints = _pods("x/understudy", attempts=attempts)
    names = keys(planned(target, endpoints=endpoints).choices)
    assert (len(names), names[-1]) == (addresses + 1, "x/understudy")


def test_no_address_is_said() -> None:
    """A Service without ready pods is passed over, and said so."""
    target, endpoints = _pods("x/understudy", endpoints=())
    found = planned(target, endpoints=endpoints)
    assert keys(found.choices) == ["x/understudy"]
    assert [skip.because for skip in found.skipped] == [SkipReason.NO_ADDRESS]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(HealthEffect)), st.floats(0.0, 100.0)), max_size=12),
    st.sampled_from(list(Strategy)),
    st.randoms(use_true_random=False),
)
def test_everybody_is_accounted_for(
    backends: list[tuple[int, int]],
    failures: list[tuple[int, HealthEffect, float]],
    strategy: Strategy,
    chance: random.Random,
) -> None:
    """Whatever the board says, each backend is in the plan exactly once, as a choice or with a reason."""
    priorities, weights = zip(*backends, strict=True)
    board = HealthBoard()
    for number, effect, ago in failures:
        board.failed(f"x/p{number}", "m", effect, POLICY, now=NOW - ago, retry_after_seconds=10.0)
    found = planned(a_route(*priorities, weights=weights, strategy=strategy), board=board, draw=chance.random)
    places = [choice.candidate.key for choice in found.choices] + [skip.candidate.key for skip in found.skipped]
    assert sorted(places) == [f"x/p{number}:m" for number in range(len(backends))]
    assert bool(found.choices) or all(
        skip.because in {SkipReason.COOLING_DOWN, SkipReason.WEIGHT_ZERO} for skip in found.skipped
    )
