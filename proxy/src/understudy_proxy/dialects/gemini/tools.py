"""Functions that a model may call, as Gemini takes them."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.canonical.chat import Chat, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.generations import Generation
from understudy_proxy.dialects.gemini.schema import subset

_MODES = {ToolMode.AUTO: "AUTO", ToolMode.NONE: "NONE", ToolMode.REQUIRED: "ANY"}
_OF_AN_EMPTY_OBJECT = frozenset(
    {"$schema", "additionalProperties", "description", "properties", "required", "title", "type"}
)


def write_tools(chat: Chat, body: dict[str, Any], *, names: FunctionNames, generation: Generation) -> None:
    """Put `tools` and `toolConfig` into `body`, where the request has them."""
    if not chat.tools:
        return
    declared = [declaration_of(tool, names=names, generation=generation) for tool in chat.tools]
    body["tools"] = [{"functionDeclarations": declared}]
    if chat.tool_choice is not None:
        calling = calling_config(chat.tool_choice, names)
        if calling is not None:
            body["toolConfig"] = {"functionCallingConfig": calling}


def declaration_of(tool: Tool, *, names: FunctionNames, generation: Generation) -> dict[str, Any]:
    """A function as it is declared to a model of `generation`."""
    declaration: dict[str, Any] = {"name": names.given(tool.name)}
    if tool.description:
        declaration["description"] = tool.description
    if tool.parameters and _takes_arguments(tool.parameters):
        if generation.takes_json_schema:
            declaration["parametersJsonSchema"] = tool.parameters
        elif _takes_arguments(schema := subset(tool.parameters, param=f"tools.{tool.name}.parameters")):
            declaration["parameters"] = schema
    return declaration


def _takes_arguments(schema: Mapping[str, Any]) -> bool:
    """Whether there are any: an object without properties is refused."""
    return bool(schema.get("properties") or schema.get("additionalProperties") or schema.keys() - _OF_AN_EMPTY_OBJECT)


def calling_config(choice: ToolChoice, names: FunctionNames) -> dict[str, Any] | None:
    """The `functionCallingConfig`; None where it is the usual one."""
    mode = _MODES[choice.mode]
    if choice.mode is ToolMode.AUTO:
        if not choice.names:
            return None
        # AUTO takes no names; this is AUTO with them.
        mode = "VALIDATED"
    calling: dict[str, Any] = {"mode": mode}
    if choice.names and choice.mode is not ToolMode.NONE:
        calling["allowedFunctionNames"] = [names.given(name) for name in choice.names]
    return calling
