"""What an agent says of itself: how much of it is read."""

import functools
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.mesh.agents import Tool, Wanted
from understudy_proxy.mesh.partners import find_partners, links_of
from understudy_proxy.mesh.reading import MAX_AGENT_TOOLS, MAX_WANTED, Invalid, Malformed, read_registration
from understudy_proxy.mesh.registry import Registry
from understudy_proxy.mesh.telling import listed, welcomed

DEEP: dict[str, Any] = functools.reduce(lambda inner, _: {"a": inner}, range(400), {})


def read(tools: Any = None, **fields: Any) -> Any:
    """Read a heartbeat."""
    return read_registration(json.dumps({"agent_id": "a", "tools": tools, **fields}).encode())


def test_a_tool() -> None:
    """All that is said of it; a schema without a word in it is one still."""
    told = {
        "function_name": "process_chat",
        "capability": "llm",
        "tags": ["claude"],
        "inputSchema": {},
        "kwargs": {"vendor": "anthropic", "stream_type": "text"},
        "dependencies": [{"capability": "date", "tags": ["+utc", ["a", "b"]], "version": ">=1"}],
        "llm_provider": {"capability": "llm", "tags": ["gpt"], "namespace": "default"},
    }
    (tool,) = read([told]).tools
    assert (
        Tool(
            "process_chat",
            "llm",
            tags=("claude",),
            schema=b"{}",
            kwargs=b'{"vendor":"anthropic","stream_type":"text"}',
            vendor="anthropic",
            dependencies=(Wanted("date", ("+utc", ("a", "b")), ">=1"),),
            llm_provider=Wanted("llm", ("gpt",)),
        )
        == tool
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param({"agent_id": "a" * 64}, "63 characters", id="a long id"),
        pytest.param({"name": "a" * 64}, "63 characters", id="a long name"),
        pytest.param({"agent_id": "-a"}, "hyphens", id="an id that begins with a hyphen"),
        pytest.param({"agent_id": "a\n"}, "hyphens", id="an id with a line break"),
        pytest.param({"http_host": "host/path"}, "http_host", id="a host with a path"),
        pytest.param({"http_host": "user@host"}, "http_host", id="a host with a user"),
        pytest.param({"http_host": "a" * 300}, "http_host", id="a long host"),
        pytest.param({"http_port": 70_000}, "http_port", id="a port that is none"),
        pytest.param({"version": "1" * 200}, "version", id="a long version"),
        pytest.param({"tools": [{}] * (MAX_AGENT_TOOLS + 1)}, "at most", id="many tools"),
        pytest.param({"tools": [{"function_name": "f" * 200}]}, "function_name", id="a long function"),
        pytest.param({"tools": [{"tags": ["t"] * 100}]}, "tags", id="many tags"),
        pytest.param({"tools": [{"tags": ["t" * 200]}]}, "tags", id="a long tag"),
        pytest.param({"tools": [{"dependencies": [{}] * (MAX_WANTED + 1)}]}, "at most", id="much that is wanted"),
        pytest.param({"tools": [{"llm_filter": {"filter": ["x"] * 200}}]}, "at most", id="a long filter"),
    ],
)
def test_what_cannot_be_taken(fields: dict[str, Any], why: str) -> None:
    """Too long, too many, or nothing that anybody could call."""
    with pytest.raises(Invalid, match=why):
        read(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"http_port": True}, id="a port"),
        pytest.param({"tools": [1]}, id="a tool"),
        pytest.param({"tools": [{"tags": [1]}]}, id="a tag"),
        pytest.param({"tools": [{"kwargs": []}]}, id="properties"),
        pytest.param({"tools": [{"inputSchema": "{}"}]}, id="a schema"),
        pytest.param({"tools": [{"dependencies": ["x"]}]}, id="a dependency"),
        pytest.param({"tools": [{"llm_filter": {"filter": [1]}}]}, id="a filter"),
        pytest.param({"description": 1}, id="a description"),
        pytest.param({"tools": [{"inputSchema": DEEP}]}, id="a schema too deep"),
        pytest.param({"tools": [{"kwargs": DEEP}]}, id="properties too deep"),
        pytest.param({"tools": [{"llm_filter": {"unknown": DEEP}}]}, id="a filter too deep"),
    ],
)
def test_what_is_none(fields: dict[str, Any]) -> None:
    """Values of another kind than they are."""
    with pytest.raises(Malformed, match="Invalid JSON payload"):
        read(**fields)


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        pytest.param("agent", "http://agent:80", id="a name"),
        pytest.param("https://agent", "http://agent:80", id="with a scheme"),
        pytest.param("10.0.0.1", "http://10.0.0.1:80", id="an address"),
        pytest.param("fd00::1", "http://[fd00::1]:80", id="a longer address"),
        pytest.param("", "http://localhost:80", id="none"),
    ],
)
def test_where_it_is_called(host: str, endpoint: str) -> None:
    """As a URL that leads to that host and nowhere else."""
    assert endpoint == read(http_host=host, http_port=80).address


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
WANTED = st.fixed_dictionaries({}, optional=dict.fromkeys(("capability", "tags", "version"), ANYTHING))
FILTER = st.fixed_dictionaries(
    {}, optional={"filter": st.lists(WANTED | ANYTHING, max_size=3), "filter_mode": ANYTHING}
)
TOOL = st.fixed_dictionaries(
    {},
    optional={
        "function_name": ANYTHING,
        "capability": st.just("llm") | ANYTHING,
        "version": ANYTHING,
        "tags": st.lists(st.text(max_size=3), max_size=3) | ANYTHING,
        "inputSchema": st.dictionaries(st.text(max_size=3), ANYTHING, max_size=2) | ANYTHING,
        "kwargs": st.dictionaries(st.sampled_from(["vendor", "stream_type"]), ANYTHING) | ANYTHING,
        "dependencies": st.lists(WANTED | ANYTHING, max_size=3) | ANYTHING,
        "llm_provider": WANTED | ANYTHING,
        "llm_filter": FILTER | ANYTHING,
    },
)
AGENT = st.fixed_dictionaries(
    {"agent_id": st.sampled_from(["a", "b", "A_b"])},
    optional={
        "http_host": st.sampled_from(["h", "0.0.0.0", "::1"]) | ANYTHING,
        "http_port": ANYTHING,
        "tools": st.lists(TOOL | ANYTHING, max_size=3) | ANYTHING,
        **dict.fromkeys(("name", "agent_type", "runtime", "version", "description", "namespace"), ANYTHING),
    },
)


@given(st.lists(AGENT, max_size=5))
def test_whatever_agents_say(agents: list[Any]) -> None:
    """It is taken or not, and whatever is taken can be told to others, in an answer and in the list."""
    registry = Registry()
    for now, fields in enumerate(agents):
        try:
            told = read_registration(json.dumps(fields).encode())
        except (Malformed, Invalid):
            continue
        arrival = registry.register(told, house=None, now=now)
        found = find_partners(told, arrival.agents)
        arrival.entry.links = links_of(found)
        assert orjson.dumps(welcomed(told.id, found, new=arrival.new, at=""))
    for entry in registry.entries(now=10):
        assert orjson.dumps(listed(entry, healthy=frozenset("a"), created="", seen=""))
