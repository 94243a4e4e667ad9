"""A canonical request in Ollama's words."""

from typing import Any

import orjson

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat, Tool, ToolMode
from understudy_proxy.dialects.canonical.content import Image, Text, ToolCall, ToolResult
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.ollama.messages import write_messages
from understudy_proxy.dialects.ollama.options import write_options
from understudy_proxy.dialects.request_error import RequestError, Unsupported

CHAT = "/api/chat"
_NO_PARAMETERS = {"type": "object", "properties": {}}
_DETAILS = frozenset({None, "auto"})


def encode(chat: Chat, candidate: Candidate) -> Call:
    """What to send to `candidate`.

    Raises:
        RequestError: the request is wrong.
        Unsupported: Ollama cannot do what it asks for.
    """
    warnings = _unsaid(chat)
    body: dict[str, Any] = {
        "model": candidate.upstream_model,
        "messages": write_messages(chat.system, chat.messages),
        # Without it the answer would be a stream.
        "stream": chat.stream,
    }
    if tools := _tools(chat, warnings):
        body["tools"] = tools
    write_options(chat, body, candidate, warnings)
    return Call(CHAT, dumped(body), warnings=tuple(warnings))


def declaration_of(tool: Tool) -> dict[str, Any]:
    """A function as it is declared."""
    function: dict[str, Any] = {
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def dumped(body: dict[str, Any]) -> bytes:
    """The bytes of a body.

    Raises:
        RequestError: it is nested too deeply to be written.
    """
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise RequestError("The body of the request is nested too deeply: at most 254 levels can be sent on.") from None


def _tools(chat: Chat, warnings: list[str]) -> list[dict[str, Any]]:
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
    if chat.parallel_tool_calls is False:
        warnings.append("Ollama cannot be kept from calling several tools at once: parallel_tool_calls was not sent.")
    if any(tool.strict for tool in tools):
        warnings.append("Ollama does not hold a model to a tool's schema: strict was not sent.")
    return [declaration_of(tool) for tool in tools]


def _unsaid(chat: Chat) -> list[str]:
    """What of a request Ollama has no word for, and changes nothing in the answer's meaning."""
    missing = [f"Ollama has no '{name[:64]}': it was not sent." for name in chat.extra]
    if chat.user is not None:
        missing.append("Ollama is not told whom an answer is for: user was not sent.")
    if chat.service_tier is not None:
        missing.append("Ollama has no service tiers: service_tier was not sent.")
    if _has_cache_marks(chat):
        missing.append("Ollama caches by itself: cache marks were not sent.")
    if any(isinstance(part, Image) and part.detail not in _DETAILS for turn in chat.messages for part in turn.parts):
        missing.append("Ollama has no detail of an image: it was not sent.")
    return missing


def _has_cache_marks(chat: Chat) -> bool:
    parts = (part for message in chat.messages for part in message.parts)
    return (
        any(text.cache for text in chat.system)
        or any(tool.cache for tool in chat.tools)
        or any(isinstance(part, (Text, Image, ToolCall, ToolResult)) and part.cache for part in parts)
    )
