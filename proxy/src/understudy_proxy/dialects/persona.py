"""A conversation as a persona makes it: its prompt first, its parameters, its tools beside the client's own.

A persona's parameters and tools are written in OpenAI's words, whatever dialects the client and the provider speak.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.dialects.canonical.chat import Chat, Tool
from understudy_proxy.dialects.canonical.content import Text


def applied(prompt: Prompt, chat: Chat) -> Chat:
    """The conversation with what `prompt` adds."""
    if prompt.system:
        chat = replace(chat, system=(Text(prompt.system), *chat.system))
    if prompt.tools:
        declared = tuple(_tool(tool) for tool in prompt.tools)
        names = {tool.name for tool in declared}
        chat = replace(chat, tools=(*(tool for tool in chat.tools if tool.name not in names), *declared))
    return chat


def _tool(tool: Mapping[str, Any]) -> Tool:
    function = tool["function"]
    return Tool(function["name"], function.get("description"), function.get("parameters"), function.get("strict"))
