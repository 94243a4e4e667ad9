"""The functions that a request to the Responses API offers, and those it wants called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.mock.asks import Tool
from understudy.mock.dialects.openai_fields import field
from understudy.mock.failures import RefusedError, bad_request


@dataclass(frozen=True, slots=True)
class Offered:
    """The functions that an answer may call, and the one that it has to call, if any."""

    allowed: tuple[Tool, ...]
    forced: tuple[Tool, ...] = ()


def read_tools(body: Mapping[str, Any]) -> Offered:
    """Read `tools` and `tool_choice`. Of several functions one of which has to be called, it is the first."""
    tools = _functions(body)
    choice = body.get("tool_choice")
    allowed = tuple(tools.values())
    if isinstance(choice, dict):
        if choice.get("type") == "allowed_tools":
            allowed = tuple(_named(tools, one) for one in field(choice, "tools", list) or [])
            choice = choice.get("mode")
        elif choice.get("type") == "function":
            return Offered((_named(tools, choice),), (_named(tools, choice),))
        else:
            choice = "auto"  # A tool of OpenAI's own, which a mock has not.
    if choice not in (None, "none", "auto", "required"):
        raise bad_request("'tool_choice' has to be none, auto, required, or name a tool.", param="tool_choice")
    if choice == "required" and not allowed:
        raise bad_request("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")
    return Offered(() if choice == "none" else allowed, allowed[:1] if choice == "required" else ())


def _functions(body: Mapping[str, Any]) -> dict[str, Tool]:
    tools = {}
    for place, tool in enumerate(field(body, "tools", list) or []):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if not isinstance(kind, str):
            raise missing(f"tools[{place}].type")
        if kind != "function":
            continue  # A tool of OpenAI's own: offered, but nothing a mock would call.
        name = tool.get("name")
        if not isinstance(name, str) or not name:
            raise missing(f"tools[{place}].name")
        tools[name] = Tool(name, field(tool, "parameters", dict) or {"type": "object"})
    return tools


def _named(tools: Mapping[str, Tool], choice: Any) -> Tool:
    name = choice.get("name") if isinstance(choice, dict) else None
    if not isinstance(name, str) or name not in tools:
        raise bad_request(f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")
    return tools[name]


def missing(param: str) -> RefusedError:
    """The refusal of a request that lacks a field, or has it with a wrong type."""
    return bad_request(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
