"""`docs/mcp.md`: its commands run as they stand, against the example of tools with a mock for the provider."""

import json
import shutil
from pathlib import Path

import pytest

from harness.consoles import shown
from harness.examples import example_gateway
from harness.mcp_calls import listed
from harness.pages import blocks, page
from harness.shop import USUAL, open_shop
from understudy.mock import Mock

PAGE = page("docs/mcp.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_commands_of_the_page(tmp_path: Path) -> None:
    """Each prints what the page shows, and each tool of the gateway's own is on the page."""
    commands = list(shown(PAGE))
    assert [] != commands
    async with (
        open_shop(tmp_path) as shop,
        Mock() as mock,
        example_gateway("tools", mock, folder=tmp_path, moved={USUAL: shop}) as serve,
    ):
        for command in commands:
            await command.runs_as_shown(port=serve.port)
        tools = await listed(serve.port)
    assert {"find_book", "stock"} < set(tools)
    assert [] == [name for name in set(tools) - {"find_book", "stock"} if f"`{name}`" not in PAGE]


def test_what_clients_are_given() -> None:
    """The entry for a client's settings is JSON."""
    (block,) = blocks(PAGE, "json")
    assert "/mcp" in json.loads(block.text)["mcpServers"]["understudy"]["url"]
