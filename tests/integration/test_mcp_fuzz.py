"""Clients that send anything at all to `/mcp`: every request ends in the protocol's words."""

from random import Random
from typing import Any

import orjson
import pytest

from harness.gateways import Serving, backend, provider, route, snapshot
from harness.mcp_calls import MODERN, READS, message, modern, modern_headers, post
from harness.mutations import mutated, revalued, seeded
from harness.tools import QUERY, ToolServer, tool, with_tools
from understudy.mock import Mock

ROUNDS = 150
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("complete_text", {"prompt": "Hello", "system": "Rhyme.", "temperature": 0.5, "provider": "one"}),
    ("complete_chat", {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], "n": 1}),
    ("process_chat_stream", {"request": {
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"type": "function", "function": {"name": "clock", "_mesh_endpoint": "http://x"}}],
        "model_params": {"output_schema": {"type": "object"}, "output_mode": "hint", "temperature": 1},
        "context": {"team": "us"},
    }}),
    ("get_metrics", {"provider": "one"}),
    ("search", {"query": "moon"}),
]  # fmt: skip
"""Names of tools, and arguments."""


@pytest.mark.parametrize("era", ["2025-11-25", MODERN])
@pytest.mark.parametrize(("name", "arguments"), ASKED, ids=[name for name, _ in ASKED])
async def test_whatever_is_sent_is_answered(name: str, arguments: dict[str, Any], era: str) -> None:
    """With a result, or with an error of the protocol, and never as if the gateway were at fault."""
    random = seeded()
    params = {"name": name, "arguments": arguments, "_meta": {"progressToken": 1}}
    asked = modern("tools/call", params) if era == MODERN else message("tools/call", params)
    headers = modern_headers("tools/call", name) if era == MODERN else READS
    async with Mock() as mock, ToolServer() as server:
        whole = snapshot([provider("one", mock.url)], [route("default", backend("one"))])
        configured = with_tools(whole, [tool("search", server.url(), parameters=QUERY)])
        async with Serving(configured) as gateway:
            for body in bodies(asked, random):
                told = await post(gateway.port, body, headers)
                assert told.answer.complete, body
                assert told.answer.status < 500, body
                for each in told.messages[-1:]:
                    assert isinstance(each, list) or {"result", "error"} & each.keys(), body
            await gateway.reaches("understudy_requests_in_flight", 0)
            assert [] == [line for line in gateway.log() if line["level"] == "error"]


def bodies(asked: dict[str, Any], random: Random) -> list[bytes]:
    """The request with something wrong in its bytes, and with something else in its fields."""
    good = orjson.dumps(asked)
    return [change(good, random) for change in (mutated, revalued) for _ in range(ROUNDS)]
