"""Who is the right one for what is wanted."""

import pytest

from understudy_proxy.mesh.agents import Registration, Tags, Tool, Wanted
from understudy_proxy.mesh.matching import best_dependency, best_provider, ranked, scored


def a_tool(function: str, *tags: str, version: str = "1.0.0") -> Tool:
    """A tool that answers for a model."""
    return Tool(function, "llm", version=version, tags=tags, schema=b"{}")


AGENTS = (
    Registration("z", "z", tools=(a_tool("z1", "claude", "fast"), a_tool("z2", "claude", version="2.0.0"))),
    Registration("b", "b", tools=(a_tool("b1", "claude", "beta"), a_tool("b2", "gpt"))),
    Registration("a", "a", tools=(a_tool("a1", "claude"), Tool("a2", "only-called"))),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(Wanted("llm"), ["z1", "z2", "b1", "b2", "a1"], id="whoever came first"),
        pytest.param(Wanted("llm", ("claude",)), ["z2", "a1", "b1", "z1"], id="the newest, then the smallest id"),
        pytest.param(Wanted("llm", ("claude", "+fast")), ["z1", "z2", "a1", "b1"], id="what is preferred first"),
        pytest.param(Wanted("llm", ("claude", "-beta")), ["z2", "a1", "z1"], id="never what is excluded"),
        pytest.param(Wanted("llm", ("+gpt", "-claude")), ["b2"], id="a wish and an exclusion"),
        pytest.param(Wanted("llm", (("gpt", "beta"),)), ["b1", "b2"], id="one of several"),
        pytest.param(Wanted("llm", version="^2"), ["z2"], id="of a version"),
        pytest.param(Wanted("llm", ("claude", "gpt")), [], id="nobody has both"),
        pytest.param(Wanted("LLM"), [], id="capabilities are exact"),
    ],
)
def test_order(wanted: Wanted, found: list[str]) -> None:
    """The best first; tools that do not tell what they take are none."""
    assert found == [match.offer.tool.function for match in ranked(AGENTS, wanted)]
    first = best_provider(AGENTS, wanted)
    assert found[:1] == ([] if first is None else [first.tool.function])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(Wanted("llm"), "z2", id="the newest, even without tags"),
        pytest.param(Wanted("llm", version="^1"), "a1", id="then the smallest id"),
        pytest.param(Wanted("llm", ("claude", "beta")), "b1", id="by tags"),
        pytest.param(Wanted("only-called"), "a2", id="one that does not tell what it takes"),
        pytest.param(Wanted("nothing"), None, id="none"),
    ],
)
def test_a_dependency(wanted: Wanted, found: str | None) -> None:
    """Whoever calls a tool by itself need not be told what it takes."""
    offer = best_dependency(AGENTS, wanted)
    assert found == (offer and offer.tool.function)


@pytest.mark.parametrize(
    ("wanted", "score"),
    [
        pytest.param(("a",), 5, id="there"),
        pytest.param(("x",), None, id="not there"),
        pytest.param(("+a", "+x"), 10, id="preferred"),
        pytest.param(("-x", "-y"), 0, id="excluded, and not there"),
        pytest.param(("a", "-b"), None, id="excluded, and there"),
        pytest.param((("x", "a"),), 5, id="one of several"),
        pytest.param((("a", "+b"),), 10, id="a wish counts for more"),
        pytest.param((("x", "y"),), None, id="none of several"),
        pytest.param((("a", "-b"),), None, id="excluded among several"),
        pytest.param((("-x",),), None, id="nothing but an exclusion is nothing"),
        pytest.param(("", "+", "-", ()), 0, id="nothing said"),
    ],
)
def test_score(wanted: Tags, score: int | None) -> None:
    """Of tags a and b."""
    assert score == scored(("a", "b"), wanted)
