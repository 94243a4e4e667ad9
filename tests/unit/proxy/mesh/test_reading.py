"""What an agent says of itself: how much of it is read."""

import json
from typing import Any

import pytest

from understudy_proxy.mesh.agents import Tool, Wanted
from understudy_proxy.mesh.reading import MAX_AGENT_TOOLS, MAX_WANTED, Invalid, Malformed, read_registration


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
            stream=True,
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
