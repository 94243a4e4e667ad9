"""The door `GET /v1/tools`: the tools that this caller may use."""

from typing import Any

import orjson

from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.doors.door import Answer, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.tools.tools import Tools


class ToolsDoor:
    """Lists tools."""

    def __init__(self, *, names: Names, tools: Tools) -> None:
        self._names = names
        self._tools = tools

    async def __call__(self, request: Request) -> Answer:
        """All of them, sorted by function name."""
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        listed = [_shown(tool) for tool in self._tools.usable(runtime, namespace=namespace)]
        return Answer(body=orjson.dumps({"object": "list", "data": listed}))


def _shown(tool: RuntimeTool) -> dict[str, Any]:
    """`type` and `function` are what chat completions take in `tools`; the rest says whose it is, and who runs it."""
    return {**tool.declaration, "id": tool.key, "executable": tool.handler is not None}
