"""What a registry tells agents, field by field: the answer to a heartbeat, and the list of agents."""

from datetime import UTC, datetime
from typing import Any

import orjson

from understudy_proxy.mesh.agents import Registration, Status, Tags, Tool
from understudy_proxy.mesh.partners import Link, Links, Partners, Resolved
from understudy_proxy.mesh.registry import Entry

Fields = dict[str, Any]

_AVAILABLE, _UNAVAILABLE, _UNRESOLVED = "available", "unavailable", "unresolved"


def told_time(epoch_seconds: float) -> str:
    """A time as agents read it."""
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def welcomed(agent_id: str, found: Partners, *, new: bool, at: str) -> Fields:
    """The answer to a heartbeat that was taken."""
    return {
        "status": "success",
        "message": f"Agent {'registered' if new else 'updated'} via heartbeat",
        "agent_id": agent_id,
        "timestamp": at,
        "dependencies_resolved": _dependencies(found),
        "llm_tools": {
            function: [_llm_tool(agent, tool) for agent, tool in box] for function, box in found.toolboxes.items()
        },
        # Whoever finds none is told nothing: its library takes a key for an answer.
        "llm_providers": {each.function: _provider(each) for each in found.providers if each.offers},
    }


def turned_away(agent_id: str, why: str, *, at: str) -> Fields:
    """The answer to a heartbeat that was not taken, though it was one."""
    return {"status": "error", "message": why, "agent_id": agent_id, "timestamp": at}


def listed(entry: Entry, *, healthy: frozenset[str], created: str, seen: str) -> Fields:
    """An agent in the list; `healthy` are the ids of those who are well."""
    told, links = entry.told, entry.links
    well = entry.status is Status.HEALTHY
    resolved = [each for each in links.dependencies if each.agent_id]
    return {
        "id": told.id,
        "name": told.name,
        "agent_type": told.type,
        "runtime": told.runtime,
        "version": told.version,
        "description": told.description,
        "status": entry.status,
        "endpoint": told.endpoint,
        "created_at": created,
        "last_seen": seen,
        "capabilities": [_capability(tool, available=well) for tool in told.tools],
        "total_dependencies": sum(len(tool.dependencies) for tool in told.tools),
        "dependencies_resolved": len(resolved),
        **_resolutions(links, healthy),
    }


def _dependencies(found: Partners) -> Fields:
    """Each at the place at which it was asked for, by function."""
    by_function: Fields = {}
    for each in found.dependencies:
        by_function.setdefault(each.function, []).append(_dependency(each))
    return by_function


def _dependency(resolved: Resolved) -> Fields:
    capability = resolved.wanted.capability
    if not resolved.offers:
        return {"agent_id": "", "endpoint": "", "function_name": "", "capability": capability, "status": _UNRESOLVED}
    agent, tool = resolved.offers[0]
    return {
        "agent_id": agent.id,
        "function_name": tool.function,
        "endpoint": agent.endpoint,
        "capability": tool.capability,
        "status": _AVAILABLE,
        **_kwargs(tool),
    }


def _llm_tool(agent: Registration, tool: Tool) -> Fields:
    return {
        "name": tool.function,
        "capability": tool.capability,
        "description": tool.description,
        "inputSchema": orjson.Fragment(tool.schema or b"{}"),
        "tags": tool.tags,
        "version": tool.version,
        "endpoint": agent.address,
    }


def _provider(resolved: Resolved) -> Fields:
    agent, tool = resolved.offers[0]
    return {
        "agent_id": agent.id,
        "name": tool.function,
        "endpoint": agent.address,
        "capability": tool.capability,
        "status": _AVAILABLE,
        "tags": tool.tags,
        "version": tool.version,
        "vendor": tool.vendor,
        **_kwargs(tool),
    }


def _kwargs(tool: Tool) -> Fields:
    return {} if tool.kwargs is None else {"kwargs": orjson.Fragment(tool.kwargs)}


def _capability(tool: Tool, *, available: bool) -> Fields:
    shown: Fields = {
        "name": tool.capability,
        "version": tool.version,
        "function_name": tool.function,
        "tags": tool.tags,
        "description": tool.description,
        "available": available,
    }
    if not available:
        shown["unavailable_reason"] = "agent unhealthy"
    if tool.llm_filter is not None:
        shown["llm_filter"] = orjson.Fragment(tool.llm_filter.shown)
    if tool.llm_provider is not None:
        wanted = tool.llm_provider
        version = {"version": wanted.version} if wanted.version else {}
        shown["llm_provider"] = {"capability": wanted.capability, **_tags("tags", wanted.tags), **version}
    return shown


def _resolutions(links: Links, healthy: frozenset[str]) -> Fields:
    return {
        "dependency_resolutions": [
            {
                "function_name": link.function,
                "capability": link.wanted.capability,
                **_tags("tags", link.wanted.tags),
                **_found(link, healthy),
            }
            for link in links.dependencies
        ],
        "llm_tool_resolutions": [
            {
                "function_name": link.function,
                "filter_capability": link.wanted.capability,
                **_tags("filter_tags", link.wanted.tags),
                "filter_mode": link.mode,
                **({"provider_capability": link.capability} if link.agent_id else {}),
                **_found(link, healthy),
            }
            for link in links.tools
        ],
        "llm_provider_resolutions": [
            {
                "function_name": link.function,
                "required_capability": link.wanted.capability,
                **_tags("required_tags", link.wanted.tags),
                **_found(link, healthy),
            }
            for link in links.providers
        ],
    }


def _found(link: Link, healthy: frozenset[str]) -> Fields:
    if not link.agent_id:
        return {"status": _UNRESOLVED}
    return {
        "mcp_tool": link.tool,
        "provider_agent_id": link.agent_id,
        "endpoint": link.endpoint,
        "status": _AVAILABLE if link.agent_id in healthy else _UNAVAILABLE,
    }


def _tags(name: str, tags: Tags) -> Fields:
    return {name: tags} if tags else {}
