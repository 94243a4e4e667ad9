"""Agents of a mesh as a registry knows them: who they are, what they offer and what they look for."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

UNKNOWN_VENDOR = "unknown"
ANY_HOST = "0.0.0.0"
DEFAULT_VERSION = "1.0.0"
"""Of a tool that does not tell."""
STREAM_TAG = "ai.mcpmesh.stream"
"""Of functions that stream; who wants a whole answer excludes it."""
GATEWAY_TAG = "understudy"
"""Of functions of gateways like this one."""

Tags = tuple[str | tuple[str, ...], ...]
"""What is asked of tags: `x` must be there, `+x` is preferred, `-x` must not be there; of those in parentheses, one."""


class AgentType(StrEnum):
    """What an agent is."""

    MCP_AGENT = "mcp_agent"
    API = "api"
    """It only calls others."""
    A2A = "a2a"
    MESH_TOOL = "mesh_tool"
    DECORATED_FUNCTION = "decorated_function"


class Status(StrEnum):
    """How an agent fares."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for. `version` is a constraint; empty means any."""

    capability: str
    tags: Tags = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """The tools that an agent's model may use."""

    filters: tuple[Wanted, ...]
    """An empty capability means any."""
    mode: str
    """`all`, `best_match`, or `*`: everything there is."""
    shown: bytes
    """As it was said, JSON."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of an agent."""

    function: str
    """What callers call it."""
    capability: str
    version: str = DEFAULT_VERSION
    tags: tuple[str, ...] = ()
    description: str = ""
    schema: bytes | None = None
    """JSON Schema of what it takes. None: models cannot be told of it, and it provides none."""
    kwargs: bytes | None = None
    """Further properties for callers, a JSON object."""
    vendor: str = UNKNOWN_VENDOR
    dependencies: tuple[Wanted, ...] = ()
    llm_provider: Wanted | None = None
    llm_filter: ToolFilter | None = None
    tag_set: frozenset[str] = field(init=False, repr=False, compare=False)
    """The tags, for whoever looks for some."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tag_set", frozenset(self.tags))

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """All that it looks for."""
        provider = () if self.llm_provider is None else (self.llm_provider,)
        return (*self.dependencies, *provider, *(self.llm_filter.filters if self.llm_filter else ()))


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent says of itself."""

    id: str
    name: str
    type: AgentType = AgentType.MCP_AGENT
    runtime: str = "python"
    version: str = ""
    description: str = ""
    host: str = ""
    port: int = 0
    namespace: str = "default"
    tools: tuple[Tool, ...] = ()
    size: int = 0
    """Bytes, as it was sent."""

    @property
    def endpoint(self) -> str:
        """Where it says it is called, without `/mcp`."""
        return _endpoint(self.id, self.host, self.port)

    @property
    def address(self) -> str:
        """Where it can be called: nobody reaches every interface of another machine."""
        host = "localhost" if self.host in {"", ANY_HOST} else self.host
        return _endpoint(self.id, host, self.port)


class Offer(NamedTuple):
    """A tool, and the agent that has it."""

    agent: Registration
    tool: Tool


def _endpoint(agent_id: str, host: str, port: int) -> str:
    if not port:
        return f"stdio://{agent_id}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
