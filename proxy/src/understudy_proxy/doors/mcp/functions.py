"""The functions of LLMTool objects as tools of the protocol: what is run for models is run for any client."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson

from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.doors.door import Headers, Request
from understudy_proxy.doors.headers import forwarded
from understudy_proxy.doors.mcp.calling import Calling, McpTool, Outcome
from understudy_proxy.doors.mcp.errors import ERROR_KEY, about
from understudy_proxy.doors.names import Names
from understudy_proxy.mcp.results import ToolResult
from understudy_proxy.tools.tools import Tools


class Functions:
    """Runs functions."""

    def __init__(self, *, names: Names, tools: Tools) -> None:
        self._names = names
        self._tools = tools

    def listed(self, request: Request) -> Sequence[McpTool]:
        """Those that this caller may use and the gateway can run, sorted by name."""
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        usable = self._tools.usable(runtime, namespace=namespace)
        return [self._tool(function) for function in usable if function.handler is not None]

    def find(self, name: str, request: Request) -> McpTool | None:
        """The one of this name; one that cannot be run says why when it is called."""
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        function = self._tools.find(runtime, name, namespace=namespace)
        return self._tool(function) if function is not None else None

    def _tool(self, function: RuntimeTool) -> McpTool:
        declared = function.declaration.get("function", {})
        return McpTool(
            function.function,
            declared.get("description", ""),
            # The protocol wants this said, which most schemas of arguments take for granted.
            {"type": "object", **function.parameters},
            partial(self._run, function),
        )

    async def _run(self, function: RuntimeTool, calling: Calling) -> Outcome:
        outcome = await self._tools.run(function, calling.arguments, forward=forwarded(calling.request))
        headers: Headers = (("x-understudy-tool", function.key),)
        if not outcome.success:
            headers += (("x-understudy-reason", outcome.kind),)
            meta = {**about(headers), ERROR_KEY: {"code": outcome.kind.value}}
            return Outcome(ToolResult(outcome.text, failed=True, meta=meta), headers)
        structured = outcome.result if _can_travel(outcome.result) else None
        return Outcome(ToolResult(outcome.text, structured, meta=about(headers)), headers)


def _can_travel(result: Any) -> bool:
    """Whether it is an object that can be nested in a message; what is too deep for that is in the text alone."""
    if type(result) is not dict:
        return False
    try:
        orjson.dumps({"result": {"structuredContent": [result]}})
    except orjson.JSONEncodeError:
        return False
    return True
