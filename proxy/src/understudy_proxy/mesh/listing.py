"""The agents that a registry lists, as whoever reads `GET /agents` knows them.

A list says of a function neither what it takes nor whose model is behind it. What cannot be read of a list is left out.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_proxy.mesh.agents import DEFAULT_VERSION, Status

MAX_LISTING = 16 * 1024 * 1024
"""Bytes of a list that are read."""
_MAX_AGENTS, _MAX_FUNCTIONS, _MAX_TAGS, _MAX_WORD = 1000, 256, 64, 128


class NoListing(Exception):
    """What came is no list of agents; the message says why."""


@dataclass(frozen=True, slots=True)
class ListedFunction:
    """A function of an agent."""

    name: str
    capability: str
    version: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedAgent:
    """An agent that is well."""

    id: str
    endpoint: str
    """Where it is called, without `/mcp`."""
    functions: tuple[ListedFunction, ...]


def read_listing(raw: bytes) -> tuple[ListedAgent, ...]:
    """The agents that are well, in the registry's order.

    Raises:
        NoListing: it is no list.
    """
    try:
        listing = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise NoListing("it is no JSON") from None
    if not isinstance(listing, dict) or "agents" not in listing:
        raise NoListing("it is no list of agents")
    agents = listing["agents"]
    if agents is not None and not isinstance(agents, list):
        raise NoListing("it is no list of agents")
    well = (agent for agent in agents or () if isinstance(agent, dict) and agent.get("status") == Status.HEALTHY)
    read = [found for agent in well if (found := _agent(agent)) is not None]
    return tuple(read[:_MAX_AGENTS])


def _agent(agent: dict[str, Any]) -> ListedAgent | None:
    agent_id, endpoint = _word(agent.get("id")), agent.get("endpoint")
    if not agent_id or not isinstance(endpoint, str) or len(endpoint) > _MAX_WORD * 4:
        return None
    capabilities = agent.get("capabilities")
    listed = capabilities[:_MAX_FUNCTIONS] if isinstance(capabilities, list) else []
    return ListedAgent(agent_id, endpoint, tuple(_functions(listed)))


def _functions(listed: list[Any]) -> list[ListedFunction]:
    functions: list[ListedFunction] = []
    for each in listed:
        if not isinstance(each, dict) or each.get("available") is False:
            continue
        name, capability = _word(each.get("function_name")), _word(each.get("name"))
        tags = each.get("tags")
        if name and capability:
            told = tags[:_MAX_TAGS] if isinstance(tags, list) else []
            words = tuple(tag for tag in map(_word, told) if tag)
            functions.append(ListedFunction(name, capability, _word(each.get("version")) or DEFAULT_VERSION, words))
    return functions


def _word(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_WORD else ""
