"""Understudy: an LLM gateway for Kubernetes, and on a laptop with the same YAML.

The names of the Python client are here, and are imported when they are asked for: the command line needs none of them,
an app that asks a gateway needs nothing else, and one that is no agent needs nothing of what makes one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.agents import LLM, AgentRequest, AsyncLLM, llm
    from understudy.agents.providing import Agent, llm_provider
    from understudy.client import (
        Ask,
        AsyncChatStream,
        AsyncClient,
        AsyncServerTools,
        AsyncSession,
        AuthenticationError,
        BadRequest,
        ChatOptions,
        ChatResult,
        ChatStream,
        Chunk,
        Client,
        Clock,
        ConfigurationError,
        Facts,
        Interrupted,
        InvalidAnswer,
        Model,
        Outcome,
        PermissionDenied,
        Persona,
        Provider,
        ProviderError,
        ProviderNotFound,
        RateLimited,
        ServerTools,
        Session,
        SessionBusy,
        SessionNotFound,
        SessionState,
        TimedOut,
        Tool,
        ToolCall,
        ToolFailed,
        ToolNotFound,
        ToolRun,
        TooManyRounds,
        Unavailable,
        UnderstudyError,
        Usage,
        tool,
    )

__all__ = [
    "LLM",
    "Agent",
    "AgentRequest",
    "Ask",
    "AsyncChatStream",
    "AsyncClient",
    "AsyncLLM",
    "AsyncServerTools",
    "AsyncSession",
    "AuthenticationError",
    "BadRequest",
    "ChatOptions",
    "ChatResult",
    "ChatStream",
    "Chunk",
    "Client",
    "Clock",
    "ConfigurationError",
    "Facts",
    "Interrupted",
    "InvalidAnswer",
    "Model",
    "Outcome",
    "PermissionDenied",
    "Persona",
    "Provider",
    "ProviderError",
    "ProviderNotFound",
    "RateLimited",
    "ServerTools",
    "Session",
    "SessionBusy",
    "SessionNotFound",
    "SessionState",
    "TimedOut",
    "TooManyRounds",
    "Tool",
    "ToolCall",
    "ToolFailed",
    "ToolNotFound",
    "ToolRun",
    "Unavailable",
    "UnderstudyError",
    "Usage",
    "llm",
    "llm_provider",
    "tool",
]


_HOMES = {
    "Agent": "understudy.agents.providing",
    "AgentRequest": "understudy.agents",
    "AsyncLLM": "understudy.agents",
    "LLM": "understudy.agents",
    "llm": "understudy.agents",
    "llm_provider": "understudy.agents.providing",
}
"""Where a name is that is not in the client."""
_EXTRAS = {"httpx2": "client", "mcp": "agents", "uvicorn": "agents"}
"""What is installed with which extra."""


def __getattr__(name: str) -> Any:
    """A name of the client or of its agents, imported now."""
    if name not in __all__:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    try:
        home = import_module(_HOMES.get(name, "understudy.client"))
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _EXTRAS:
            raise
        extra = _EXTRAS[library]
        raise ModuleNotFoundError(
            f"{name} of understudy needs {library}, which is not installed: pip install 'understudy[{extra}]'",
            name=library,
        ) from error
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
