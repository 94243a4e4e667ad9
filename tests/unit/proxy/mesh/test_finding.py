"""Which agents of a registry's list answer for a provider."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_api.config import MeshSource
from understudy_proxy.mesh.finding import absence, callable_at, find
from understudy_proxy.mesh.listing import ListedAgent, NoListing, read_listing


def agent(name: str, *capabilities: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An agent as registries list it."""
    port = sum(name.encode()) + 10_000
    return {
        "id": name,
        "status": "healthy",
        "endpoint": f"http://10.0.0.1:{port}",
        "capabilities": list(capabilities),
        **fields,
    }


def offer(*tags: str, function: str = "process_chat", **fields: Any) -> dict[str, Any]:
    """A function as registries list it: the capability is under `name`."""
    return {
        "name": "llm",
        "function_name": function,
        "version": "1.0.0",
        "tags": list(tags),
        "available": True,
    } | fields


def streaming(*tags: str, function: str = "process_chat_stream", **fields: Any) -> dict[str, Any]:
    """Its sibling that streams."""
    return offer(*tags, "ai.mcpmesh.stream", function=function, **fields)


def listed(*agents: dict[str, Any]) -> tuple[ListedAgent, ...]:
    """The agents of a list."""
    return read_listing(orjson.dumps({"agents": agents, "count": len(agents)}))


@pytest.mark.parametrize(
    ("wanted", "agents", "found"),
    [
        pytest.param({}, [agent("a", offer())], ["a"], id="anyone"),
        pytest.param({}, [agent("a", offer(), status="unhealthy")], [], id="who is well"),
        pytest.param({}, [agent("a", offer(available=False))], [], id="what is to be had"),
        pytest.param({}, [agent("a", {**offer(), "name": "chat"})], [], id="by capability"),
        pytest.param(
            {"tags": ["claude"]}, [agent("a", offer("gpt")), agent("b", offer("claude"))], ["b"], id="required"
        ),
        pytest.param(
            {"tags": ["+fast"]}, [agent("a", offer()), agent("b", offer("fast"))], ["b", "a"], id="preferred first"
        ),
        pytest.param({"tags": ["-beta"]}, [agent("a", offer("beta")), agent("b", offer())], ["b"], id="excluded"),
        pytest.param({"version": ">=2"}, [agent("a", offer()), agent("b", offer(version="2.1"))], ["b"], id="version"),
        pytest.param(
            {}, [agent("a", offer()), agent("b", offer(version="1.3.0"))], ["b", "a"], id="the newest version first"
        ),
        pytest.param({}, [agent("a", offer("understudy"))], [], id="no gateway unless asked for"),
        pytest.param(
            {"tags": ["+understudy"]}, [agent("a", offer("understudy"))], ["a"], id="a gateway that is asked for"
        ),
        pytest.param(
            {"tags": ["+understudy"], "own": True}, [agent("a", offer("understudy"))], [], id="never this one itself"
        ),
        pytest.param({}, [agent("a", offer(), endpoint="stdio://a")], [], id="who can be called"),
        pytest.param(
            {},
            [agent("a", offer(), endpoint="http://x:1"), agent("b", offer(), endpoint="http://x:1")],
            ["a"],
            id="once",
        ),
    ],
)
def test_finding(wanted: dict[str, Any], agents: list[dict[str, Any]], found: list[str]) -> None:
    """Whoever offers what is wanted is found, the best first."""
    source = MeshSource(**({"capability": "llm"} | wanted))
    assert found == [each.id for each in find(listed(*agents), source)]


@pytest.mark.parametrize(
    ("capabilities", "whole", "streamed"),
    [
        pytest.param([offer(), streaming()], "process_chat", "process_chat_stream", id="a pair"),
        pytest.param([streaming(), offer(function="ask")], "ask", "process_chat_stream", id="the other way around"),
        pytest.param([offer(function="ask")], "ask", None, id="of the first kind"),
        pytest.param([streaming()], "process_chat_stream", "process_chat_stream", id="one that only streams"),
        pytest.param([offer(function="b"), offer(function="a", version="1.1.0")], "a", None, id="the best of its own"),
    ],
)
def test_functions(capabilities: list[dict[str, Any]], whole: str, streamed: str | None) -> None:
    """Each agent's own names of its functions are used."""
    found = find(listed(agent("a", *capabilities)), MeshSource(capability="llm"))[0]
    assert (whole, streamed) == (found.whole, found.streamed)


def test_ranks() -> None:
    """Those who have as much of what is wanted are of one rank, so that they share the load."""
    agents = listed(agent("a", offer()), agent("b", offer("fast")), agent("c", offer("fast")))
    found = find(agents, MeshSource(capability="llm", tags=("+fast",)))
    assert [("b", 0), ("c", 0), ("a", 1)] == [(each.id, each.rank) for each in found]


@pytest.mark.parametrize(
    ("endpoint", "called"),
    [
        pytest.param("http://10.0.0.1:9000", "http://10.0.0.1:9000", id="as it is"),
        pytest.param("https://agent.mesh", "https://agent.mesh", id="https, on its usual port"),
        pytest.param("http://0.0.0.0:9000", "http://localhost:9000", id="every interface is this machine"),
        pytest.param("http://[fd00::1]:9000", "http://[fd00::1]:9000", id="IPv6"),
        pytest.param("http://169.254.169.254", None, id="where clouds keep secrets"),
        pytest.param("http://[::ffff:169.254.169.254]:80", None, id="the same in another form"),
        pytest.param("http://user:pass@host:1", None, id="with a user"),
        pytest.param("http://host:1/elsewhere", None, id="with a path, which no agent has"),
        pytest.param("file:///etc/passwd", None, id="no network"),
        pytest.param("stdio://agent", None, id="stdio"),
        pytest.param("http://host:x", None, id="no URL"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_where_agents_are_called(endpoint: str, called: str | None) -> None:
    """Only what an agent can be reached at is called, whatever somebody told the registry."""
    url = callable_at(endpoint)
    assert called == (None if url is None else str(url))


def test_absence() -> None:
    """What was looked for and what there was, in one sentence, however much there was."""
    job = {"name": "__mesh_job_status", "function_name": "__mesh_job_status", "tags": []}
    agents = listed(
        agent("gpt-agent", offer("gpt", "fast"), streaming("gpt", "fast"), job),
        agent("tools", job),
        agent("gateway", offer("understudy", "claude")),
    )
    expected = (
        "no agent of its mesh offers llm with claude, +fast in version >=2: "
        "there are gpt-agent (llm 1.0.0 with gpt and fast)"
    )
    wanted = MeshSource(capability="llm", tags=("claude", "+fast"), version=">=2")
    assert expected == absence(agents, wanted)
    assert absence((), wanted).endswith(": there are none at all")
    many = listed(*(agent(f"agent-{number}", offer("x" * 100)) for number in range(900)))
    assert absence(many, wanted).endswith("; and 894 more")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"<html>", id="a page"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no agents"),
        pytest.param(b'{"agents": {}}', id="agents that are none"),
    ],
)
def test_what_is_no_list(raw: bytes) -> None:
    """Whatever else a registry answers, what was known before is kept."""
    with pytest.raises(NoListing):
        read_listing(raw)


def test_an_empty_list() -> None:
    """Registries say null where nobody is."""
    assert () == read_listing(b'{"agents": null}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FUNCTIONS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "function_name", "version", "tags", "available"), JSON)
)
AGENTS = st.fixed_dictionaries(
    {"status": st.just("healthy"), "id": st.text(max_size=3)},
    optional={
        "endpoint": JSON | st.just("http://a:1"),
        "capabilities": JSON | st.lists(FUNCTIONS, max_size=3),
    },
)


@given(st.lists(AGENTS | JSON, max_size=4))
def test_hostile_lists_never_raise(agents: list[Any]) -> None:
    """What cannot be read of a list is left out."""
    read = read_listing(orjson.dumps({"agents": agents}))
    find(read, MeshSource(capability="llm"))
    absence(read, MeshSource(capability="llm"))
