"""Requests of the Model Context Protocol without its client, so that every byte can be looked at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.raw_http import Answer, exchange

PATH = "/mcp"
MODERN = "2026-07-28"
LATEST_HANDSHAKE = "2025-11-25"
READS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
_META = "io.modelcontextprotocol/"


def message(method: str, params: Mapping[str, Any] | None = None, *, request: Any = 1) -> dict[str, Any]:
    """A request of the era of handshakes."""
    asked: dict[str, Any] = {"jsonrpc": "2.0", "id": request, "method": method}
    return asked if params is None else {**asked, "params": dict(params)}


def modern(method: str, params: Mapping[str, Any] | None = None, *, version: str = MODERN) -> dict[str, Any]:
    """The same of the era after it, which says all of itself."""
    given = dict(params or {})
    meta = {f"{_META}protocolVersion": version, f"{_META}clientCapabilities": {}, **given.pop("_meta", {})}
    return message(method, {**given, "_meta": meta})


def modern_headers(method: str, name: str | None = None, *, version: str = MODERN) -> dict[str, str]:
    """What goes with it."""
    named = {} if name is None else {"mcp-name": name}
    return {**READS, "mcp-protocol-version": version, "mcp-method": method, **named}


@dataclass(frozen=True, slots=True)
class Told:
    """What came back.

    Attributes:
        answer: All of it.
        messages: The messages in it, in their order; the answer to the request is the last.
    """

    answer: Answer
    messages: list[Any]

    @property
    def last(self) -> Any:
        """The answer to the request."""
        return self.messages[-1]

    @property
    def result(self) -> dict[str, Any]:
        """Its result."""
        found: dict[str, Any] = self.last["result"]
        return found

    @property
    def error(self) -> dict[str, Any]:
        """Its error."""
        found: dict[str, Any] = self.last["error"]
        return found

    @property
    def text(self) -> str:
        """What a tool said."""
        return "".join(block["text"] for block in self.result["content"])

    @property
    def progress(self) -> list[str]:
        """What was told before it."""
        return [each["params"]["message"] for each in self.messages[:-1]]


async def post(port: int, body: Any, headers: Mapping[str, str] | None = None) -> Told:
    """Send `body`, as it is or as JSON, and read the answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(await exchange(port, "POST", PATH, raw, READS if headers is None else headers))


async def call(
    port: int, name: str, arguments: Mapping[str, Any], *, token: str | int | None = None, era: str = LATEST_HANDSHAKE
) -> Told:
    """Call a tool; with a `token` as one who wants to hear how the call gets on."""
    params: dict[str, Any] = {"name": name, "arguments": dict(arguments)}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    if era == MODERN:
        return await post(port, modern("tools/call", params), modern_headers("tools/call", name))
    return await post(port, message("tools/call", params), {**READS, "mcp-protocol-version": era})


async def listed(port: int) -> dict[str, dict[str, Any]]:
    """The tools by their names."""
    told = await post(port, message("tools/list"))
    return {each["name"]: each for each in told.result["tools"]}


def read(answer: Answer) -> Told:
    """The messages of an answer, whatever form it has."""
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        return Told(answer, [json.loads(answer.body)] if answer.body else [])
    # As agents of the mesh read it: each message on one line.
    lines = [line for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    return Told(answer, [json.loads(line.removeprefix("data: ")) for line in lines])
