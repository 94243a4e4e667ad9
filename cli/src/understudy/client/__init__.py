"""The Python client: a gateway asked from an app, in types. All of it is in `from understudy import …`."""

from understudy.client._async import AsyncClient
from understudy.client._async_server_tools import AsyncServerTools
from understudy.client._async_session import AsyncSession
from understudy.client._async_stream import AsyncChatStream
from understudy.client._batches import Outcome
from understudy.client._clock import Clock
from understudy.client._errors import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Facts,
    Interrupted,
    InvalidAnswer,
    PermissionDenied,
    ProviderError,
    ProviderNotFound,
    RateLimited,
    SessionBusy,
    SessionNotFound,
    TimedOut,
    ToolFailed,
    ToolNotFound,
    TooManyRounds,
    Unavailable,
    UnderstudyError,
)
from understudy.client._listings import Persona, Provider
from understudy.client._requests import Ask, ChatOptions
from understudy.client._results import ChatResult, Model, ToolCall, Usage
from understudy.client._sessions import SessionState
from understudy.client._streams import Chunk
from understudy.client._sync import Client
from understudy.client._sync_server_tools import ServerTools
from understudy.client._sync_session import Session
from understudy.client._sync_stream import ChatStream
from understudy.client._tool_loop import ToolRun
from understudy.client._tools import Tool, tool

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

for _name in __all__:
    globals()[_name].__module__ = "understudy"
