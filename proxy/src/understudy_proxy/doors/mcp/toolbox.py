"""All tools that a caller may use here, and calls of them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.doors.door import Headers, Refused, Request
from understudy_proxy.doors.mcp.calling import Calling, McpTool, Outcome
from understudy_proxy.doors.mcp.errors import ERROR_KEY, about, error_details
from understudy_proxy.doors.refusing import bad_request, interrupted
from understudy_proxy.failure import UpstreamError
from understudy_proxy.mcp.errors import Code, ProtocolError
from understudy_proxy.mcp.results import ToolResult

_SHOWN = 64


class Drawer(Protocol):
    """Some of the tools."""

    def listed(self, request: Request) -> Sequence[McpTool]:
        """Those that whoever sent `request` may use and should know of, in an order that does not change."""

    def find(self, name: str, request: Request) -> McpTool | None:
        """The one of this name, if whoever sent `request` may use it; it need not be listed."""


class Own:
    """Tools that everybody may use."""

    def __init__(self, tools: Sequence[McpTool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def listed(self, request: Request) -> Sequence[McpTool]:  # noqa: ARG002 - they are the same for all
        """All of them."""
        return tuple(self._tools.values())

    def find(self, name: str, request: Request) -> McpTool | None:  # noqa: ARG002 - as above
        """The one of this name."""
        return self._tools.get(name)


class Toolbox:
    """All of them. Where two have one name, the one counts that comes first."""

    def __init__(self, *drawers: Drawer) -> None:
        self._drawers = drawers

    def listed(self, request: Request) -> Iterator[McpTool]:
        """Those that whoever sent `request` may use."""
        seen: set[str] = set()
        for drawer in self._drawers:
            for tool in drawer.listed(request):
                if tool.name not in seen:
                    seen.add(tool.name)
                    yield tool

    async def call(self, name: str, calling: Calling) -> Outcome:
        """What comes of a call; whatever goes wrong with it is for the model that called to read.

        Raises:
            ProtocolError: there is no such tool.
        """
        try:
            tool = self._find(name, calling.request)
            return await tool.run(calling)
        except RequestError as error:
            return _failed(bad_request(error))
        except Refused as refused:
            return _failed(refused)
        except UpstreamError as error:
            return _failed(interrupted(error.failure))

    def _find(self, name: str, request: Request) -> McpTool:
        found = (tool for drawer in self._drawers if (tool := drawer.find(name, request)) is not None)
        tool = next(found, None)
        if tool is None:
            # In these words, which agents of the mesh know.
            shown = name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…"
            raise ProtocolError(Code.INVALID_PARAMS, f"Unknown tool: {shown}. tools/list names those that there are.")
        return tool


def _failed(refused: Refused) -> Outcome:
    headers = _headers(refused)
    meta = {**about(headers), ERROR_KEY: error_details(refused)}
    return Outcome(ToolResult(refused.message, failed=True, meta=meta), headers)


def _headers(refused: Refused) -> Headers:
    return (*refused.headers, ("x-understudy-reason", refused.reason)) if refused.reason else refused.headers
