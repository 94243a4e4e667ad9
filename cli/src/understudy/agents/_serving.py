"""An agent's functions over MCP, by its own library: streamable HTTP without sessions, at `/mcp`."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from understudy.agents._answering import Answering
from understudy.agents._registration import STREAMED, WHOLE, Offering
from understudy.agents._request import REQUEST_SCHEMA, AgentRequest
from understudy.agents._tracing import TRACE, told_trace
from understudy.client import ConfigurationError

MAX_REQUEST_BYTES = 32 * 1024 * 1024
MAX_CONNECTIONS = 512
"""More are told to come back: whoever is full should not be slow as well."""
GRACE_SECONDS = 30
"""What is being answered when an agent ends may take as long as that."""

_log = logging.getLogger("understudy.agents")


class HttpServer(uvicorn.Server):
    """A server that leaves signals to the app, and says when it serves."""

    def __init__(self, app: Any) -> None:
        """Serve an ASGI app, which is told of its beginning and end."""
        super().__init__(
            uvicorn.Config(
                app, lifespan="on", ws="none", log_config=None, access_log=False,
                timeout_graceful_shutdown=GRACE_SECONDS, limit_concurrency=MAX_CONNECTIONS,
            )
        )  # fmt: skip
        self.serves = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self.serves.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: the app that runs the agent has its own."""
        yield


def listening(host: str, port: int) -> socket.socket:
    """A socket for an agent that is reached by `host`; only from this machine where that is this machine's name."""
    own = _is_loopback(host)
    at = ("::1" if ":" in host else "127.0.0.1") if own else ("::" if ":" in host else "0.0.0.0")
    return socket.create_server((at, port), family=socket.AF_INET6 if ":" in at else socket.AF_INET, backlog=512)


def own_address(url: str) -> str:
    """The address of this machine from which `url` is reached, and so the one by which those there reach it.

    Raises:
        ConfigurationError: there is no way there.
    """
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_DGRAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # sends nothing: the system only chooses a way
            own = str(probe.getsockname()[0])
    except OSError as error:
        raise ConfigurationError(
            f"by which address others reach this agent is unknown: there is no way to {url} ({error}); give it a host"
        ) from error
    return f"[{own}]" if ":" in own else own


@asynccontextmanager
async def serving(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an app for as long as the block lasts, and finish what is being answered then.

    Raises:
        RuntimeError: it does not begin.
    """
    server = HttpServer(app)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="agent-http")
    begun = asyncio.create_task(server.serves.wait(), name="agent-http-begun")
    try:
        await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            raise RuntimeError("the agent's HTTP server did not begin to serve") from task.exception()
        yield
    finally:
        begun.cancel()
        server.should_exit = True
        await task


def mcp_app(offering: Offering, answering: Answering, *, host: str) -> Any:
    """The ASGI app of an agent that is reached by `host`.

    Where that is this machine, requests must name it, so that no page in a browser can pretend to be one of its own.
    """

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_tool(WHOLE, offering), _tool(STREAMED, offering)])

    async def call_tool(context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        if params.name not in {WHOLE, STREAMED}:
            return _failed(f"there is no tool {params.name}: there are {WHOLE} and {STREAMED}")
        return await _answered(answering, context, params)

    server: Server[Any] = Server(
        offering.name, version=version("understudy"), on_list_tools=list_tools, on_call_tool=call_tool
    )
    return server.streamable_http_app(
        stateless_http=True,
        max_request_body_size=MAX_REQUEST_BYTES,
        host="127.0.0.1" if _is_loopback(host) else host,
    )


async def _answered(
    answering: Answering, context: ServerRequestContext[Any], params: CallToolRequestParams
) -> CallToolResult:
    arguments = params.arguments or {}
    TRACE.set(told_trace(arguments, context.request.headers if context.request is not None else {}))
    try:
        request = AgentRequest.read(arguments)
        if params.name == WHOLE:
            message = await answering.answer(request, None)
        else:
            progress = _Progress(context)
            message = await answering.answer(request, progress.tell)
            await progress.end()
    except Exception as error:  # noqa: BLE001 - what a function raises is its agent's answer
        _log.warning("a call of %s failed", params.name, exc_info=error)
        return _failed(f"{type(error).__name__}: {error}")
    return CallToolResult(content=[TextContent(text=json.dumps(message))], structured_content=message)


class _Progress:
    """Pieces of an answer, framed as a mesh frames them."""

    def __init__(self, context: ServerRequestContext[Any]) -> None:
        self._session = context.session
        self._sent = 0

    async def tell(self, text: str) -> None:
        await self._send({"_mesh_frame": "chunk", "content": text})

    async def end(self) -> None:
        await self._send({"_mesh_frame": "end"})

    async def _send(self, frame: dict[str, str]) -> None:
        self._sent += 1
        await self._session.report_progress(self._sent, message=json.dumps(frame))


def _tool(name: str, offering: Offering) -> Tool:
    return Tool(name=name, description=offering.description, input_schema=dict(REQUEST_SCHEMA))


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=message)], is_error=True)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
