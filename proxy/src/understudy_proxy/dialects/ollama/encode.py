"""A canonical request in Ollama's words."""

from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.chat import Chat, Tool, ToolMode
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.ollama.messages import write_messages
from understudy_proxy.dialects.ollama.options import write_options
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.unsaid import unsaid

CHAT = "/api/chat"
_NO_PARAMETERS = {"type": "object", "properties": {}}


def encode(chat: Chat, candidate: Candidate) -> Call:
    """What to send to `candidate`.

    Raises:
        RequestError: the request is wrong.
        Unsupported: Ollama cannot do what it asks for.
    """
    warnings = unsaid(chat, "Ollama")
    body: dict[str, Any] = {
        "model": candidate.upstream_model,
        "messages": write_messages(chat.system, chat.messages),
        # Without it the answer would be a stream.
        "stream": chat.stream,
    }
    if tools := _tools(chat):
        body["tools"] = tools
    write_options(chat, body, candidate, warnings)
    return Call(CHAT, written(body), warnings=tuple(warnings))


def declaration_of(tool: Tool) -> dict[str, Any]:
    """A function as it is declared."""
    function: dict[str, Any] = {
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _tools(chat: Chat) -> list[dict[str, Any]]:
    """The tools that may be called. Whether one must be is nothing that Ollama could be told."""
    tools, choice = chat.tools, chat.tool_choice
    if not tools:
        return []
    if choice is not None:
        if choice.mode is ToolMode.NONE:
            return []
        if choice.mode is ToolMode.REQUIRED:
            raise Unsupported(
                "Ollama cannot be told that a tool must be called: leave it to the model, or ask another provider.",
                param="tool_choice",
            )
        tools = tuple(tool for tool in tools if not choice.names or tool.name in choice.names)
    return [declaration_of(tool) for tool in tools]
