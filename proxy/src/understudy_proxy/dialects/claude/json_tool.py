"""An answer to a JSON Schema from a model that has no such mode: it must call a tool that takes the answer."""

from typing import Any

from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Tool, ToolChoice, ToolMode

JSON_TOOL = "json_tool_call"
"""Called in the place of an answer. Who reads the answer unwraps it."""
JSON_INSTRUCTION = "Answer with a JSON object and nothing else: no words around it, no code fence."
"""For JSON without a schema, which nobody needs a tool for."""
_DESCRIPTION = "Give the answer to the user by calling this tool, with the answer as its arguments."


def json_tool(wanted: JsonFormat) -> Tool:
    """The tool."""
    description = f"{wanted.description}\n\n{_DESCRIPTION}" if wanted.description else _DESCRIPTION
    return Tool(JSON_TOOL, description, with_type(wanted.schema or {}))


def with_type(schema: Any) -> dict[str, Any]:
    """The schema of arguments, which has to say that they are an object."""
    return {"type": "object", **schema}


def described(wanted: JsonFormat) -> dict[str, Any]:
    """The schema, with what is said of it where there is no other place for that."""
    schema = dict(wanted.schema or {})
    return {"description": wanted.description, **schema} if wanted.description else schema


def offered(chat: Chat, *, for_json: bool) -> list[Tool]:
    """The tools that may be called; with `for_json` among them one that takes the answer.

    A choice of one tool is said as such: leaving the others out would cost a cached prompt.
    """
    choice = chat.tool_choice
    tools = list(chat.tools)
    if choice is not None and choice.names and not (choice.mode is ToolMode.REQUIRED and len(choice.names) == 1):
        tools = [tool for tool in tools if tool.name in choice.names]
    return [*tools, json_tool(chat.format)] if for_json and chat.format is not None else tools


def choice_of(chat: Chat, *, for_json: bool) -> ToolChoice:
    """What the model must call: with `for_json` any of the client's tools or the answer's, if it has both."""
    choice = chat.tool_choice or ToolChoice(ToolMode.AUTO)
    if not for_json or choice.mode is ToolMode.REQUIRED:
        return choice
    own = chat.tools and choice.mode is not ToolMode.NONE
    return ToolChoice(ToolMode.REQUIRED) if own else ToolChoice(ToolMode.REQUIRED, (JSON_TOOL,))
