"""Functions that the gateway runs: what goes over the wire, and what comes back. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from understudy.client._errors import Facts, InvalidAnswer, ToolFailed, ToolNotFound, UnderstudyError
from understudy.client._requests import Call
from understudy.client._tools import Tool

TOOLS = Call("GET", "/v1/tools")


def execute_call(name: str, arguments: Mapping[str, Any] | None) -> Call:
    """A request to run a function. It may have effects, so it is not made twice by itself."""
    return Call("POST", "/v1/tools/execute", {"name": name, "arguments": dict(arguments or {})}, repeatable=False)


def tool_list(raw: Any, execute: Callable[[str], Callable[..., Any]]) -> tuple[Tool, ...]:
    """The functions of a list; `execute` makes of a name what runs it.

    Raises:
        InvalidAnswer: it is no list of functions.
    """
    listed = raw.get("tools", raw.get("data")) if isinstance(raw, dict) else raw
    if not isinstance(listed, list):
        raise InvalidAnswer("the answer is no list of tools: is the address a gateway's?")
    declared = [
        each["function"] for each in listed if isinstance(each, dict) and isinstance(each.get("function"), dict)
    ]
    return tuple(_tool(each, execute) for each in declared if isinstance(each.get("name"), str))


def executed(raw: Any, *, name: str) -> Any:
    """The result of a function.

    Raises:
        ToolFailed: it has none, and the message says why.
        InvalidAnswer: the answer is none.
    """
    success = raw.get("success") if isinstance(raw, dict) else None
    if success is True:
        return raw.get("result")
    if success is False:
        code = raw.get("code")
        raise ToolFailed(_why(raw, name), Facts(status=200, code=code if isinstance(code, str) else None, body=raw))
    raise InvalidAnswer("the answer is no result of a tool: is the address a gateway's?")


def refused(error: UnderstudyError, *, name: str) -> UnderstudyError:
    """The error for a refusal, which says in its body that the function has failed, or that there is none."""
    body = error.facts.body
    if not (isinstance(body, Mapping) and body.get("success") is False):
        return error
    kind = ToolNotFound if error.status == 404 else ToolFailed
    return kind(_why(body, name), error.facts)


def _tool(declared: Mapping[str, Any], execute: Callable[[str], Callable[..., Any]]) -> Tool:
    name, description, parameters = declared["name"], declared.get("description"), declared.get("parameters")
    return Tool(
        name=name,
        description=description if isinstance(description, str) else "",
        parameters=parameters if isinstance(parameters, dict) else {"type": "object"},
        function=execute(name),
    )


def _why(body: Mapping[str, Any], name: str) -> str:
    said = body.get("error")
    if isinstance(said, Mapping):
        said = said.get("message")
    return said if isinstance(said, str) and said else f"the tool {name} failed without a word"
