"""A plan, told."""

import json

from harness.planning import NOW, a_need, one_endpoint
from harness.runtimes import a_backend, a_model, a_provider, a_rule, a_runtime, a_target, the_target
from understudy_api.config import Capability, HealthPolicy, Match, Strategy
from understudy_proxy.routing.explain import explain
from understudy_proxy.routing.health import HealthBoard, HealthEffect
from understudy_proxy.routing.resolve import NotFound

NO_TOOLS = frozenset(Capability) - {Capability.TOOLS}
TARGET = the_target(
    a_runtime(
        a_provider("x/a", serves={"m": a_model(upstream_name="m-2025")}),
        a_provider("x/b", "m"),
        a_provider("x/c", serves={"m": a_model(capabilities=NO_TOOLS)}),
        a_provider("x/d", "m"),
        targets=[
            a_target(
                "x/chat",
                a_rule(a_backend("x/a", "m"), name="long", matches=(Match(min_input_tokens=1000), Match(stream=True))),
                a_rule(
                    a_backend("x/a", "m", weight=3),
                    a_backend("x/b", "m", weight=1),
                    a_backend("x/c", "m", weight=4),
                    a_backend("x/d", "m", priority=1),
                    name="usual",
                ),
                a_rule(a_backend("x/b", "m"), name="never"),
            )
        ],
    )
)


def test_everything_is_told() -> None:
    """Who answers and why, who is passed over and why, for people and for programs."""
    board = HealthBoard()
    board.failed("x/d", "m", HealthEffect.EJECT, HealthPolicy(), now=NOW)
    told = explain(
        TARGET,
        a_need(Capability.TOOLS),
        {},
        board=board,
        endpoints=one_endpoint,
        draw=lambda: 0.0,
        now=NOW + 1.0,
    )
    assert told == json.loads(json.dumps(told))
    assert (told["found"], told["target"], told["kind"], told["strategy"]) == (True, "x/chat", "LLMRoute", "Weighted")
    assert told["need"] == {
        "capabilities": ["Chat", "Tools"],
        "input_tokens": 10,
        "max_output_tokens": None,
        "stream": False,
    }
    assert told["rules"] == [
        {
            "name": "long",
            "applies": False,
            "because": "it must have 1000 input tokens and has about 10; or it must be a stream",
        },
        {"name": "usual", "applies": True, "because": "it has no matches, so it always applies"},
        {"name": "never", "applies": False, "because": "an earlier rule applies"},
    ]
    first, second = told["choices"]
    assert first == {
        "place": 1,
        "backend": "x/a:m",
        "provider": "x/a",
        "model": "m",
        "upstream_model": "m-2025",
        "address": None,
        "priority": 0,
        "weight": 3,
        "share": 0.75,
        "trial": False,
        "because": "drawn by weight",
    }
    assert (second["backend"], second["share"]) == ("x/b:m", 0.25)
    lacking, ejected = told["skipped"]
    assert (lacking["backend"], lacking["because"], lacking["for_seconds"]) == ("x/c:m", "no_tools", None)
    assert lacking["detail"] == "it lacks Tools, which the request needs"
    assert (ejected["backend"], ejected["because"], ejected["for_seconds"]) == ("x/d:m", "ejected", 4.0)


def test_telling_takes_nobodys_turn() -> None:
    """Asking how it would go changes nothing of how it goes."""
    rule = a_rule(a_backend("x/a", "m"), a_backend("x/b", "m"), strategy=Strategy.ROUND_ROBIN)
    target = the_target(a_runtime(a_provider("x/a", "m"), a_provider("x/b", "m"), targets=[a_target("x/chat", rule)]))
    board = HealthBoard()
    told = [
        explain(target, a_need(), {}, board=board, endpoints=one_endpoint, draw=lambda: 0.0, now=NOW) for _ in range(2)
    ]
    assert told[0] == told[1]


def test_no_rule_is_told() -> None:
    """A request that no rule matches is told so, rule by rule."""
    rule = a_rule(a_backend("x/a", "m"), matches=(Match(callers=("x/app",)),))
    target = the_target(a_runtime(a_provider("x/a", "m"), targets=[a_target("x/chat", rule)]))
    told = explain(target, a_need(), {}, board=HealthBoard(), endpoints=one_endpoint, draw=lambda: 0.0, now=NOW)
    assert (told["strategy"], told["choices"]) == (None, [])
    assert told["rules"][0]["because"] == "it must come from x/app, and callers are not identified"


def test_an_unknown_name_is_told() -> None:
    """A name that leads nowhere is told with those that look like it."""
    told = explain(
        NotFound("chatt", ("chat",)),
        a_need(),
        {},
        board=HealthBoard(),
        endpoints=one_endpoint,
        draw=lambda: 0.0,
        now=NOW,
    )
    assert told == {"found": False, "nearest": ["chat"]}
