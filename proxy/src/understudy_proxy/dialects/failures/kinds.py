"""What a provider means by an error, whatever shape it gives it.

Codes and types are believed before the status: a quota error and a rate limit are both 429, and errors come with
status 200 too, as a body or as an event of a stream.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from understudy_proxy.dialects.failures.shapes import Said, said_by
from understudy_proxy.dialects.failures.waiting import retry_after_seconds
from understudy_proxy.failure import FailureKind, UpstreamFailure, bounded

_KINDS: tuple[tuple[FailureKind, frozenset[str]], ...] = (
    (
        FailureKind.QUOTA_EXCEEDED,
        frozenset(
            {
                "insufficient_quota",
                "insufficient_balance",
                "insufficient_credits",
                "billing_error",
                "billing_hard_limit_reached",
                "billing_not_active",
                "credit_balance_exhausted",
                "organization_spend_limit_exceeded",
                "organization_usage_limit_exceeded",
                "project_spend_limit_exceeded",
                "enforced_spend_limit_reached",
                "payment_required",
            }
        ),
    ),
    (
        FailureKind.CONTEXT_LENGTH_EXCEEDED,
        frozenset(
            {
                "context_length_exceeded",
                "context_window_exceeded",
                "exceed_context_size_error",
                "model_context_window_exceeded",
                "input_too_long",
            }
        ),
    ),
    (
        FailureKind.CONTENT_FILTERED,
        frozenset(
            {
                "content_filter",
                "content_filtered",
                "content_policy_violation",
                "data_inspection_failed",
                "moderation_blocked",
                "prohibited_content",
                "responsibleaipolicyviolation",
            }
        ),
    ),
    (
        FailureKind.AUTHENTICATION,
        frozenset(
            {
                "account_deactivated",
                "api_key_invalid",
                "authentication_error",
                "incorrect_api_key",
                "invalid_api_key",
                "permission_denied",
                "permission_error",
                "unauthenticated",
                "unsupported_country_region_territory",
            }
        ),
    ),
    (
        FailureKind.MODEL_NOT_FOUND,
        frozenset(
            {
                "deploymentnotfound",
                "model_decommissioned",
                "model_not_available",
                "model_not_found",
                "not_found_error",
            }
        ),
    ),
    (
        FailureKind.RATE_LIMITED,
        frozenset({"rate_limit_error", "rate_limit_exceeded", "resource_exhausted", "slow_down", "too_many_requests"}),
    ),
    (
        FailureKind.OVERLOADED,
        frozenset(
            {
                "engine_overloaded_error",
                "overloaded",
                "overloaded_error",
                "server_is_overloaded",
                "service_unavailable",
                "service_unavailable_error",
                "unavailable",
            }
        ),
    ),
    (
        FailureKind.UPSTREAM_TIMEOUT,
        frozenset({"deadline_exceeded", "modeltimeout", "modeltimeoutexception", "timeout", "timeout_error"}),
    ),
    (
        FailureKind.BAD_REQUEST,
        frozenset({"badrequesterror", "invalid_argument", "invalid_request_error", "invalid_value"}),
    ),
)
_KIND_OF_WORD = {word: kind for kind, words in _KINDS for word in words}

_BY_STATUS = {
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.QUOTA_EXCEEDED,
    403: FailureKind.AUTHENTICATION,
    404: FailureKind.MODEL_NOT_FOUND,
    # The path of the configured base URL leads elsewhere: as little the client's fault as a model that is not there.
    405: FailureKind.MODEL_NOT_FOUND,
    408: FailureKind.UPSTREAM_TIMEOUT,
    409: FailureKind.CONFLICT,
    410: FailureKind.MODEL_NOT_FOUND,
    # Bedrock: the model failed.
    424: FailureKind.SERVER_ERROR,
    429: FailureKind.RATE_LIMITED,
    503: FailureKind.OVERLOADED,
    529: FailureKind.OVERLOADED,
}
_WORDS_BEFORE_STATUS = {
    400: frozenset(FailureKind) - {FailureKind.OVERLOADED, FailureKind.UPSTREAM_TIMEOUT},
    403: frozenset(
        {
            FailureKind.QUOTA_EXCEEDED,
            FailureKind.RATE_LIMITED,
            FailureKind.CONTENT_FILTERED,
            FailureKind.MODEL_NOT_FOUND,
        }
    ),
    429: frozenset({FailureKind.QUOTA_EXCEEDED}),
    500: frozenset({FailureKind.CONTEXT_LENGTH_EXCEEDED, FailureKind.OVERLOADED}),
}
"""The kinds that a code or type may make of a status; any other word leaves the status as it is."""
_WORDS_BEFORE_STATUS[413] = _WORDS_BEFORE_STATUS[422] = _WORDS_BEFORE_STATUS[400]

_CONTEXT_LENGTH = (
    "this model's maximum context length is",
    "maximum context length of",
    "exceed context limit",
    "exceeds the available context size",
    "exceeds the maximum number of tokens allowed",
    "input tokens exceed the configured limit",
    "is longer than the model's context length",
    "longer than the maximum model length",
    "prompt is too long",
    "exceeds the model's context window",
    "input is too long for requested model",
)
"""How servers without a code for it say that the input is too long; in lower case."""
_NOT_CONTEXT_LENGTH = "string_above_max_length"
_CREDIT = "credit balance is too low"
_BAD_KEY = "api key not valid"
_FLAGGED = (
    "input was flagged",
    "flagged by moderation",
    "content management policy",
    "blocked by content filtering policy",
)


def refused(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """What a response with an error status says.

    Args:
        status: of the response.
        headers: by lower-case name.
        body: of the response, as much of it as was read.
    """
    return failure_of(said_by(parsed(body), body), status=status, headers=headers)


def no_answer(body: bytes, answer: Any, *, status: int) -> UpstreamFailure:
    """A success whose body, `answer` once parsed, holds none."""
    text = said_by(answer, body).message or "an empty body"
    return UpstreamFailure(
        FailureKind.INVALID_RESPONSE, bounded(f"HTTP {status} with no answer in it: {text}"), status=status
    )


def invalid_response(message: str) -> UpstreamFailure:
    """A success that is none, whole or as a stream: `message` says what is wrong with it."""
    return UpstreamFailure(FailureKind.INVALID_RESPONSE, message)


def interrupted() -> UpstreamFailure:
    """A stream that ended by itself, or broke, before the answer was whole."""
    return UpstreamFailure(FailureKind.INTERRUPTED, "the stream ended before the answer did")


def is_success(status: int) -> bool:
    """Whether an answer may be expected in the body."""
    return status in range(200, 300)


def parsed(body: bytes) -> Any:
    """The JSON of a body; None when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def failure_of(said: Said, *, status: int | None, headers: Mapping[str, str]) -> UpstreamFailure:
    """The failure behind an error object; `status` is None for one that came inside a success."""
    actual = said.status if status is None else status
    return UpstreamFailure(
        kind=_kind(said, actual),
        message=bounded(said.message) or ("no message" if actual is None else f"HTTP {actual} without a message"),
        status=actual,
        type=said.type,
        code=said.code,
        param=said.param,
        retry_after_seconds=retry_after_seconds(headers, said.error),
    )


def _kind(said: Said, status: int | None) -> FailureKind:
    if status is None:
        return next(_kinds(said), FailureKind.SERVER_ERROR)
    if status in range(300, 400):
        return FailureKind.REDIRECT
    allowed = _WORDS_BEFORE_STATUS.get(status)
    if allowed is not None:
        for kind in _kinds(said):
            if kind in allowed:
                return kind
    if (kind_of_status := _BY_STATUS.get(status)) is not None:
        return kind_of_status
    if status in range(400, 500):
        return FailureKind.BAD_REQUEST
    return FailureKind.SERVER_ERROR if status in range(500, 600) else FailureKind.INVALID_RESPONSE


def _kinds(said: Said) -> Iterator[FailureKind]:
    """What its words make of it, the most exact first: a message may be more exact than a type."""
    for word in (said.inner_code, said.code):
        if (kind := _KIND_OF_WORD.get((word or "").lower())) is not None:
            if kind is FailureKind.BAD_REQUEST:
                break
            yield kind
    yield from _kinds_of_message(said)
    for word in (said.type, said.code):
        if (kind := _KIND_OF_WORD.get((word or "").lower())) is not None:
            yield kind


def _kinds_of_message(said: Said) -> Iterator[FailureKind]:
    message = said.message.lower()
    if said.code != _NOT_CONTEXT_LENGTH and any(words in message for words in _CONTEXT_LENGTH):
        yield FailureKind.CONTEXT_LENGTH_EXCEEDED
    if _CREDIT in message:
        yield FailureKind.QUOTA_EXCEEDED
    if _BAD_KEY in message:
        yield FailureKind.AUTHENTICATION
    if any(words in message for words in _FLAGGED):
        yield FailureKind.CONTENT_FILTERED
