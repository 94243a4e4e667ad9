"""What agents are told when they register: by the real registry, and by a gateway's doors, the same."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.mesh.running import Mesh, registry
from harness.raw_http import Answer, exchange
from understudy_api.config import Snapshot
from understudy_proxy.mesh.reading import MAX_BODY

GATEWAY, REAL = "gateway", "real"
PROVIDER = {"capability": "llm", "inputSchema": {}}


@pytest.fixture(params=[GATEWAY, REAL])
async def mesh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Mesh]:
    """A registry."""
    if request.param == REAL:
        async with registry(tmp_path, silence_seconds=600) as real:
            yield real
    else:
        async with Serving(snapshot([], [])) as serving:
            yield Mesh(serving.port, tmp_path)


async def tell(mesh: Mesh, agent_id: str, *tools: dict[str, Any], **fields: Any) -> Answer:
    """Send a heartbeat."""
    told = [{"function_name": f"f{index}", "capability": "any", **tool} for index, tool in enumerate(tools)]
    body = {"agent_id": agent_id, "name": agent_id, "http_host": "agent", "http_port": 9000, "tools": told, **fields}
    return await post(mesh, json.dumps(body))


async def post(mesh: Mesh, body: str) -> Answer:
    """Send anything as a heartbeat."""
    return await exchange(mesh.port, "POST", "/heartbeat", body.encode(), {"content-type": "application/json"})


async def beat(mesh: Mesh, agent_id: str) -> int:
    """Say that an agent is still there; the status of the answer."""
    return (await exchange(mesh.port, "HEAD", f"/heartbeat/{agent_id}")).status


async def leave(mesh: Mesh, agent_id: str) -> int:
    """Say that an agent leaves; the status of the answer."""
    return (await exchange(mesh.port, "DELETE", f"/agents/{agent_id}")).status


async def agents(mesh: Mesh, query: str = "") -> dict[str, dict[str, Any]]:
    """Who is listed, by id, but for the gateway itself."""
    answer = await exchange(mesh.port, "GET", f"/agents?{query}")
    assert 200 == answer.status
    listed = answer.json()
    found = listed["agents"] or []
    assert listed["count"] == len(found)
    assert listed["timestamp"]
    return {each["id"]: each for each in found if each["name"] != "understudy"}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        pytest.param("{", 400, "Invalid JSON payload", id="no JSON"),
        pytest.param("[]", 400, "Invalid JSON payload", id="no object"),
        pytest.param("null", 400, "agent_id is required", id="nothing"),
        pytest.param("{}", 400, "agent_id is required", id="no id"),
        pytest.param('{"agent_id": 5}', 400, "agent_id", id="an id that is no string"),
        pytest.param('{"agent_id": "a", "http_port": "x"}', 400, "http_port", id="a port that is no number"),
        pytest.param('{"agent_id": "a", "tools": {}}', 400, "tools", id="tools that are no list"),
        pytest.param(
            '{"agent_id": "a", "tools": [{"llm_provider": {"capability": "llm", "tags": [["x", "y"]]}}]}',
            400,
            "tags",
            id="alternatives for a provider",
        ),
        pytest.param('{"agent_id": "A_b"}', 200, "lowercase alphanumeric", id="an id that is none"),
        pytest.param('{"agent_id": "a", "name": "B_b"}', 200, "lowercase alphanumeric", id="a name that is none"),
        pytest.param('{"agent_id": "a", "agent_type": "zzz"}', 200, "agent_type", id="a type that is none"),
        pytest.param('{"agent_id": "a", "runtime": "ruby"}', 200, "runtime", id="a runtime that is none"),
    ],
)
async def test_what_is_not_taken(mesh: Mesh, body: str, status: int, error: str) -> None:
    """Whatever is no heartbeat is a 400; an agent that cannot be taken hears so in an answer like any other."""
    answer = await post(mesh, body)
    said = answer.json()
    assert status == answer.status
    assert error in said["error" if status == 400 else "message"]
    assert status == 400 or "error" == said["status"]
    assert said["timestamp"]
    assert {} == await agents(mesh)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="today's"),
        pytest.param({"tools": None, "version": None, "http_host": None, "http_port": None}, id="nothing told"),
        pytest.param({"timestamp": "2025-01-01T00:00:00Z", "unknown": {"a": 1}}, id="the first agents'"),
        pytest.param({"agent_type": "api", "runtime": "typescript", "status": "unhealthy"}, id="another kind"),
        pytest.param({"agent_type": "a2a", "version": "not a version"}, id="yet another"),
    ],
)
async def test_what_is_taken(mesh: Mesh, fields: dict[str, Any]) -> None:
    """Whatever an agent leaves out, and whatever it says beside; what it says of its health does not count."""
    answer = await tell(mesh, "agent-1", **fields)
    said = answer.json()
    assert (200, "success", "agent-1") == (answer.status, said["status"], said["agent_id"])
    assert said["message"]
    # An agent's library breaks where one of these is null.
    assert all(type(said.get(name, {})) is dict for name in ("dependencies_resolved", "llm_tools", "llm_providers"))
    assert "healthy" == (await agents(mesh))["agent-1"]["status"]


async def test_coming_and_going(mesh: Mesh) -> None:
    """An unknown agent is told to say all; whoever leaves is listed still, and welcome again."""
    assert 410 == await beat(mesh, "agent-1")
    await tell(mesh, "agent-1")
    assert 200 == await beat(mesh, "agent-1")
    assert 204 == await leave(mesh, "agent-1")
    assert 204 == await leave(mesh, "agent-1")
    assert 204 == await leave(mesh, "nobody")
    assert "unhealthy" == (await agents(mesh))["agent-1"]["status"]
    assert 410 == await beat(mesh, "agent-1")
    await tell(mesh, "agent-1")
    assert 410 != await beat(mesh, "agent-1")
    assert "healthy" == (await agents(mesh))["agent-1"]["status"]


async def test_others_hear_of_it(mesh: Mesh) -> None:
    """Who comes, leaves or comes back is news to others, until they have told all again."""
    for comes in (lambda: tell(mesh, "other", PROVIDER), lambda: leave(mesh, "other"), lambda: tell(mesh, "other")):
        await tell(mesh, "agent-1")
        assert 200 == await beat(mesh, "agent-1")
        await comes()
        assert 202 == await beat(mesh, "agent-1")
        assert 202 == await beat(mesh, "agent-1")


async def test_what_is_no_news(mesh: Mesh) -> None:
    """An agent that is there says what it says anew, and who only calls others has nothing for them."""
    await tell(mesh, "other", PROVIDER)
    await tell(mesh, "agent-1")
    await tell(mesh, "other")
    await tell(mesh, "caller", agent_type="api")
    await leave(mesh, "caller")
    assert 200 == await beat(mesh, "agent-1")


async def test_a_provider_for_a_model(mesh: Mesh) -> None:
    """All that an agent needs to call it; whoever finds none is told nothing."""
    vendor = {"vendor": "anthropic", "n": 1}
    await tell(mesh, "model-1", {**PROVIDER, "tags": ["claude"], "kwargs": vendor, "version": "1.2.0"})
    wanted = {"capability": "llm", "tags": ["claude"], "version": "", "namespace": "elsewhere"}
    nobody = {"capability": "llm", "tags": ["gpt"]}
    answer = await tell(mesh, "caller", {"llm_provider": wanted}, {"llm_provider": nobody}, agent_type="api")
    assert {
        "f0": {
            "agent_id": "model-1",
            "name": "f0",
            "endpoint": "http://agent:9000",
            "capability": "llm",
            "status": "available",
            "tags": ["claude"],
            "version": "1.2.0",
            "vendor": "anthropic",
            "kwargs": vendor,
        }
    } == answer.json()["llm_providers"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({}, "z", id="who came first"),
        pytest.param({"tags": ["claude"]}, "b", id="the newest"),
        pytest.param({"tags": ["claude"], "version": "^1"}, "a", id="the smallest id"),
        pytest.param({"tags": ["claude", "+fast"]}, "z", id="preferred"),
        pytest.param({"tags": ["claude", "+slow", "-beta"], "version": "1.x"}, "a", id="excluded"),
        pytest.param({"tags": ["+gpt"]}, "g", id="only preferred"),
        pytest.param({"version": ">=2.0, <3"}, "b", id="a range"),
        pytest.param({"version": "9 || ~2.0.1"}, "b", id="either version"),
        pytest.param({"version": "1.0.0", "tags": ["-fast"]}, "a", id="exact"),
        pytest.param({"version": "1.0.1"}, None, id="no such version"),
        pytest.param({"tags": ["claude", "gpt"]}, None, id="no such tags"),
        pytest.param({"capability": "LLM"}, None, id="no such capability"),
    ],
)
async def test_the_right_one(mesh: Mesh, wanted: dict[str, Any], found: str | None) -> None:
    """Chosen by tags, then by version, then by id; without tags who came first."""
    await tell(mesh, "s", {**PROVIDER, "inputSchema": None, "tags": ["claude", "fast"], "version": "9.0.0"})
    await tell(mesh, "z", {**PROVIDER, "tags": ["claude", "fast"]})
    await tell(mesh, "b", {**PROVIDER, "tags": ["claude", "beta"], "version": "2.0.5"})
    await tell(mesh, "a", {**PROVIDER, "tags": ["claude"]})
    await tell(mesh, "g", {**PROVIDER, "tags": ["gpt"], "version": "0.9.0"})
    await tell(mesh, "gone", {**PROVIDER, "tags": ["claude", "+fast", "slow"]})
    await leave(mesh, "gone")
    answer = await tell(mesh, "caller", {"llm_provider": {"capability": "llm", **wanted}}, agent_type="api")
    providers = answer.json().get("llm_providers", {})
    assert found == providers.get("f0", {}).get("agent_id")


async def test_the_tools_of_a_model(mesh: Mesh) -> None:
    """Those that say what they take, each name once, whose they are and where they are called."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    await tell(
        mesh,
        "tools-1",
        {"function_name": "weather", "capability": "weather", "inputSchema": schema, "description": "Weather"},
        {"function_name": "secret", "capability": "weather"},
    )
    await tell(mesh, "tools-2", {"function_name": "weather", "capability": "weather", "inputSchema": {}})
    parts: list[Any] = ["weather", {"capability": "nothing", "tags": ["x"]}]
    answer = await tell(
        mesh,
        "caller",
        {"llm_filter": {"filter": parts, "filter_mode": "all"}},
        {"llm_filter": {"filter": ["nothing"]}},
        agent_type="api",
    )
    assert {
        "f0": [
            {
                "name": "weather",
                "capability": "weather",
                "description": "Weather",
                "inputSchema": schema,
                "tags": [],
                "version": "1.0.0",
                "endpoint": "http://agent:9000",
            }
        ],
        "f1": [],
    } == answer.json()["llm_tools"]


async def test_dependencies(mesh: Mesh) -> None:
    """At the places at which they were asked for; what is not there leaves its place empty."""
    await tell(mesh, "date-1", {"function_name": "today", "capability": "date", "tags": ["utc"]})
    wanted = [{"capability": "nothing"}, {"capability": "date", "tags": [["local", "utc"]]}]
    answer = await tell(mesh, "caller", {"dependencies": wanted})
    missing = {"agent_id": "", "endpoint": "", "function_name": "", "capability": "nothing", "status": "unresolved"}
    found = {
        "agent_id": "date-1",
        "function_name": "today",
        "endpoint": "http://agent:9000",
        "capability": "date",
        "status": "available",
    }
    assert {"f0": [missing, found]} == answer.json()["dependencies_resolved"]


@pytest.mark.parametrize(
    ("fields", "listed", "called"),
    [
        pytest.param({"http_host": "0.0.0.0"}, "http://0.0.0.0:9000", "http://localhost:9000", id="every interface"),
        pytest.param({"http_port": 0}, "stdio://model-1", "stdio://model-1", id="no port"),
        pytest.param({"http_host": "http://agent"}, None, "http://agent:9000", id="an address"),
    ],
)
async def test_where_an_agent_is(mesh: Mesh, fields: dict[str, Any], listed: str | None, called: str) -> None:
    """Listed as it says, and called where it can be."""
    await tell(mesh, "model-1", PROVIDER, **fields)
    answer = await tell(mesh, "caller", {"llm_provider": {"capability": "llm"}})
    assert called == answer.json()["llm_providers"]["f0"]["endpoint"]
    assert listed is None or listed == (await agents(mesh))["model-1"]["endpoint"]


async def test_the_list(mesh: Mesh) -> None:
    """Who they are, what they can do and whom they found; a capability is called its name."""
    wanted = {"capability": "llm", "tags": ["claude"]}
    chosen = {"filter": ["llm", "none"], "filter_mode": "all"}
    await tell(mesh, "model-1", {**PROVIDER, "tags": ["claude"], "description": "A model"}, version="2.1.0")
    await tell(
        mesh,
        "caller",
        {"llm_provider": wanted, "llm_filter": chosen, "dependencies": [{"capability": "llm"}, {"capability": "no"}]},
        {"llm_provider": {"capability": "no"}},
    )
    found = await agents(mesh)
    model, caller = found["model-1"], found["caller"]
    assert ("2.1.0", "http://agent:9000", "mcp_agent", "python") == tuple(
        model[name] for name in ("version", "endpoint", "agent_type", "runtime")
    )
    assert model["created_at"]
    assert model["last_seen"]
    assert {
        "name": "llm",
        "version": "1.0.0",
        "function_name": "f0",
        "tags": ["claude"],
        "description": "A model",
        "available": True,
    } == model["capabilities"][0]
    assert (wanted, chosen) == tuple(caller["capabilities"][0][name] for name in ("llm_provider", "llm_filter"))
    assert (2, 1) == (caller["total_dependencies"], caller["dependencies_resolved"])
    partner = {"mcp_tool": "f0", "provider_agent_id": "model-1", "endpoint": "http://agent:9000", "status": "available"}
    assert [
        {"function_name": "f0", "required_capability": "llm", "required_tags": ["claude"], **partner},
        {"function_name": "f1", "required_capability": "no", "status": "unresolved"},
    ] == caller["llm_provider_resolutions"]
    assert [
        {"function_name": "f0", "capability": "llm", **partner},
        {"function_name": "f0", "capability": "no", "status": "unresolved"},
    ] == caller["dependency_resolutions"]
    both = {"function_name": "f0", "filter_mode": "all"}
    assert [
        {**both, "filter_capability": "llm", "provider_capability": "llm", **partner},
        {**both, "filter_capability": "none", "status": "unresolved"},
    ] == caller["llm_tool_resolutions"]


async def test_the_list_of_those_who_left(mesh: Mesh) -> None:
    """What they could do is not available, and whoever found them sees that."""
    await tell(mesh, "model-1", PROVIDER)
    await tell(mesh, "caller", {"llm_provider": {"capability": "llm"}})
    await leave(mesh, "model-1")
    found = await agents(mesh)
    (capability,) = found["model-1"]["capabilities"]
    assert (False, "agent unhealthy") == (capability["available"], capability["unavailable_reason"])
    assert ["unavailable"] == [each["status"] for each in found["caller"]["llm_provider_resolutions"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", {"model-1", "caller", "gone"}, id="all"),
        pytest.param("status=healthy", {"model-1", "caller"}, id="who is there"),
        pytest.param("status=unhealthy", {"gone"}, id="who is not"),
        pytest.param("type=api", {"caller"}, id="a type"),
        pytest.param("namespace=team", {"model-1"}, id="a namespace"),
        pytest.param("namespace=nowhere", set(), id="no namespace"),
        pytest.param("capabilities=llm", {"model-1"}, id="a capability"),
        pytest.param("capabilities=l", set(), id="only a whole one"),
        pytest.param("tags=nothing", {"model-1", "caller", "gone"}, id="tags are not looked at"),
        pytest.param("unknown=1", {"model-1", "caller", "gone"}, id="nor is what is unknown"),
    ],
)
async def test_parts_of_the_list(mesh: Mesh, query: str, found: set[str]) -> None:
    """As asked for."""
    await tell(mesh, "model-1", PROVIDER, namespace="team")
    await tell(mesh, "caller", agent_type="api")
    await tell(mesh, "gone")
    await leave(mesh, "gone")
    assert found == set(await agents(mesh, query))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/agents/model-1", id="an agent by itself"),
        pytest.param("POST", "/agents/register", id="another way to register"),
        pytest.param("GET", "/heartbeat/model-1", id="a heartbeat by itself"),
    ],
)
async def test_what_there_is_not(mesh: Mesh, method: str, path: str) -> None:
    """Agents learn that by a 404."""
    await tell(mesh, "model-1", PROVIDER)
    assert 404 == (await exchange(mesh.port, method, path)).status


async def test_health(mesh: Mesh) -> None:
    """What whoever waits for a registry asks."""
    answer = await exchange(mesh.port, "GET", "/health")
    said = answer.json()
    assert (200, "healthy") == (answer.status, said["status"])
    assert type(said["uptime_seconds"]) is int
    assert said["service"]
    assert said["version"]
    assert said["timestamp"]
    assert 200 == (await exchange(mesh.port, "HEAD", "/health")).status


async def test_another_configuration_is_news(tmp_path: Path) -> None:
    """If it offers agents something else than before, and not otherwise."""

    def serves(*routes: str) -> Snapshot:
        turns = [route(name, *in_order("one")) for name in routes]
        return snapshot([provider("one", "http://127.0.0.1:9")], turns)

    async with Serving(serves("chat")) as serving:
        mesh = Mesh(serving.port, tmp_path)
        await tell(mesh, "agent-1")
        await serving.source.push(serves("chat", "other"))
        assert 202 == await beat(mesh, "agent-1")
        await tell(mesh, "agent-1")
        await serving.source.push(snapshot([provider("two", "http://127.0.0.1:9")], []))
        assert 202 == await beat(mesh, "agent-1")
        await tell(mesh, "agent-1")
        await serving.source.push(snapshot([provider("three", "http://127.0.0.1:9")], []))
        assert 200 == await beat(mesh, "agent-1")


async def test_nobody_passes_for_the_gateway(tmp_path: Path) -> None:
    """Its own entry is nobody else's."""
    async with Serving(snapshot([], [])) as serving:
        mesh = Mesh(serving.port, tmp_path)
        listed = (await exchange(mesh.port, "GET", "/agents")).json()["agents"]
        answer = await tell(mesh, listed[0]["id"], PROVIDER)
        assert (200, "error") == (answer.status, answer.json()["status"])


async def test_more_than_an_agent_may_say(tmp_path: Path) -> None:
    """A gateway does not read on."""
    async with Serving(snapshot([], [])) as serving:
        mesh = Mesh(serving.port, tmp_path)
        answer = await tell(mesh, "agent-1", description="x" * MAX_BODY)
        assert 413 == answer.status
        assert "at most" in answer.json()["error"]


async def test_much_to_look_for_among_many(tmp_path: Path) -> None:
    """It is found all the same, while others are answered."""
    async with Serving(snapshot([], [])) as serving:
        mesh = Mesh(serving.port, tmp_path)
        for index in range(4):
            tools = [{**PROVIDER, "tags": [f"t{number}"]} for number in range(200)]
            await tell(mesh, f"model-{index}", *tools)
        wanted = [{"llm_provider": {"capability": "llm", "tags": [f"t{number}"]}} for number in range(60)]
        answer = await tell(mesh, "caller", *wanted)
        providers = answer.json()["llm_providers"]
        assert {f"f{number}": f"f{number}" for number in range(60)} == {
            name: found["name"] for name, found in providers.items()
        }
        assert {"model-0"} == {found["agent_id"] for found in providers.values()}
