"""The methods of the protocol: who this is, which tools there are, and calls of them."""

import asyncio
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from understudy_proxy.doors.door import Headers, Request
from understudy_proxy.doors.mcp.calling import Calling, Tell
from understudy_proxy.doors.mcp.toolbox import Toolbox
from understudy_proxy.mcp.eras import HANDSHAKE_VERSIONS, MODERN_VERSIONS, SERVER_KEY, Era
from understudy_proxy.mcp.errors import Code, ProtocolError
from understudy_proxy.mcp.messages import Call
from understudy_proxy.mcp.results import cacheable, rendered
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book

Fields = dict[str, Any]

_NAME = "understudy"
_INSTRUCTIONS = (
    "Understudy is a gateway to large language models. complete_text and complete_chat ask a model: name it in 'model' "
    "(a route, persona/NAME or PROVIDER/MODEL), or leave it out for the default. list_providers and get_metrics tell "
    "which models there are and how they fare. All other tools are functions that this gateway runs."
)
_HOUR_SECONDS = 3600
_TOOLS_SECONDS = 5
"""How long a client may go by a list of tools: a changed configuration is to be seen soon."""
_METHODS = frozenset({"initialize", "ping", "server/discover", "tools/call", "tools/list"})
_OTHER = "other"
_OK, _FAILED, _ERROR, _CANCELLED = "success", "failed", "error", "cancelled"
_CAPABILITIES: Fields = {"tools": {"listChanged": False}}


class Methods:
    """Answers calls of methods."""

    def __init__(self, toolbox: Toolbox, book: Book) -> None:
        """Serve the tools of `toolbox`, and count in `book`."""
        self._toolbox = toolbox
        self._book = book

    async def answer(self, request: Request, call: Call, era: Era, *, tell: Tell | None) -> tuple[Fields, Headers]:
        """The result of a call, and headers that go with it.

        Args:
            request: What brought the call.
            call: What is asked.
            era: Of the call.
            tell: Tells its sender how the call gets on, if it wants to know.

        Raises:
            ProtocolError: there is no such method, or it does not take these parameters.
            Refused: it cannot be answered now.
        """
        outcome = _ERROR
        try:
            result, headers = await self._answer(request, call, era, tell)
            outcome = _FAILED if result.get("isError") else _OK
        except asyncio.CancelledError:
            outcome = _CANCELLED
            raise
        finally:
            method = call.method if call.method in _METHODS else _OTHER
            self._book.tally(families.MCP_REQUESTS, method, era, outcome).value += 1
        return result, headers

    async def _answer(self, request: Request, call: Call, era: Era, tell: Tell | None) -> tuple[Fields, Headers]:
        match (call.method, era):
            case ("tools/call", _):
                return await self._called(request, call, era, tell)
            case ("tools/list", _):
                return self._listed(request, call, era), ()
            case ("server/discover", Era.MODERN):
                return _discovered(), ()
            case ("initialize", Era.HANDSHAKE):
                return _initialized(call), ()
            case ("ping", Era.HANDSHAKE):
                return {}, ()
        raise ProtocolError(Code.METHOD_NOT_FOUND, f"There is no method {call.method[:64]!r} here.")

    async def _called(self, request: Request, call: Call, era: Era, tell: Tell | None) -> tuple[Fields, Headers]:
        name, arguments = call.params.get("name"), call.params.get("arguments")
        if type(name) is not str:
            raise ProtocolError(Code.INVALID_PARAMS, "params.name is the name of a tool, which is a string.")
        if arguments is not None and type(arguments) is not dict:
            raise ProtocolError(Code.INVALID_PARAMS, "params.arguments is an object.")
        outcome = await self._toolbox.call(name, Calling(request, arguments or {}, tell))
        return rendered(outcome.result, era), outcome.headers

    def _listed(self, request: Request, call: Call, era: Era) -> Fields:
        if call.params.get("cursor") is not None:
            raise ProtocolError(Code.INVALID_PARAMS, "All tools are on the first page: there is no cursor for another.")
        tools = [tool.declared() for tool in self._toolbox.listed(request)]
        # Whose tools they are may depend on who asks.
        return cacheable({"tools": tools}, era, seconds=_TOOLS_SECONDS, public=False)


def _initialized(call: Call) -> Fields:
    """What a client of the older era learns first; if its version is not spoken here, the newest of its era is."""
    asked = call.params.get("protocolVersion")
    if type(asked) is not str:
        raise ProtocolError(Code.INVALID_PARAMS, "params.protocolVersion is a version of MCP, which is a string.")
    return {
        "protocolVersion": asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0],
        "capabilities": _CAPABILITIES,
        "serverInfo": dict(_server()),
        "instructions": _INSTRUCTIONS,
    }


def _discovered() -> Fields:
    """The same for clients of the newer era."""
    fields = {
        "supportedVersions": list(MODERN_VERSIONS),
        "capabilities": _CAPABILITIES,
        "instructions": _INSTRUCTIONS,
        "_meta": {SERVER_KEY: dict(_server())},
    }
    return cacheable(fields, Era.MODERN, seconds=_HOUR_SECONDS, public=True)


@cache
def _server() -> Mapping[str, str]:
    return {"name": _NAME, "title": "Understudy", "version": version("understudy")}
