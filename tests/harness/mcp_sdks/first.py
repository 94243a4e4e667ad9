"""The client of `mcp` 1.x: it begins with a handshake."""
# Checked against 2.x, which is what this project's own environment has.
# mypy: disable-error-code="attr-defined,misc"

from typing import Any

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from harness.mcp_sdks.deeds import Listener, serve, told


async def _have(task: dict[str, Any]) -> dict[str, Any]:
    async with streamable_http_client(task["url"]) as (reading, writing, session_id):
        async with ClientSession(reading, writing) as session:
            begun = await session.initialize()
            done = [await _do(session, deed) for deed in task["deeds"]]
        return {
            "version": begun.protocolVersion,
            "server": begun.serverInfo.name,
            "session": session_id(),
            "done": done,
        }


async def _do(session: ClientSession, deed: dict[str, Any]) -> dict[str, Any]:
    try:
        if deed["do"] == "list":
            listed = await session.list_tools()
            return {"tools": [tool.model_dump(mode="json", exclude_none=True) for tool in listed.tools]}
        return await _call(session, deed)
    except Exception as raised:  # noqa: BLE001 - whatever the client raises is what its user gets
        return told(raised)


async def _call(session: ClientSession, deed: dict[str, Any]) -> dict[str, Any]:
    listener = Listener(leave_after=deed.get("leave_after"))
    progress = listener if deed.get("progress") else None
    call = session.call_tool(deed["name"], deed["arguments"], progress_callback=progress)
    result = await listener.until_enough(call)
    if result is None:
        return {"left": True, "progress": listener.heard}
    return {
        "text": [block.text for block in result.content],
        "structured": result.structuredContent,
        "failed": result.isError,
        "meta": result.meta,
        "progress": listener.heard,
    }


if __name__ == "__main__":
    serve(_have)
