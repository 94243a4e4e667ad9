"""Who is in the mesh, as time passes."""

from dataclasses import replace

import pytest

from understudy_proxy.mesh.agents import AgentType, Registration, Status, Tool, ToolFilter, Wanted
from understudy_proxy.mesh.partners import MAX_FOUND, Partners, find_partners
from understudy_proxy.mesh.registry import (
    FORGOTTEN_SECONDS,
    MAX_AGENTS,
    MAX_BYTES,
    MAX_TOOLS,
    SILENT_SECONDS,
    Beat,
    Full,
    Registry,
)

MODEL = Tool("process_chat", "llm", tags=("claude",), schema=b"{}")
HOUSE = Registration("understudy-1", "understudy", host="here", port=8080, tools=(MODEL,))


def an_agent(agent_id: str, *tools: Tool, size: int = 100, type: AgentType = AgentType.MCP_AGENT) -> Registration:  # noqa: A002
    """An agent."""
    return Registration(agent_id, agent_id, type=type, host=agent_id, port=9000, tools=tools, size=size)


def partners(
    registry: Registry, agent: Registration, *, now: float = 0.0, house: Registration | None = None
) -> Partners:
    """Whom an agent finds that comes."""
    return find_partners(agent, registry.register(agent, house=house, now=now).agents)


def came(registry: Registry, agent: Registration, *, now: float = 0.0, house: Registration | None = None) -> str:
    """The provider that an agent found that came."""
    found = partners(registry, agent, now=now, house=house)
    return found.providers[0].offers[0].agent.id if found.providers and found.providers[0].offers else ""


def statuses(registry: Registry, *, now: float) -> dict[str, Status]:
    """How all agents fare."""
    return {entry.told.id: entry.status for entry in registry.entries(now=now)}


def test_silence() -> None:
    """Who is not heard of is gone; then has to tell all of itself, and is as good as new."""
    registry = Registry()
    came(registry, an_agent("a"))
    assert Beat.KNOWN is registry.beat("a", now=SILENT_SECONDS - 0.1)
    assert {"a": Status.HEALTHY} == statuses(registry, now=2 * SILENT_SECONDS - 0.2)
    assert {"a": Status.UNHEALTHY} == statuses(registry, now=2 * SILENT_SECONDS)
    assert {Status.HEALTHY: 0, Status.UNHEALTHY: 1} == registry.counts(now=2 * SILENT_SECONDS)
    assert Beat.UNKNOWN is registry.beat("a", now=2 * SILENT_SECONDS)
    came(registry, an_agent("a"), now=2 * SILENT_SECONDS)
    assert Beat.KNOWN is registry.beat("a", now=2 * SILENT_SECONDS)


def test_oblivion() -> None:
    """Who was gone for long is not listed any more, and nobody's place is taken by it."""
    registry = Registry()
    came(registry, an_agent("a"))
    came(registry, an_agent("b"), now=FORGOTTEN_SECONDS - 1)
    assert ["a", "b"] == list(statuses(registry, now=FORGOTTEN_SECONDS - 0.1))
    assert ["b"] == list(statuses(registry, now=FORGOTTEN_SECONDS))
    registry.leave("a", now=FORGOTTEN_SECONDS)
    assert Beat.UNKNOWN is registry.beat("a", now=FORGOTTEN_SECONDS)


def test_others_hear_of_silence() -> None:
    """As of anybody who leaves; of those who only call others nobody hears."""
    registry = Registry()
    came(registry, an_agent("caller", type=AgentType.API))
    came(registry, an_agent("a"))
    assert Beat.KNOWN is registry.beat("a", now=SILENT_SECONDS - 1)
    assert Beat.KNOWN is registry.beat("a", now=SILENT_SECONDS + 1)
    came(registry, an_agent("b"), now=SILENT_SECONDS + 1)
    came(registry, an_agent("a"), now=2 * SILENT_SECONDS)
    assert Beat.KNOWN is registry.beat("a", now=2 * SILENT_SECONDS)
    assert Beat.CHANGED is registry.beat("a", now=2 * SILENT_SECONDS + 1)


def test_what_the_gateway_offers_is_news() -> None:
    """A configuration with other routes reaches agents as an agent that came would."""
    registry = Registry()
    came(registry, an_agent("a"))
    registry.changed()
    assert Beat.CHANGED is registry.beat("a", now=1)


def test_the_gateway_steps_in() -> None:
    """It is found by whoever finds nobody else, and by tags like anybody."""
    registry = Registry()
    asking = an_agent("caller", Tool("ask", "ask", llm_provider=Wanted("llm")))
    assert "understudy-1" == came(registry, asking, house=HOUSE)
    came(registry, an_agent("model", MODEL))
    assert "model" == came(registry, asking, house=HOUSE)
    registry.leave("model", now=0)
    assert "understudy-1" == came(registry, asking, house=HOUSE)


def test_everything_else_there_is() -> None:
    """For a model that may use all tools, but for its own agent's."""
    registry = Registry()
    came(registry, an_agent("a", Tool("one", "x", schema=b"{}"), Tool("hidden", "x")))
    chosen = ToolFilter((), "*", b"{}")
    told = an_agent("b", Tool("own", "y", schema=b"{}"), Tool("ask", "ask", llm_filter=chosen))
    found = partners(registry, told)
    assert ["one"] == [offer.tool.function for offer in found.toolboxes["ask"]]


def test_the_best_of_each_capability() -> None:
    """For a model that is to have one tool for each."""
    registry = Registry()
    tools = (Tool("old", "x", schema=b"{}", tags=("t",)), Tool("new", "x", version="2.0.0", schema=b"{}", tags=("t",)))
    came(registry, an_agent("a", *tools))
    chosen = ToolFilter((Wanted("x", ("t",)),), "best_match", b"{}")
    found = partners(registry, an_agent("b", Tool("ask", "ask", llm_filter=chosen)))
    assert ["new"] == [offer.tool.function for offer in found.toolboxes["ask"]]


def test_no_more_tools_than_a_model_takes() -> None:
    """However many there are."""
    registry = Registry()
    came(registry, an_agent("a", *(Tool(f"t{index}", "x", schema=b"{}") for index in range(MAX_FOUND + 5))))
    chosen = ToolFilter((Wanted("x"),), "all", b"{}")
    found = partners(registry, an_agent("b", Tool("ask", "ask", llm_filter=chosen)))
    assert MAX_FOUND == len(found.toolboxes["ask"])


@pytest.mark.parametrize(
    ("agents", "one_more"),
    [
        pytest.param([an_agent(f"a{index}") for index in range(MAX_AGENTS)], an_agent("b"), id="agents"),
        pytest.param([an_agent("a", *[MODEL] * MAX_TOOLS)], an_agent("b", MODEL), id="tools"),
        pytest.param([an_agent("a", size=MAX_BYTES)], an_agent("b", size=1), id="bytes"),
    ],
)
def test_no_more_than_there_is_room_for(agents: list[Registration], one_more: Registration) -> None:
    """Who is there stays and may say more or less of itself; who is gone makes room."""
    registry = Registry()
    for agent in agents:
        came(registry, agent)
    with pytest.raises(Full, match="no room"):
        came(registry, one_more)
    came(registry, replace(agents[0], version="2"))
    assert Beat.UNKNOWN is registry.beat("b", now=1)
    registry.leave(agents[0].id, now=1)
    came(registry, one_more, now=1)
    assert agents[0].id not in statuses(registry, now=1)
    assert len(agents) == len(statuses(registry, now=1))
