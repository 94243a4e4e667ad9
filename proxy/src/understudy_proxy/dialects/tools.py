"""Tools and the choice among them, in OpenAI's words: a client's, and a persona's whatever the client speaks."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.canonical.chat import Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import CacheMark
from understudy_proxy.dialects.fields import (
    array,
    invalid,
    mapping,
    missing,
    optional_boolean,
    optional_mapping,
    optional_string,
    shown,
    string,
    unknown,
)
from understudy_proxy.dialects.request_error import Unsupported

_TTLS = frozenset({"5m", "1h"})


def read_tools(value: Any, param: str = "tools") -> tuple[Tool, ...]:
    """The functions of `tools`.

    Raises:
        RequestError: one of them is wrong.
        Unsupported: one of them is no function.
    """
    return tuple(_tool(mapping(tool, f"{param}[{i}]"), f"{param}[{i}]") for i, tool in enumerate(array(value, param)))


def read_functions(value: Any, param: str = "functions") -> tuple[Tool, ...]:
    """The functions of the older `functions`."""
    return tuple(
        _function(mapping(function, f"{param}[{i}]"), f"{param}[{i}]") for i, function in enumerate(array(value, param))
    )


def read_tool_choice(value: Any, param: str) -> ToolChoice:
    """What `tool_choice` says.

    Raises:
        RequestError: nothing that it may say.
        Unsupported: it asks for a tool that is no function.
    """
    if type(value) is str:
        return ToolChoice(_mode(value, param))
    choice = mapping(value, param)
    match choice.get("type"):
        case "function":
            return ToolChoice(ToolMode.REQUIRED, (_named(choice, param),))
        case "allowed_tools":
            allowed = mapping(choice.get("allowed_tools"), f"{param}.allowed_tools")
            path = f"{param}.allowed_tools"
            tools = array(allowed.get("tools"), f"{path}.tools")
            names = [_named(mapping(tool, f"{path}.tools[{i}]"), f"{path}.tools[{i}]") for i, tool in enumerate(tools)]
            return ToolChoice(_mode(string(allowed.get("mode"), f"{path}.mode"), f"{path}.mode"), tuple(names))
        case "custom":
            raise _no_function(param)
        case kind:
            raise unknown(f"{param}.type", kind, "'function' and 'allowed_tools'")


def read_function_call(value: Any, param: str) -> ToolChoice:
    """What the older `function_call` says."""
    if type(value) is str:
        return ToolChoice(_mode(value, param))
    return ToolChoice(ToolMode.REQUIRED, (string(mapping(value, param).get("name"), f"{param}.name"),))


def read_cache_mark(fields: Mapping[str, Any]) -> CacheMark | None:
    """The mark of a part or a tool, under OpenAI's name for it or Anthropic's, which many send along."""
    mark = fields.get("prompt_cache_breakpoint") or fields.get("cache_control")
    if type(mark) is not dict:
        return None
    ttl = mark.get("ttl")
    return CacheMark(ttl if ttl in _TTLS else None)


def _mode(value: str, param: str) -> ToolMode:
    try:
        return ToolMode(value)
    except ValueError:
        raise invalid(param, f"expected 'none', 'auto' or 'required', but got {shown(value)}.") from None


def _tool(tool: dict[str, Any], param: str) -> Tool:
    kind = tool.get("type", "function")
    if kind == "custom":
        raise _no_function(param)
    if kind != "function":
        raise unknown(f"{param}.type", kind, "'function'")
    return _function(mapping(tool.get("function"), f"{param}.function"), f"{param}.function", marked=tool)


def _function(function: dict[str, Any], param: str, marked: Mapping[str, Any] | None = None) -> Tool:
    name = string(function.get("name"), f"{param}.name")
    if not name:
        raise missing(f"{param}.name")
    return Tool(
        name=name,
        description=optional_string(function, "description", param),
        parameters=optional_mapping(function, "parameters", param),
        strict=optional_boolean(function, "strict", param),
        cache=None if marked is None else read_cache_mark(marked) or read_cache_mark(function),
    )


def _named(choice: Mapping[str, Any], param: str) -> str:
    if choice.get("type") == "custom":
        raise _no_function(param)
    return string(mapping(choice.get("function"), f"{param}.function").get("name"), f"{param}.function.name")


def _no_function(param: str) -> Unsupported:
    return Unsupported(
        f"{param} is a custom tool: only providers of OpenAI's dialect have them. Declare a function instead.",
        param=param,
    )
