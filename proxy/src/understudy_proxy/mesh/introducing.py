"""What an agent tells a registry of itself: the body of a heartbeat, for registries of any version."""

from datetime import UTC, datetime
from typing import Any

import orjson

from understudy_proxy.mesh.agents import Registration, Tool


def introduction(told: Registration, *, epoch_seconds: float) -> bytes:
    """The body; `epoch_seconds` is now."""
    return orjson.dumps(
        {
            "agent_id": told.id,
            "name": told.name,
            "agent_type": told.type,
            "runtime": told.runtime,
            "version": told.version,
            "description": told.description,
            "http_host": told.host,
            "http_port": told.port,
            "namespace": told.namespace,
            "status": "healthy",
            "timestamp": datetime.fromtimestamp(epoch_seconds, UTC).isoformat(),
            "tools": [_tool(tool) for tool in told.tools],
        }
    )


def _tool(tool: Tool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "function_name": tool.function,
        "capability": tool.capability,
        "version": tool.version,
        "tags": tool.tags,
        "description": tool.description,
        "dependencies": [],
    }
    if tool.schema is not None:
        told["inputSchema"] = orjson.Fragment(tool.schema)
    if tool.kwargs is not None:
        told["kwargs"] = orjson.Fragment(tool.kwargs)
    return told
