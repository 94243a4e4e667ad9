"""The client of `mcp` 2.x: by itself it asks whether the server speaks the newer era; `mode` makes it choose."""

from typing import Any

from mcp.client.client import Client

from harness.mcp_sdks.deeds import Listener, serve, told


async def _have(task: dict[str, Any]) -> dict[str, Any]:
    async with Client(task["url"], mode=task.get("mode", "auto")) as client:
        done = [await _do(client, deed) for deed in task["deeds"]]
        server = client.server_info
        return {
            "version": client.protocol_version,
            "server": server.name if server else None,
            "instructions": client.instructions,
            "done": done,
        }


async def _do(client: Client, deed: dict[str, Any]) -> dict[str, Any]:
    try:
        if deed["do"] == "list":
            listed = await client.list_tools()
            return {"tools": [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools]}
        return await _call(client, deed)
    except Exception as raised:  # noqa: BLE001 - whatever the client raises is what its user gets
        return told(raised)


async def _call(client: Client, deed: dict[str, Any]) -> dict[str, Any]:
    listener = Listener(leave_after=deed.get("leave_after"))
    progress = listener if deed.get("progress") else None
    call = client.call_tool(deed["name"], deed["arguments"], progress_callback=progress)
    result = await listener.until_enough(call)
    if result is None:
        return {"left": True, "progress": listener.heard}
    return {
        "text": [block.text for block in result.content],
        "structured": result.structured_content,
        "failed": result.is_error,
        "meta": result.meta,
        "progress": listener.heard,
    }


if __name__ == "__main__":
    serve(_have)
