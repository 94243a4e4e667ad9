"""A tool as this door serves it, and a call of one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from understudy_proxy.doors.door import Headers, Request
from understudy_proxy.mcp.results import ToolResult


class Tell(Protocol):
    """Tells a client how its call gets on."""

    async def __call__(self, message: str, *, headers: Headers = ()) -> None:
        """Tell it `message`; `headers` are those of the answer, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Calling:
    """A call of a tool."""

    request: Request
    arguments: Mapping[str, Any]
    tell: Tell | None
    """None: nobody wants to hear how it gets on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call, and what is told of it in headers."""

    result: ToolResult
    headers: Headers = ()


Run = Callable[[Calling], Awaitable[Outcome]]
"""Raises `Refused`, `RequestError` or `UpstreamError` for what goes wrong: the model that called hears of it."""


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool."""

    name: str
    description: str
    input_schema: Mapping[str, Any]
    run: Run
    title: str | None = None
    output_schema: Mapping[str, Any] | None = None
    """Of structured results. Clients refuse those that do not meet it."""
    read_only: bool = False
    """It looks, and changes nothing anywhere."""

    def declared(self) -> dict[str, Any]:
        """As `tools/list` has it."""
        fields: dict[str, Any] = {"name": self.name, "description": self.description}
        if self.title is not None:
            fields["title"] = self.title
        fields["inputSchema"] = dict(self.input_schema)
        if self.output_schema is not None:
            fields["outputSchema"] = dict(self.output_schema)
        if self.read_only:
            fields["annotations"] = {"readOnlyHint": True}
        return fields
