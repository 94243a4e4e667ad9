"""A registry and agents as programs of a test: each has a port of its own, a log, and ends with the block.

    async with registry(folder) as mesh, provider(mesh, "claude-agent", upstream=mock.url, tags=("claude",)) as agent:
        await mesh.until_healthy(agent.name)
        agent.process.kill()

Starting an agent takes seconds (its SDK imports a thousand modules), and a registry takes up to half a minute to see
that one is gone which did not say so; `silence_seconds` makes that shorter.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.mesh.programs import registry_program
from harness.process import NotReady, Process
from harness.proxies import free_port
from harness.raw_http import exchange
from harness.sdks import sdk_python

NOW, SEED = "mcp-mesh", "mcp-mesh-0"
"""The environments of the SDK: the one of today, and that of the first agents."""
START_SECONDS = 120.0
"""How long an agent may take to register, many at a time on a busy machine."""
NO_MODEL = "no model was found"
"""What a consumer says for which the mesh has no model yet."""
_SCRIPTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Mesh:
    """Where agents register: the real registry, or whatever speaks like one at this port."""

    port: int
    folder: Path
    process: Process | None = None

    @property
    def url(self) -> str:
        """What an agent is told."""
        return f"http://127.0.0.1:{self.port}"

    async def agents(self) -> list[dict[str, Any]]:
        """All agents that the registry lists."""
        answer = await exchange(self.port, "GET", "/agents")
        return answer.json()["agents"] or []

    async def status(self, name: str) -> str | None:
        """`healthy` or `unhealthy`; None where no agent has such a name.

        Several runs of one agent are listed side by side, each with an id of its own: one that is healthy counts.
        """
        # The first SDK registers under a name with its id's digits behind it.
        found = {agent["status"] for agent in await self.agents() if agent["name"] == name or agent["id"][:-9] == name}
        return min(found) if found else None  # "healthy" sorts first

    async def until(self, name: str, status: str, *, process: Process | None = None) -> None:
        """Wait until the agent called `name` is `status`.

        Raises:
            NotReady: It did not become so in time, or its program ended.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                while await self.status(name) != status:
                    if process is not None and not process.running:
                        raise NotReady(f"{name} ended before it was {status}{process.tail()}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            tail = process.tail() if process else ""
            raise NotReady(f"{name} is not {status} within {START_SECONDS:g} s{tail}") from None


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent's program."""

    name: str
    port: int
    mesh: Mesh
    process: Process

    async def registered(self) -> None:
        """Wait until the registry has it, healthy."""
        await self.mesh.until(self.name, "healthy", process=self.process)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call one of its tools over MCP, as an agent does; the JSON-RPC response."""
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        }
        told = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        answer = await exchange(self.port, "POST", "/mcp", orjson.dumps(message), told)
        data = next((line[6:] for line in answer.body.splitlines() if line.startswith(b"data: ")), answer.body)
        response: dict[str, Any] = json.loads(data)
        return response

    async def answered(self, question: str) -> str:
        """What a consumer's tool `ask` returned, once the mesh has found it a model.

        Raises:
            TimeoutError: It has none.
        """
        async with asyncio.timeout(START_SECONDS):
            while NO_MODEL in (text := await self._asked(question)):  # noqa: ASYNC110 - only asking tells
                await asyncio.sleep(0.1)
        return text

    async def _asked(self, question: str) -> str:
        response = await self.call("ask", question=question)
        return str(response["result"]["content"][0]["text"])


@asynccontextmanager
async def registry(folder: Path, *, silence_seconds: int = 3) -> AsyncIterator[Mesh]:
    """Run the real registry.

    Args:
        folder: Where its database and its log go.
        silence_seconds: After how long an agent that is not heard of is unhealthy; agents say something every 5 s
            unless `provider` and `consumer` make them, as they do.

    Raises:
        Missing: The registry is not to be had on this machine.
    """
    program = await asyncio.to_thread(registry_program)
    port = free_port()
    process = Process(
        [str(program), "--host", "127.0.0.1", "--port", str(port)],
        log=folder / "registry.log",
        folder=folder,
        environment={
            "DATABASE_URL": str(folder / "registry.db"),
            "HEALTH_CHECK_INTERVAL": "1",
            "DEFAULT_TIMEOUT_THRESHOLD": str(silence_seconds),
        },
    )
    mesh = Mesh(port, folder, process)
    async with _running(process):
        await _until_answers(mesh, process)
        yield mesh


@asynccontextmanager
async def provider(
    mesh: Mesh,
    name: str,
    *,
    upstream: str,
    tags: Iterable[str] = (),
    model: str = "anthropic/claude-sonnet-4-5",
    version: str = "1.0.0",
    capability: str = "llm",
    sdk: str = NOW,
) -> AsyncIterator[Agent]:
    """Run an agent that offers `model`, for which it asks `upstream` (a bare URL such as a mock's).

    It has not registered yet when the block begins: wait for `registered`.
    """
    variables = {
        "AGENT_MODEL": model,
        "AGENT_VERSION": version,
        "ANTHROPIC_API_KEY": "sk-of-the-agent",
        "ANTHROPIC_BASE_URL": upstream,
        "OPENAI_API_KEY": "sk-of-the-agent",
        "OPENAI_BASE_URL": f"{upstream}/v1",
    }
    async with _agent(mesh, name, sdk=sdk, tags=tags, capability=capability, variables=variables) as agent:
        yield agent


@asynccontextmanager
async def consumer(
    mesh: Mesh,
    name: str,
    *,
    tags: Iterable[str] = (),
    capability: str = "llm",
    tools: bool = False,
    typed: bool = False,
    streams: bool = False,
    sdk: str = NOW,
) -> AsyncIterator[Agent]:
    """Run an agent whose tool `ask` gives its question to the provider that the registry resolved.

    Args:
        mesh: Where it registers.
        name: Its own.
        tags: Of the provider that it wants.
        capability: Of the provider that it wants.
        tools: Whether the model may call its tool `get_weather`.
        typed: Whether it wants `{"said": text}` of the model instead of text; all that the first SDK can.
        streams: Whether it has a tool `tell`, too, which gives the answer as it comes.
        sdk: The environment.
    """
    wishes = (("AGENT_TOOLS", tools), ("AGENT_TYPED", typed), ("AGENT_STREAMS", streams))
    variables = {name: "1" for name, wanted in wishes if wanted}
    async with _agent(
        mesh, name, script="consumer.py", sdk=sdk, tags=tags, capability=capability, variables=variables
    ) as agent:
        yield agent


@asynccontextmanager
async def _agent(
    mesh: Mesh,
    name: str,
    *,
    sdk: str,
    tags: Iterable[str],
    capability: str,
    variables: Mapping[str, str],
    script: str = "provider.py",
) -> AsyncIterator[Agent]:
    python = await asyncio.to_thread(sdk_python, sdk)
    port = free_port()
    process = Process(
        [str(python), str(_SCRIPTS / script)],
        log=mesh.folder / f"{name}.log",
        folder=mesh.folder,
        environment={
            "HOME": str(mesh.folder),
            "NO_PROXY": "*",
            "MCP_MESH_REGISTRY_URL": mesh.url,
            "MCP_MESH_HTTP_HOST": "127.0.0.1",
            "MCP_MESH_HEALTH_INTERVAL": "1",
            "AGENT_NAME": name,
            "AGENT_PORT": str(port),
            "AGENT_TAGS": ",".join(tags),
            "AGENT_CAPABILITY": capability,
            **variables,
        },
    )
    async with _running(process):
        yield Agent(name, port, mesh, process)


@asynccontextmanager
async def _running(process: Process) -> AsyncIterator[None]:
    await asyncio.to_thread(process.start)
    try:
        yield
    finally:
        await asyncio.to_thread(process.kill)


async def _until_answers(mesh: Mesh, process: Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                await mesh.agents()
            except OSError:
                if not process.running:
                    raise NotReady(f"{process.name} ended{process.tail()}") from None
                await asyncio.sleep(0.05)
            else:
                return
