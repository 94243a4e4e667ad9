"""Which name stands for whoever names no model."""

import pytest

from harness.runtimes import a_backend, a_provider, a_rule, a_runtime, a_target
from understudy_api.config import Names, Target
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.routing.default import default_model

RULE = a_rule(a_backend("ai/openai", "gpt"))


def _house(*routes: Target) -> Runtime:
    """Routes by age, the oldest first; all but those that begin with `gpt-` have their own name."""
    exact: dict[str, tuple[str, ...]] = {}
    for each in routes:
        exact[each.name] = (*exact.get(each.name, ()), f"LLMRoute/{each.namespace}/{each.name}")
    prefixes = tuple((name, exact.pop(name)) for name in tuple(exact) if name.startswith("gpt-"))
    aged = tuple((each.name, f"LLMRoute/{each.namespace}/{each.name}") for each in routes)
    names = Names(exact=exact, prefixes=prefixes, routes_by_age=aged)
    return a_runtime(a_provider("ai/openai", "gpt"), targets=routes, names=names)


def _route(key: str, visible_to: tuple[str, ...] | None = None) -> Target:
    return a_target(key, RULE, visible_to=visible_to)


@pytest.mark.parametrize(
    ("routes", "namespace", "name"),
    [
        pytest.param([_route("ai/older"), _route("ai/default")], "ai", "default", id="the one that is called so"),
        pytest.param([_route("ai/older"), _route("ai/younger")], "ai", "older", id="else the oldest"),
        pytest.param([_route("ai/older"), _route("team/own")], "team", "own", id="of one's own namespace"),
        pytest.param([_route("ai/older"), _route("ai/open")], "team", "older", id="where that has none, of all"),
        pytest.param([_route("ai/closed", ()), _route("ai/open")], "team", "open", id="that one may use"),
        pytest.param([_route("ai/closed", ()), _route("ai/open")], None, "open", id="nobody knows the caller"),
        pytest.param([_route("ai/default", ()), _route("ai/open")], "team", "open", id="a default that is closed"),
        pytest.param([_route("ai/chat"), _route("team/old", ()), _route("team/chat", ())], "team", "old",
                     id="another's name that means a younger route here"),
        pytest.param([_route("ai/gpt-")], "ai", "gpt-", id="a route of many names"),
        pytest.param([_route("ai/closed", ())], "team", None, id="nothing for this caller"),
        pytest.param([], "ai", None, id="nothing at all"),
    ],
)  # fmt: skip
def test_what_stands_for_no_name(routes: list[Target], namespace: str | None, name: str | None) -> None:
    """`default`, else the oldest route that the caller may use, its own namespace's first."""
    assert name == default_model(_house(*routes), namespace=namespace)
