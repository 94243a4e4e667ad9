"""What can go wrong, as types.

    UnderstudyError
     ├── ConfigurationError     the client cannot be used as it is configured
     ├── BadRequest             400, 413, 422 and other 4xx: the request is wrong, and stays wrong
     ├── AuthenticationError    401: the gateway does not know who calls
     ├── PermissionDenied       403: it knows, and the answer is no
     ├── ProviderNotFound       404: no route, persona or model of that name for this caller; no agent that fits
     ├── SessionNotFound        404: a session that has expired, was deleted, or is another caller's
     ├── SessionBusy            409: another turn of the session is under way
     ├── ToolNotFound           404: no tool of that name for this caller
     ├── ToolFailed             a tool of the gateway's that failed, or refused its arguments
     ├── RateLimited            429: too much, with `retry_after` where the gateway says when to come back
     ├── ProviderError          5xx: those who were asked could not answer
     ├── Unavailable            503, or nobody listens, or the connection broke before an answer
     ├── TimedOut               408, 504, or silence for too long; a `TimeoutError` too
     ├── Interrupted            an answer that broke off, with what was said so far
     ├── InvalidAnswer          whoever answered does not speak as a gateway does
     └── TooManyRounds          a model that went on calling tools

Messages are the gateway's own words, or a sentence of the client's. Neither holds a key. What the standard library or
httpx2 raised is chained as the cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.client._results import ChatResult
    from understudy.client._tool_loop import ToolRun


@dataclass(frozen=True, slots=True)
class Facts:
    """What an error answer says; None, or 0 attempts, is what it does not say.

    Attributes:
        status: Of HTTP; None where there was no answer.
        code: The gateway's word for programs, such as `rate_limit_exceeded`.
        reason: What happened at the provider, as in the table of `docs/failover.md`.
        request_id: For the gateway's logs.
        route: Who was to answer, `NAMESPACE/NAME`.
        provider: Who was asked last.
        attempts: How many attempts the gateway made.
        retry_after: Seconds until it may be worth asking again.
        should_retry: Whether the gateway advises a retry, or against it.
        body: The answer as it came, decoded if it was JSON.
    """

    status: int | None = None
    code: str | None = None
    reason: str | None = None
    request_id: str | None = None
    route: str | None = None
    provider: str | None = None
    attempts: int = 0
    retry_after: float | None = None
    should_retry: bool | None = None
    body: Any = field(default=None, repr=False)


class UnderstudyError(Exception):
    """Any failure of a call."""

    def __init__(self, message: str, facts: Facts | None = None) -> None:
        super().__init__(message)
        self.facts = facts or Facts()

    @property
    def status(self) -> int | None:
        """The HTTP status; None where there was no answer."""
        return self.facts.status

    @property
    def code(self) -> str | None:
        """The gateway's word for programs."""
        return self.facts.code

    @property
    def request_id(self) -> str | None:
        """For the gateway's logs."""
        return self.facts.request_id


class ConfigurationError(UnderstudyError):
    """The client cannot be used as it is configured: an address, a number, a file."""


class BadRequest(UnderstudyError):
    """The request is wrong, and asking again will not change it."""


class AuthenticationError(UnderstudyError):
    """The gateway does not know who calls: no credential, or one it refuses."""


class PermissionDenied(UnderstudyError):
    """The gateway knows who calls, and it is not allowed."""


class ProviderNotFound(UnderstudyError):
    """No route, persona, model or agent is there for what was looked for; the message says what there is instead."""


class SessionNotFound(UnderstudyError):
    """The session has expired, was deleted, or is another caller's."""


class SessionBusy(UnderstudyError):
    """Another turn of the session is under way: a conversation has one thing said at a time."""

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth asking again; None where the gateway does not say."""
        return self.facts.retry_after


class ToolNotFound(UnderstudyError):
    """No tool of that name is there for this caller."""


class ToolFailed(UnderstudyError):
    """A tool that the gateway runs has failed, or refused its arguments; the message is the tool's or the gateway's."""


class RateLimited(UnderstudyError):
    """Too many requests, or a quota is used up."""

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth asking again; None where the gateway does not say."""
        return self.facts.retry_after


class ProviderError(UnderstudyError):
    """Those who were asked could not answer."""


class Unavailable(UnderstudyError):
    """Nobody listens, the connection broke before an answer, or the gateway has nobody to ask."""

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth asking again; None where nobody says."""
        return self.facts.retry_after


class TimedOut(UnderstudyError, TimeoutError):
    """No answer in time, by the gateway's clock or the client's."""


class InvalidAnswer(UnderstudyError):
    """Whoever answered does not speak as a gateway does; mostly the address is another server's."""


class Interrupted(UnderstudyError):
    """An answer that had begun broke off."""

    def __init__(self, message: str, facts: Facts | None = None, *, so_far: "ChatResult | None" = None) -> None:
        super().__init__(message, facts)
        self.so_far = so_far
        """What was said until then; its `finish_reason` is None."""


class TooManyRounds(UnderstudyError):
    """A model still called tools after as many rounds as were allowed."""

    def __init__(self, message: str, facts: Facts | None = None, *, run: "ToolRun | None" = None) -> None:
        super().__init__(message, facts)
        self.run = run
        """Everything that was said; its last result is the one whose calls were not made."""


BY_STATUS: Mapping[int, type[UnderstudyError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    404: ProviderNotFound,
    408: TimedOut,
    429: RateLimited,
    503: Unavailable,
    504: TimedOut,
    529: Unavailable,
}

BY_CODE: Mapping[str, type[UnderstudyError]] = {
    "provider_not_found": ProviderNotFound,
    "session_not_found": SessionNotFound,
    "session_busy": SessionBusy,
    "tool_not_found": ToolNotFound,
}
"""Where the gateway's word for programs says more than the status."""
