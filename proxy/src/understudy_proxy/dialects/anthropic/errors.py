"""Errors as Anthropic's clients understand them.

https://platform.claude.com/docs/en/api/errors
"""

import orjson

from understudy_proxy.failure import FailureKind, UpstreamFailure

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OF_FAILURES = {
    FailureKind.OVERLOADED: "overloaded_error",
    FailureKind.RATE_LIMITED: "rate_limit_error",
    FailureKind.STREAM_IDLE: "timeout_error",
    FailureKind.REQUEST_TIMEOUT: "timeout_error",
    FailureKind.UPSTREAM_TIMEOUT: "timeout_error",
}
INTERRUPTED = "stream_interrupted"


def render(status: int, message: str, *, code: str | None = None, request_id: str | None = None) -> bytes:
    """The body of an error answer; the type follows from the status, `code` says more to a program."""
    otherwise = "api_error" if status >= 500 else "invalid_request_error"
    return _error(_TYPES.get(status, otherwise), message, code=code, request_id=request_id)


def in_stream(failure: UpstreamFailure) -> bytes:
    """The event that tells a client its stream was interrupted; no `message_stop` follows.

    The provider's own message stays out: the client cannot act on it, and it may speak of what is behind the gateway.
    """
    message = f"The provider's stream was interrupted ({failure.kind}): the answer is not complete."
    error = _error(_OF_FAILURES.get(failure.kind, "api_error"), message, code=INTERRUPTED, request_id=None)
    return b"event: error\ndata: " + error + b"\n\n"


def _error(kind: str, message: str, *, code: str | None, request_id: str | None) -> bytes:
    error: dict[str, object] = {"type": kind, "message": message}
    if code is not None:
        error["details"] = {"error_code": code}
    return orjson.dumps({"type": "error", "error": error, "request_id": request_id})
