"""How each client is told of a failure: status, words and hints, by what the decision table says of it."""

from dataclasses import dataclass

from harness.decisions import Row

_UPSTREAM = "upstream_error"
_INVALID = "invalid_request_error"
_OPENAI: dict[str, tuple[str, str | None]] = {
    "connection_reset": (_UPSTREAM, "upstream_unreachable"),
    "request_timeout": (_UPSTREAM, "upstream_timeout"),
    "upstream_timeout": (_UPSTREAM, "upstream_timeout"),
    "rate_limited": ("rate_limit_error", "rate_limit_exceeded"),
    "quota_exceeded": ("insufficient_quota", "insufficient_quota"),
    "server_error": (_UPSTREAM, "upstream_server_error"),
    "overloaded": ("service_unavailable_error", "server_is_overloaded"),
    "authentication": (_UPSTREAM, "upstream_auth_error"),
    "redirect": (_UPSTREAM, "upstream_redirect"),
    "invalid_response": (_UPSTREAM, "upstream_invalid_response"),
    "interrupted": (_UPSTREAM, "upstream_interrupted"),
    "model_not_found": (_INVALID, "model_not_found"),
    "bad_request": (_INVALID, None),
    "conflict": (_INVALID, None),
    "context_length_exceeded": (_INVALID, "context_length_exceeded"),
    "content_filtered": (_INVALID, "content_filter"),
}
_ANTHROPIC = {
    400: "invalid_request_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GEMINI = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
IN_ITS_WORDS = frozenset({"bad_request", "conflict", "content_filtered"})
"""What a provider of OpenAI's own dialect says of these is passed on as it said it."""
LEFT_TO_THE_CLIENT = IN_ITS_WORDS | {"rate_limited", "context_length_exceeded"}
"""After these a client does as it thinks best; after all others it would only repeat what was tried."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a client is told."""

    status: int
    kind: str | None
    code: str | None


def telling(caller: str, row: Row) -> Telling:
    """What the client of a dialect is told of a failure of another one."""
    kind, code = _OPENAI[row.reason]
    match caller:
        case "openai":
            return Telling(row.status, kind, code)
        case "anthropic":
            # The one status that only its clients know.
            status = 529 if row.fault == "529" else row.status
            return Telling(status, _ANTHROPIC[status], code)
        case "gemini":
            return Telling(row.status, _GEMINI[row.status], (code or row.reason).upper())
    return Telling(row.status, None, None)


_INTERRUPTED_ANTHROPIC = {"rate_limited": "rate_limit_error", "stream_idle": "timeout_error"}


def telling_in_stream(caller: str, reason: str) -> Telling:
    """What the client of a dialect is told within a stream that breaks off."""
    match caller:
        case "openai":
            return Telling(200, _UPSTREAM, "stream_interrupted")
        case "anthropic":
            return Telling(200, _INTERRUPTED_ANTHROPIC.get(reason, "api_error"), "stream_interrupted")
        case "gemini":
            kind = "DEADLINE_EXCEEDED" if reason == "stream_idle" else "UNAVAILABLE"
            return Telling(200, kind, "STREAM_INTERRUPTED")
    return Telling(200, None, None)
