"""Who fits and in which order, which versions do, and what is said where nobody does."""

from typing import Any

import pytest

from understudy import InvalidAnswer
from understudy.agents._directory import AVOID_SECONDS, FRESH_SECONDS, Directory, untried
from understudy.agents._matching import STREAM_TAG, Wanted, matching, not_found, offers
from understudy.agents._versions import satisfies


@pytest.mark.parametrize(
    ("version", "constraint", "fits"),
    [
        pytest.param("1.2.3", "", True, id="any"),
        pytest.param("1.2.3", "*", True, id="any, as a star"),
        pytest.param("1.2.3", "1.2.3", True, id="exact"),
        pytest.param("1.2.4", "1.2.3", False, id="not exact"),
        pytest.param("1.0.1", "1.0", True, id="any that begins so"),
        pytest.param("1.1.0", "1.0", False, id="one that does not"),
        pytest.param("1.2.9", "<=1.2", True, id="at most what begins so"),
        pytest.param("1.2.9", ">1.2", False, id="above what begins so"),
        pytest.param("1.9.0", ">=1.0, <2", True, id="a range"),
        pytest.param("2.0.0", ">=1.0, <2", False, id="above a range"),
        pytest.param("1.9.0", ">=1.0 <2", True, id="a range without comma"),
        pytest.param("1.9.9", "^1.2", True, id="caret"),
        pytest.param("1.1.9", "^1.2", False, id="below caret"),
        pytest.param("2.0.0", "^1.2", False, id="above caret"),
        pytest.param("0.2.9", "^0.2.3", True, id="caret below 1"),
        pytest.param("0.3.0", "^0.2.3", False, id="above caret below 1"),
        pytest.param("0.0.4", "^0.0.3", False, id="above caret below 0.1"),
        pytest.param("1.2.9", "~1.2", True, id="tilde"),
        pytest.param("1.3.0", "~1.2", False, id="above tilde"),
        pytest.param("1.9.0", "~1", True, id="tilde of a major"),
        pytest.param("1.9.9", "1.x", True, id="a pattern"),
        pytest.param("2.0.0", "1.x", False, id="above a pattern"),
        pytest.param("1.2.9", "1.2.x", True, id="a longer pattern"),
        pytest.param("1.3.0", "1.2.x", False, id="above a longer pattern"),
        pytest.param("3.1.0", "1.x || ^3.0", True, id="an alternative"),
        pytest.param("2.1.0", "1.x || ^3.0", False, id="no alternative"),
        pytest.param("2.0.0", "!=2.0.0", False, id="not that one"),
        pytest.param("2.0.0", "> 1.9", True, id="above, with a space"),
        pytest.param("2.0.0", "<=2.0", True, id="at most"),
        pytest.param("1.0.0-rc.1", "1.0", False, id="a candidate"),
        pytest.param("1.0.0-rc.1", ">=1.0.0-rc.1", True, id="a candidate that is wanted"),
        pytest.param("newest", ">=1.0", False, id="no version"),
    ],
)
def test_versions(version: str, constraint: str, fits: bool) -> None:
    """As registries read constraints."""
    assert fits is satisfies(version, constraint)


def agent(name: str, *capabilities: dict[str, Any], status: str = "healthy", **more: Any) -> dict[str, Any]:
    """An agent of a registry's list."""
    return {"id": f"{name}-1", "name": name, "status": status, "endpoint": f"http://{name}:80",
            "capabilities": list(capabilities), **more}  # fmt: skip


def offered(*tags: str, capability: str = "llm", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A capability of an agent."""
    return {"name": capability, "function_name": "process_chat", "tags": list(tags), "version": version, **more}


def found(listed: list[dict[str, Any]], *tags: str, stream: bool = False, version: str = "") -> list[str]:
    """Which agents fit, in their order."""
    return [each.agent for each in matching(offers({"agents": listed}), Wanted("llm", tags, version), stream=stream)]


MESH = [
    agent("slow", offered("claude")),
    agent("fast", offered("claude", "fast")),
    agent("beta", offered("claude", "fast", "beta", version="2.0.0")),
    agent("gpt", offered("gpt")),
    agent("weather", offered("claude", capability="weather")),
    agent("gone", offered("claude"), status="unhealthy"),
]


@pytest.mark.parametrize(
    ("tags", "version", "expected"),
    [
        pytest.param((), "", ["beta", "fast", "gpt", "slow"], id="any: by id, where nobody was first"),
        pytest.param(("claude",), "", ["beta", "fast", "slow"], id="a tag that must be there"),
        pytest.param(("claude", "fast"), "", ["beta", "fast"], id="two of them"),
        pytest.param(("claude", "+fast", "-beta"), "", ["fast", "slow"], id="one better, one not"),
        pytest.param(("+gpt",), "", ["gpt", "beta", "fast", "slow"], id="better, and no must"),
        pytest.param(("claude",), "^1.0", ["fast", "slow"], id="a version"),
        pytest.param(("llama",), "", [], id="nobody"),
    ],
)
def test_who_fits(tags: tuple[str, ...], version: str, expected: list[str]) -> None:
    """By capability, health, tags and version, the best first."""
    assert expected == found(MESH, *tags, version=version)


def test_anybody() -> None:
    """Is who registered first, and a gateway only where nobody else is, whatever its tags."""
    listed = [
        agent("understudy", offered("claude", "fast"), created_at="2026-11-21T09:00:00Z"),
        agent("young", offered("claude", version="2.0.0"), created_at="2026-11-21T09:02:00Z"),
        agent("old", offered("claude"), created_at="2026-11-21T09:01:00Z"),
    ]
    assert found(listed) == ["old", "young", "understudy"]
    assert found(listed, "claude", "+fast") == ["young", "old", "understudy"]
    assert found(listed, "fast") == ["understudy"]


def test_twins() -> None:
    """To be streamed, who streams comes first, and who does not still may answer; else only who does not."""
    twins = agent("both", offered("claude"), offered("claude", STREAM_TAG, function_name="stream"))
    known = offers({"agents": [agent("alone", offered("claude")), twins]})
    wanted = Wanted("llm", ("claude",))
    assert [(each.agent, each.function) for each in matching(known, wanted, stream=True)] == [
        ("both", "stream"),
        ("alone", "process_chat"),
        ("both", "process_chat"),
    ]
    assert [each.agent for each in matching(known, wanted, stream=False)] == ["alone", "both"]


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(None, id="null, as a registry without agents says"),
        pytest.param([None, 5, {}], id="no agents"),
        pytest.param([agent("a", offered("claude"), endpoint="stdio://a")], id="not over HTTP"),
        pytest.param([agent("a", offered("claude"), endpoint="http://:x")], id="no address"),
        pytest.param([agent("a", offered("claude"), endpoint="http://[::1")], id="half an address"),
        pytest.param([agent("a", offered("claude", available=False))], id="not available"),
        pytest.param([agent("a", offered("claude", function_name=""))], id="no function"),
        pytest.param([agent("a", capabilities=None)], id="nothing offered"),
    ],
)
def test_what_cannot_be_called(listed: Any) -> None:
    """Is left out, whatever it is."""
    assert matching(offers({"agents": listed}), Wanted("llm"), stream=False) == ()


def test_another_servers_list() -> None:
    """Is no list of agents."""
    with pytest.raises(InvalidAnswer, match="is the address a registry's"):
        offers({"items": []})


def test_nobody_fits() -> None:
    """What was looked for, and what there is, of the same capability first and not without end."""
    many = [agent(f"other{i}", offered(capability="weather")) for i in range(20)]
    known = offers(
        {"agents": [*many, agent("gpt", offered("gpt", "fast")), agent("old", offered(), status="unhealthy")]}
    )
    error = not_found(known, Wanted("llm", ("claude", "+fast"), ">=2"), registry="http://r")
    said = str(error)
    assert said.startswith(
        "no agent at http://r offers llm with claude, +fast in version >=2; there are gpt (llm with "
    )
    assert "gpt (llm with fast, gpt, 1.0.0); old (llm, 1.0.0, not healthy); other0" in said
    assert said.endswith("and 14 more")
    assert str(not_found((), Wanted("llm"), registry="http://r")).endswith("offers llm; none does")


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        pytest.param("llm", "must be a mapping", id="a text"),
        pytest.param({}, "must name a capability", id="nothing"),
        pytest.param({"capability": "llm", "tag": "x"}, "no tag", id="an unknown key"),
        pytest.param({"capability": "llm", "tags": "claude"}, "list of texts", id="tags as a text"),
        pytest.param({"capability": "llm", "tags": [["a", "b"]]}, "list of texts", id="tags within tags"),
        pytest.param({"capability": "llm", "tags": ["+"]}, "list of texts", id="no tag behind the sign"),
        pytest.param({"capability": "llm", "version": "latest"}, "no constraint", id="a word as version"),
        pytest.param({"capability": "llm", "version": 1}, "must be a text", id="a number as version"),
    ],
)
def test_what_is_nothing_to_look_for(provider: Any, said: str) -> None:
    """Is known where it is written."""
    with pytest.raises(TypeError, match=said):
        Wanted.of(provider)


def test_what_is_known_grows_old() -> None:
    """It is asked for again, and who could not be reached comes last for a while."""
    directory = Directory("http://r", Wanted("llm", ("claude",)))
    assert not directory.is_fresh(0)
    directory.take({"agents": MESH}, 10)
    assert directory.is_fresh(10 + FRESH_SECONDS - 1)
    assert not directory.is_fresh(10 + FRESH_SECONDS)
    beta, fast, slow = directory.candidates(10, stream=False)
    directory.could_not_reach(beta, 10)
    assert directory.candidates(11, stream=False) == (fast, slow, beta)
    assert directory.candidates(10 + AVOID_SECONDS, stream=False) == (beta, fast, slow)
    tried: set[str] = set()
    assert next(untried((beta, fast), tried)) == beta
    assert list(untried((beta, fast), tried)) == [fast]


def test_a_registry_that_is_away() -> None:
    """What was known stays in use; where nothing is, its error counts."""
    directory = Directory("http://r", Wanted("llm"))
    error = InvalidAnswer("away")
    with pytest.raises(InvalidAnswer):
        directory.keep(error, 0)
    directory.take({"agents": MESH}, 0)
    directory.keep(error, 100)
    assert directory.is_fresh(101)
    assert len(directory.candidates(101, stream=False)) == 4
