"""What the gateway offers to agents."""

import re

import pytest

from harness.runtimes import a_backend, a_model, a_provider, a_rule, a_runtime, a_target
from understudy_api.config import Capability, Names, TargetKind
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.mesh.agents import STREAM_TAG
from understudy_proxy.mesh.functions import MAX_TARGETS, MeshFunction, functions

CLAUDE = a_backend("ai/anthropic", "claude-haiku-4-5")
GPT = a_backend("ai/openai", "gpt-4.1-mini", priority=1)
PROVIDERS = (
    a_provider("ai/openai", "gpt-4.1-mini"),
    a_provider(
        "ai/anthropic", serves={"claude-haiku-4-5": a_model(upstream_name="claude-haiku-4-5-20251001")}
    ).model_copy(update={"system": "anthropic"}),
    a_provider("ai/vectors", serves={"embed": a_model(capabilities=frozenset({Capability.EMBEDDINGS}))}),
    a_provider("ai/slow", serves={"whole": a_model(capabilities=frozenset({Capability.CHAT}))}),
)
HOUSE = a_runtime(
    *PROVIDERS,
    targets=[
        a_target("ai/chat", a_rule(CLAUDE, GPT)),
        a_target("ai/hidden", a_rule(GPT), visible_to=()),
        a_target("ai/vectors", a_rule(a_backend("ai/vectors", "embed"))),
        a_target("ai/slow", a_rule(a_backend("ai/slow", "whole"))),
        a_target("ai/code-assistant", a_rule(GPT), kind=TargetKind.PERSONA),
    ],
)


def named(runtime: Runtime, *, namespace: str | None = None, default: str | None = None) -> dict[str, MeshFunction]:
    """The functions by name, in their order."""
    found = functions(runtime, namespace=namespace, default=default)
    assert len(found) == len({each.name for each in found})
    return {each.name: each for each in found}


def test_a_pair_for_each_name() -> None:
    """Routes and personas that can converse and that anybody may use; models of providers have no role in a mesh."""
    assert {
        "process_chat_route_chat": "chat",
        "process_chat_stream_route_chat": "chat",
        "process_chat_persona_code_assistant": "persona/code-assistant",
        "process_chat_stream_persona_code_assistant": "persona/code-assistant",
        "process_chat_route_slow": "slow",
    } == {name: each.model for name, each in named(HOUSE).items()}


def test_who_names_none_gets_the_default() -> None:
    """It is the first of all, for agents that send no tags get the first."""
    found = list(named(HOUSE, default="chat").items())
    assert [("process_chat", None), ("process_chat_stream", None)] == [(name, each.model) for name, each in found[:2]]
    assert found[0][1].tags == named(HOUSE)["process_chat_route_chat"].tags


def test_what_a_namespace_keeps_to_itself() -> None:
    """It is offered where those without an identity belong to that namespace."""
    assert "process_chat_route_hidden" not in named(HOUSE)
    assert "process_chat_route_hidden" in named(HOUSE, namespace="ai")


def test_tags() -> None:
    """What it is, and the model that answers unless somebody has to step in."""
    found = named(HOUSE)
    tags = ("understudy", "route", "chat", "anthropic", "claude", "claude-haiku-4-5")
    assert tags == found["process_chat_route_chat"].tags
    assert (*tags, STREAM_TAG) == found["process_chat_stream_route_chat"].tags
    assert {"persona", "code-assistant", "openai", "gpt"} <= set(found["process_chat_persona_code_assistant"].tags)


def test_what_consumers_are_told() -> None:
    """The vendor, and that a stream is one of text."""
    found = named(HOUSE)
    assert {"vendor": "anthropic"} == found["process_chat_route_chat"].kwargs
    assert {"vendor": "openai", "stream_type": "text"} == found["process_chat_stream_persona_code_assistant"].kwargs


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("gpt-4.1", "gpt-4-1", "gpt/4.1"), id="look alike"),
        pytest.param(("a_b", "a-b"), id="underscores"),
        pytest.param(("stream", "stream-route-x", "x"), id="would be another's stream"),
        pytest.param(("n" * 60, "n" * 61), id="long"),
        pytest.param(("é", "日本", "-"), id="nothing to spell"),
    ],
)
def test_every_name_is_a_function_of_its_own(names: tuple[str, ...]) -> None:
    """Whatever a route is called: tools have names of 64 letters, digits and underscores."""
    targets = [a_target(f"ai/t{index}", a_rule(GPT)) for index, _ in enumerate(names)]
    exact = {name: (f"LLMRoute/ai/t{index}",) for index, name in enumerate(names)}
    found = named(a_runtime(*PROVIDERS, targets=targets, names=Names(exact=exact)))
    assert 2 * len(names) == len(found)
    assert set(names) == {each.model for each in found.values()}
    assert all(re.fullmatch("[a-z0-9_]{1,64}", name) for name in found)


def test_a_route_of_several_names_is_offered_once() -> None:
    """By its object's name if clients may send that."""
    target = a_target("ai/chat", a_rule(GPT))
    exact = dict.fromkeys(("assistant", "chat", "talk"), ("LLMRoute/ai/chat",))
    found = named(a_runtime(*PROVIDERS, targets=[target], names=Names(exact=exact)))
    assert {"chat"} == {each.model for each in found.values()}


def test_a_name_is_a_tag_only_where_it_is_no_wish() -> None:
    """Nothing that consumers could read as preferred or excluded."""
    runtime = a_runtime(a_provider("ai/p", "-m"), targets=[a_target("ai/r", a_rule(a_backend("ai/p", "-m")))])
    assert all(tag[0] not in "+-" for each in named(runtime).values() for tag in each.tags)


def test_no_more_than_a_registry_takes() -> None:
    """However many routes there are."""
    targets = [a_target(f"ai/r{index}", a_rule(GPT)) for index in range(MAX_TARGETS + 5)]
    assert 2 * MAX_TARGETS == len(named(a_runtime(*PROVIDERS, targets=targets)))
