"""The functions that a Gemini request offers, and those it wants called."""

import re
from dataclasses import dataclass

from understudy.mock.asks import Tool
from understudy.mock.dialects.gemini.fields import Fields, names_of
from understudy.mock.dialects.gemini.schema import json_schema
from understudy.mock.failures import bad_request

_TOOL = names_of(
    "function_declarations google_search google_search_retrieval code_execution url_context computer_use retrieval "
    "google_maps enterprise_web_search file_search mcp_servers parallel_ai_search"
)
_FUNCTION = names_of("name description parameters parameters_json_schema response response_json_schema behavior")
_CONFIG = frozenset({"function_calling_config", "retrieval_config", "include_server_side_tool_invocations"})
_CALLING = frozenset({"mode", "allowed_function_names", "stream_function_call_arguments"})
_MODES = frozenset({"MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"})
# https://ai.google.dev/api/caching#FunctionDeclaration
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")


@dataclass(frozen=True, slots=True)
class Offered:
    """The functions that an answer may call, and the one that it has to call, if any."""

    allowed: tuple[Tool, ...]
    forced: tuple[Tool, ...] = ()


def read_tools(body: Fields) -> Offered:
    """Read `tools` and `toolConfig`. Of several functions one of which has to be called, it is the first."""
    tools = _declared(body)
    calling = body.message("tool_config", _CONFIG).message("function_calling_config", _CALLING)
    mode = (calling.text("mode") or "AUTO").upper()
    if mode not in _MODES:
        raise bad_request(f"Invalid value at '{calling.at('mode')}': \"{mode}\"")
    names = calling.texts("allowed_function_names")
    if names and mode not in {"ANY", "VALIDATED"}:
        raise bad_request(f"{calling.at('allowed_function_names')} should only be set when mode is ANY or VALIDATED.")
    for name in names:
        if name not in tools:
            raise bad_request(f"{calling.at('allowed_function_names')}: {name} is not in function_declarations.")
    allowed = tuple(tools[name] for name in names) or tuple(tools.values())
    if mode == "ANY" and not allowed:
        raise bad_request("Function calling config is set without function_declarations.")
    return Offered(() if mode == "NONE" else allowed, allowed[:1] if mode == "ANY" else ())


def _declared(body: Fields) -> dict[str, Tool]:
    tools: dict[str, Tool] = {}
    for offered in body.messages("tools", _TOOL):
        for function in offered.messages("function_declarations", _FUNCTION):
            tool = _function(function)
            if tool.name in tools:
                raise bad_request(f"Duplicate function declaration found: {tool.name}")
            tools[tool.name] = tool
    return tools


def _function(function: Fields) -> Tool:
    name = function.text("name") or ""
    if not _NAME.fullmatch(name):
        raise bad_request(
            f"* GenerateContentRequest.{function.at('name')}: Invalid function name. Must start with a letter or an "
            "underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), "
            "with a maximum length of 64."
        )
    function.text("description")
    if function.has("parameters") and function.has("parameters_json_schema"):
        raise bad_request(f"{function.path}: only one of parameters and parameters_json_schema can be set.")
    if function.has("parameters"):
        return Tool(name, json_schema(function.values["parameters"], at=function.at("parameters")))
    return Tool(name, function.struct("parameters_json_schema") or {"type": "object"})
