"""A mesh in the test's own process: a registry and agents that say what a test has them say, byte by byte."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson

from harness.raw_upstream import Line, RawUpstream, Received

JSON, EVENTS = "application/json", "text/event-stream"


def result_of(message: dict[str, Any]) -> dict[str, Any]:
    """The response to a call that returns `message`, as real agents form it."""
    text = orjson.dumps(message).decode()
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {"content": [{"type": "text", "text": text}], "structuredContent": message, "isError": False},
    }


def said(text: str) -> dict[str, Any]:
    """The response to a call that returns these words."""
    return result_of({"role": "assistant", "content": text})


def failed(text: str) -> dict[str, Any]:
    """The response to a call that failed."""
    return {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}], "isError": True}}


def frame(words: str) -> dict[str, Any]:
    """Words while the answer is made."""
    message = orjson.dumps({"_mesh_frame": "chunk", "content": words}).decode()
    params = {"progressToken": 1, "progress": 1, "message": message}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def events(*messages: dict[str, Any]) -> bytes:
    """Messages as a stream."""
    return b"".join(b"event: message\r\ndata: " + orjson.dumps(each) + b"\r\n\r\n" for each in messages)


@dataclass
class ScriptedAgent:
    """An agent, listed with a pair of functions.

    Attributes:
        name: Its id.
        body: What it answers to every call.
        content_type: Of that.
        status: Of that.
        cut: The connection breaks behind the body.
        tags: Of its functions.
        streams: Whether it has a function that does.
        asked: Every call so far.
    """

    name: str
    body: bytes
    content_type: str = EVENTS
    status: int = 200
    cut: bool = False
    tags: tuple[str, ...] = ()
    streams: bool = True
    asked: list[Received] = field(default_factory=list)
    server: RawUpstream = field(init=False)

    async def serve(self, line: Line) -> None:
        """Answer every request on one connection."""
        while True:
            try:
                self.asked.append(await line.request())
            except EOFError:
                return
            length = f"content-length: {len(self.body) + self.cut}"
            head = f"HTTP/1.1 {self.status} X\r\ncontent-type: {self.content_type}\r\n{length}\r\n\r\n"
            await line.send(head.encode() + self.body)
            if self.cut:
                return

    def listed(self) -> dict[str, Any]:
        """As the registry tells of it."""
        told = {"name": "llm", "version": "1.0.0", "available": True}
        functions = [{**told, "function_name": f"ask_{self.name}", "tags": list(self.tags)}]
        if self.streams:
            tags = [*self.tags, "ai.mcpmesh.stream"]
            functions.append({**told, "function_name": f"stream_{self.name}", "tags": tags})
        endpoint = f"http://127.0.0.1:{self.server.port}"
        return {"id": self.name, "status": "healthy", "endpoint": endpoint, "capabilities": functions}


class ScriptedMesh:
    """A registry that lists these agents, all of them served, as an asynchronous context manager."""

    def __init__(self, *agents: ScriptedAgent, listing: Callable[[], bytes] | None = None) -> None:
        """List `agents`, or answer with `listing`."""
        self._agents = agents
        self._listing = listing or self._listed
        self._registry = RawUpstream(self._serve)
        self.asked: list[Received] = []

    async def __aenter__(self) -> Self:
        for agent in self._agents:
            agent.server = RawUpstream(agent.serve)
            await agent.server.__aenter__()
        await self._registry.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in (self._registry, *(agent.server for agent in self._agents)):
            await server.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Of the registry."""
        return f"http://127.0.0.1:{self._registry.port}"

    def _listed(self) -> bytes:
        return orjson.dumps({"agents": [agent.listed() for agent in self._agents]})

    async def _serve(self, line: Line) -> None:
        while True:
            try:
                self.asked.append(await line.request())
            except EOFError:
                return
            body = self._listing()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            await line.send(head.encode() + body)
