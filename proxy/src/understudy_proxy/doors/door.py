"""What a door is: a function from one HTTP request to one answer.

A door never sees the server's own request and response objects, so it stays as cheap as it can be and is tested
without a socket. The server adds what every answer carries (request ids, date, length) and turns a `Refused` into the
error format of the route.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from multidict import CIMultiDictProxy

Headers = tuple[tuple[str, str], ...]
"""Response headers; names in lower case, values without control characters."""

JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """A whole answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Headers = ()


class Refused(Exception):
    """The request is answered with an error. The message is for the caller: what happened, and what to do."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str | None = None,  # noqa: A002 - the field's own name in every error format
        code: str | None = None,
        param: str | None = None,
        reason: str = "",
        headers: Headers = (),
        upstream_status: int | None = None,
    ) -> None:
        """Refuse.

        Args:
            status: The HTTP status.
            message: What happened, and what to do.
            type: The kind of error, in the words of the format that clients of the route expect.
            code: As `type`, in more detail.
            param: The field at fault.
            reason: Why, in a word of a closed set: for metrics, logs and the `x-understudy-reason` header.
            headers: Further headers.
            upstream_status: What the provider said, where the refusal is due to one.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.reason = reason
        self.headers = headers
        self.upstream_status = upstream_status
        self.request_id: str | None = None
        """Of the request that is refused; known once the error is rendered."""


class EventStream(Protocol):
    """An answer on its way, piece by piece."""

    async def write(self, data: bytes) -> None:
        """Send `data` now; waits while the client does not read what was sent before.

        Raises:
            ConnectionError: the client has left.
        """

    async def finish(self) -> None:
        """End the answer well; without it the connection is cut, which a client sees as an error."""


class Request(Protocol):
    """One HTTP request, as doors see it."""

    id: str
    """The client's own `x-request-id` where it is sane, else a new one."""
    method: str
    path: str
    """Without query and `/ns/NAMESPACE` prefix, slashes tidied."""
    query: str
    rest: str
    """What follows the path of a route with `below`, percent-decoded."""
    namespace: str | None
    """Pinned by a `/ns/NAMESPACE` prefix."""
    headers: CIMultiDictProxy[str]
    received: float
    """Monotonic seconds."""
    cut_short: bool
    """The task was cancelled because the server cannot wait any longer, and not because the client left."""

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            Refused: it is too large, too slow or not well formed.
        """

    async def begin(self, answer: Answer) -> EventStream:
        """Send the head of `answer` with its body as the first piece; the door then returns None."""


Door = Callable[[Request], Awaitable[Answer | None]]
"""None: the door has sent its answer itself, through `Request.begin`."""

ErrorFormat = Callable[[Refused], bytes]
"""The body of an error in the wire format of a door."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and the door for each method. A `GET` door also answers `HEAD`."""

    path: str
    doors: Mapping[str, Door]
    errors: ErrorFormat
    below: bool = False
    """Whether the route is for everything below `path` rather than for `path` itself."""
    errors_by_method: Mapping[str, ErrorFormat] = field(default_factory=dict)
    """The formats of methods that only other clients use."""

    def errors_of(self, method: str) -> ErrorFormat:
        """The format in which requests with `method` are refused."""
        return self.errors_by_method.get(method, self.errors)
