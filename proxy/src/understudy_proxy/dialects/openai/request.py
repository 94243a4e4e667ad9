"""A chat completion request, read once: enough of it to route, the rest left as it is."""

from dataclasses import dataclass, field
from typing import Any

from understudy_proxy.routing.need import Need


class RequestError(Exception):
    """The request is wrong, in OpenAI's words."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the field's own name in OpenAI's format
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param


@dataclass(frozen=True, slots=True, eq=False)
class ChatRequest:
    """A request as it was sent, and what was read from it."""

    raw: bytes = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    model: str
    need: Need
    stream: bool
    include_usage: bool
    """The client asked for a usage chunk at the end of the stream."""
    choices: int
    """`n`: how many answers were asked for."""


def read(body: bytes) -> ChatRequest:
    """Read a request.

    Raises:
        RequestError: it is not one.
    """
    raise NotImplementedError
