"""Understudy: an LLM gateway for Kubernetes, and on a laptop with the same YAML.

The names of the Python client are here, and are imported when they are asked for: the command line needs none of them,
and an app that asks a gateway needs nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    "Ask",
    "AsyncChatStream",
    "AsyncClient",
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
    "tool",
]


def __getattr__(name: str) -> Any:
    """A name of the client, imported now."""
    if name not in __all__:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    try:
        from understudy import client
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise ModuleNotFoundError(
            "the client of understudy needs httpx2, which is not installed: pip install 'understudy[client]'",
            name=error.name,
        ) from error
    return getattr(client, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
