"""Tools for tests: their configuration, and a server that runs a few of them and remembers what it was asked."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from understudy_api.config import (
    CredentialRef,
    Credentials,
    HttpTool,
    Snapshot,
    Tool,
    with_revision,
)

TOKEN = "tok-3f9c1d-of-the-tool"
"""What a tool with `credential=CREDENTIAL` gets as its bearer token."""
CREDENTIAL = CredentialRef(name="default/tool/token", version="1")
QUERY = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}


def tool(name: str, url: str | None, *, key: str | None = None, **fields: Any) -> Tool:
    """A tool `default/NAME`, or KEY, whose function is NAME; called at `url`, unless there is none."""
    namespace, _, own = (key or f"default/{name}").partition("/")
    http = {each: fields.pop(each) for each in HttpTool.model_fields if each in fields}
    given: dict[str, Any] = {"parameters": {"type": "object", "properties": {}}, "visible_to": (), **fields}
    return Tool(
        namespace=namespace,
        name=own,
        function=name,
        description=f"Does {name}.",
        http=None if url is None else HttpTool(url=url, **http),
        **given,
    )


def with_tools(before: Snapshot, tools: Iterable[Tool], *, token: str = TOKEN) -> Snapshot:
    """The same configuration with these tools, the earlier first under each name."""
    known = {each.key: each for each in tools}
    names: dict[str, tuple[str, ...]] = {}
    for each in known.values():
        name = each.function.replace("_", "-")
        names[name] = (*names.get(name, ()), each.key)
    named = before.config.names.model_copy(update={"tools": names})
    config = with_revision(before.config.model_copy(update={"tools": known, "names": named}))
    values = {**before.credentials.values, CREDENTIAL.name: token}
    return Snapshot(config=config, credentials=Credentials(revision=config.revision, values=values))


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it came to the server."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class ToolServer:
    """A server of tools, as an asynchronous context manager. `/echo` answers with its arguments, `/hang` never.

    Any other path answers as `says` tells: the status and the JSON by path.
    """

    says: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a caller of `/hang` has left."""

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._answer, handler_cancellation=True), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._runner.cleanup()

    def url(self, path: str = "/echo") -> str:
        """Where a path is."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, dict(request.query), headers, body)
        self.asked.append(asked)
        if request.path == "/hang":
            try:
                await asyncio.Event().wait()
            finally:
                self.left.set()
        if request.path == "/echo":
            return web.json_response({"echo": asked.json() if body else asked.query})
        status, said = self.says[request.path]
        return web.json_response(said, status=status)
