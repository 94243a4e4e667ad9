"""What an agent of the Python client serves, before both generations of MCP's own client."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness.drivers import driver
from harness.missing import Missing
from harness.sdks import sdk_python
from understudy import AgentRequest, llm_provider

WAYS = [
    pytest.param("first", "mcp-1", None, id="1.x"),
    pytest.param("second", "mcp-2", "auto", id="2.x by itself"),
    pytest.param("second", "mcp-2", "legacy", id="2.x with a handshake"),
]


@llm_provider(tags=["echo"], registry="http://127.0.0.1:1")
def echo(request: AgentRequest) -> Iterator[str]:
    """Says what it is told."""
    yield "You said "
    yield request.text


ASKED = {"request": {"messages": [{"role": "user", "content": "Hi"}]}}


@pytest.mark.parametrize(("generation", "sdk", "mode"), WAYS)
async def test_a_client_of_the_protocol(tmp_path: Path, generation: str, sdk: str, mode: str | None) -> None:
    """Sees both functions, and is answered whole, in pieces, and with what is wrong."""
    try:
        python = await asyncio.to_thread(sdk_python, sdk)
    except Missing as missing:
        pytest.skip(str(missing))
    deeds: list[dict[str, Any]] = [
        {"do": "list"},
        {"do": "call", "name": "process_chat", "arguments": ASKED},
        {"do": "call", "name": "process_chat_stream", "arguments": ASKED, "progress": True},
        {"do": "call", "name": "process_chat", "arguments": {"request": {}}},
        {"do": "call", "name": "process_chats", "arguments": ASKED},
    ]
    async with echo as agent, driver(python, f"harness.mcp_sdks.{generation}", folder=tmp_path, environment={}) as one:
        task = {"url": f"{agent.endpoint}/mcp", "deeds": deeds, **({"mode": mode} if mode else {})}
        listed, whole, streamed, wrong, missing_tool = (await one.ask(task))["done"]
    assert [each["name"] for each in listed["tools"]] == ["process_chat", "process_chat_stream"]
    answer = {"role": "assistant", "content": "You said Hi"}
    assert whole["structured"] == json.loads(whole["text"][0]) == streamed["structured"] == answer
    frames = [json.loads(message) for _, _, message in streamed["progress"]]
    assert [each.get("content") for each in frames] == ["You said ", "Hi", None]
    assert [each["_mesh_frame"] for each in frames] == ["chunk", "chunk", "end"]
    assert wrong["failed"]
    assert "'request.messages' must be a list" in wrong["text"][0]
    assert missing_tool["failed"]
    assert "there is no tool process_chats" in missing_tool["text"][0]


async def test_a_page_of_another_house() -> None:
    """A browser's page cannot ask an agent of this machine, by whatever name it reaches it."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with echo as agent, httpx2.AsyncClient(headers={"accept": "application/json, text/event-stream"}) as client:
        url = f"{agent.endpoint}/mcp"
        assert (await client.post(url, json=call)).status_code == 200
        assert (await client.post(url, json=call, headers={"origin": "http://evil.example"})).status_code == 403
        assert (await client.post(url, json=call, headers={"host": "evil.example"})).status_code == 421


async def test_a_port_that_is_taken() -> None:
    """Is said at once, and the agent may be started elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        agent = llm_provider(name="taken", port=port, registry="http://127.0.0.1:1")(lambda request: request.text)
        with pytest.raises(OSError, match="in use"):
            await asyncio.to_thread(agent.start)
    await asyncio.to_thread(agent.start)
    assert agent.endpoint is not None
    await asyncio.to_thread(agent.stop)
