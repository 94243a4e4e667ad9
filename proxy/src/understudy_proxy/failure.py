"""What can go wrong at an upstream, as data: one closed set of kinds, told apart by what is to be done about them.

Whoever meets a failure (a transport, a dialect) says which kind it is and keeps what the provider said, bounded and
with secrets masked. What follows from it is decided in `exchange/decide.py`; what the client is told, in
`exchange/refusal.py`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_MESSAGE = 256
"""Characters of a provider's message that are kept."""
_MAX_MASKED = 4096
"""Characters that are looked through for secrets: cutting before masking could cut a secret out of recognition."""

_SECRETS = re.compile(
    r"""
    (?i:bearer\s+)[^\s"',;]+                                      # an authorization header that was quoted back
    | (?<![A-Za-z0-9])(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|csk|fw|tgp|pplx)[-_]   # what vendors begin their keys with,
      (?:(?=[A-Za-z_\-]*[0-9*])[A-Za-z0-9_*\-]{8,}|[A-Za-z_\-]{24,})         # and what does not look like a word
    | (?<![A-Za-z0-9])AIza[A-Za-z0-9_\-]{8,}                      # Google
    | (?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{12,}                        # AWS
    | (?<![A-Za-z0-9])eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){0,2}   # JSON web tokens
    | (?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{32,}          # long runs of letters and digits: Azure and others
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class FailureKind(StrEnum):
    """What went wrong. The values appear in metrics, logs and the `x-understudy-reason` header."""

    CONNECT_REFUSED = "connect_refused"
    NAME_NOT_RESOLVED = "name_not_resolved"
    TLS_FAILED = "tls_failed"
    CONNECTION_RESET = "connection_reset"
    """Broken before the head of the response was there."""
    CONNECT_TIMEOUT = "connect_timeout"
    UNREACHABLE = "unreachable"
    """Nobody is there: no way to the address, or a connection whose other end vanished before the head was there."""
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a model's token
    REQUEST_TIMEOUT = "request_timeout"
    STREAM_IDLE = "stream_idle"
    INTERRUPTED = "interrupted"
    """The answer began and was cut."""
    UPSTREAM_TIMEOUT = "upstream_timeout"
    """The provider itself says that it ran out of time (408)."""
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    """Money or quota is used up: waiting does not help."""
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    AUTHENTICATION = "authentication"
    """The provider refuses the gateway's credential."""
    MODEL_NOT_FOUND = "model_not_found"
    BAD_REQUEST = "bad_request"
    CONFLICT = "conflict"
    CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
    CONTENT_FILTERED = "content_filtered"
    INVALID_RESPONSE = "invalid_response"
    """A success that is none: HTML, nothing, or not what was asked for."""
    REDIRECT = "redirect"
    BUSY = "busy"
    """Not asked at all: as many requests are under way at the upstream as its configuration allows."""
    UNSUPPORTED = "unsupported"
    """Not asked at all: its dialect cannot express the request."""
    CLIENT_LEFT = "client_left"
    """Not the upstream's failure; it ends an attempt all the same."""


@dataclass(frozen=True, slots=True)
class UpstreamFailure:
    """One failure of one attempt. Everything in it may be logged."""

    kind: FailureKind
    message: str
    """For people; at most `MAX_MESSAGE` characters, without secrets. Make it with `bounded`."""
    status: int | None = None
    type: str | None = None
    """The provider's own words, as are `code` and `param`."""
    code: str | None = None
    param: str | None = None
    retry_after_seconds: float | None = None


class UpstreamError(Exception):
    """An attempt failed; `failure` says how."""

    def __init__(self, failure: UpstreamFailure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


def bounded(text: str) -> str:
    """`text` fit to be shown: secrets masked, control characters and line breaks as spaces, at most `MAX_MESSAGE`."""
    masked = _SECRETS.sub("…", _CONTROLS.sub(" ", text[:_MAX_MASKED])).strip()
    return masked if len(masked) <= MAX_MESSAGE else masked[: MAX_MESSAGE - 1] + "…"
