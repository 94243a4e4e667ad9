"""A canonical request as a call of an agent's tool.

What the tool is called is the agent's own business, and so is what it knows beyond the first agents of the field: the
body is put together once it is known which agent is asked.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import Role, Text
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.mesh.messages import write_messages
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.unsaid import unsaid
from understudy_proxy.routing.places import Agent

PATH = "/mcp"
_ACCEPT = ("accept", "application/json, text/event-stream")
_MESH = "A mesh"
_FORMAT_NAME = "Answer"
_UNTOLD = ("top_k", "frequency_penalty", "presence_penalty", "seed")
"""Not every agent's vendor knows them, and one that does not refuses the request."""


def encode(chat: Chat, candidate: Candidate) -> Call:
    """What to send to an agent.

    Raises:
        RequestError: the request is wrong.
        Unsupported: agents cannot be told.
    """
    _check(chat)
    seconds = max(1, int(candidate.upstream.timeouts.request_seconds))
    return Call(
        PATH,
        b"",
        headers=(_ACCEPT, ("x-mesh-timeout", str(seconds))),
        warnings=tuple(_warnings(chat)),
        calling=_calling(chat, candidate),
        may_come_whole=True,
    )


def _calling(chat: Chat, candidate: Candidate) -> Callable[[Agent], bytes]:
    """The body for an agent. Made before one is chosen, so that what is wrong with a request is known by then."""
    named = _arguments(chat, candidate, schema=True)
    # Agents that do not stream are of the time when a schema was said in words.
    in_words = _arguments(chat, candidate, schema=False) if chat.format and chat.format.schema else named
    # A tool that streams tells words alone; calls of tools come from the one that does not.
    streams = chat.stream and not chat.tools

    def calling(agent: Agent) -> bytes:
        arguments = in_words if agent.streamed is None else named
        name = agent.streamed if streams and agent.streamed else agent.whole
        token = b',"_meta":{"progressToken":1}' if name == agent.streamed else b""
        return b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%b,"arguments":%b%b}}' % (
            orjson.dumps(name),
            arguments,
            token,
        )

    return calling


def _arguments(chat: Chat, candidate: Candidate, *, schema: bool) -> bytes:
    params: dict[str, Any] = {
        "temperature": chat.sampling.temperature,
        "top_p": chat.sampling.top_p,
        "max_tokens": chat.max_tokens,
    }
    if candidate.upstream_model != candidate.model:
        params["model"] = candidate.upstream_model
    if chat.format is not None:
        if schema and chat.format.schema is not None:
            params |= {"output_schema": chat.format.schema, "output_type_name": chat.format.name or _FORMAT_NAME}
        else:
            chat = replace(chat, system=(*chat.system, Text(_in_words(chat.format))))
    tools, choice = _offered(chat)
    if choice is not None:
        params["tool_choice"] = {"type": "function", "function": {"name": choice}}
    request: dict[str, Any] = {
        "messages": write_messages(chat.system, chat.messages),
        "tools": [_tool(tool) for tool in tools] or None,
        "model_params": {name: value for name, value in params.items() if value is not None} or None,
        "context": None,
        "request_id": None,
        "caller_agent": None,
    }
    return written({"request": request})


def _in_words(wanted: JsonFormat) -> str:
    if wanted.schema is None:
        return "Answer with one JSON object, and with nothing else."
    schema = orjson.dumps(wanted.schema).decode()
    return f"Answer with one JSON object that meets this JSON Schema, and with nothing else: {schema}"


def _offered(chat: Chat) -> tuple[tuple[Tool, ...], str | None]:
    """The tools that may be called, and the one that must be."""
    tools, choice = chat.tools, chat.tool_choice or ToolChoice(ToolMode.AUTO)
    if choice.mode is ToolMode.NONE:
        return (), None
    if choice.names:
        tools = tuple(tool for tool in tools if tool.name in choice.names)
    if choice.mode is ToolMode.AUTO:
        return tools, None
    if not tools:
        raise RequestError(
            "'tool_choice' asks for a tool that is not among 'tools'.", code="invalid_value", param="tool_choice"
        )
    if len(tools) > 1:
        raise Unsupported("Agents of a mesh cannot be told to call any tool, only a certain one.", param="tool_choice")
    return tools, tools[0].name


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    return {"type": "function", "function": function}


def _check(chat: Chat) -> None:
    """What changes the meaning of an answer and cannot be said to an agent."""
    if chat.choices > 1:
        raise Unsupported("Agents of a mesh give one answer.", param="n")
    if chat.sampling.logprobs:
        raise Unsupported("Agents of a mesh tell no logprobs.", param="logprobs")
    if chat.sampling.stop:
        raise Unsupported("Agents of a mesh take no stop sequences.", param="stop")
    if chat.messages and chat.messages[-1].role is Role.ASSISTANT:
        raise Unsupported("Agents of a mesh do not go on with an answer that was begun.", param="messages")


def _warnings(chat: Chat) -> list[str]:
    warnings = unsaid(chat, _MESH)
    untold = (name for name in _UNTOLD if getattr(chat.sampling, name) is not None)
    warnings += [f"{_MESH} has no '{name}' that every agent knows: it was not sent." for name in untold]
    if chat.reasoning is not None:
        warnings.append("What was said about reasoning was left out: agents of a mesh cannot be told.")
    return warnings
