"""What a client is told when nobody answered: the provider's words where the request is at fault, else ours.

Ours name each backend that was asked or passed over and what happened there, and nothing of what a provider said: that
may speak of credentials, accounts and hosts behind the gateway, which are not the client's.

When backends failed differently, one failure gives the status: the one that helps the client most. A request that is
wrong comes first, then what passes at a known time, then what passes, then that somebody was too busy to be asked, then
what this request alone meets, last what only the gateway's owner can mend.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from understudy_api.config import Dialect
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.fitness import SkipReason
from understudy_proxy.routing.health import QUOTA_SECONDS
from understudy_proxy.routing.plan import Choice, Plan, Skipped

_MAX_NAMED = 6
"""Backends that a message names."""
_UNSAID_SECONDS = 1.0
"""To wait where it is sure that waiting helps, and nobody said how long."""
_INVALID = "invalid_request_error"
_UPSTREAM = "upstream_error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer, free of any wire format; `type` and `code` are OpenAI's words."""

    status: int
    message: str
    type: str
    code: str | None
    param: str | None
    reason: str
    """For the `x-understudy-reason` header and metrics: a word of a closed set."""
    retry_after_seconds: float | None = None
    should_retry: bool | None = None
    """For `x-should-retry`: False when the client would only repeat what was tried; None leaves it to the client."""
    upstream_status: int | None = None
    """What the provider said whose failure this is about."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How a kind of failure looks from outside."""

    rank: int
    """Lower ones give the status when backends failed differently."""
    status: int
    type: str
    code: str
    phrase: str
    """What the backend did."""


_WRONG, _TIMED, _PASSING, _UNASKED, _HERE, _OWNER = range(6)

_VERDICTS = {
    FailureKind.BAD_REQUEST: _Verdict(_WRONG, 400, _INVALID, "invalid_request", "refused the request"),
    FailureKind.CONFLICT: _Verdict(_WRONG, 409, _INVALID, "conflict", "reported a conflict"),
    FailureKind.RATE_LIMITED: _Verdict(_TIMED, 429, "rate_limit_error", "rate_limit_exceeded", "is rate limited"),
    FailureKind.BUSY: _Verdict(
        _UNASKED, 503, "service_unavailable_error", "upstream_busy", "has as many requests under way as it may have"
    ),
    FailureKind.OVERLOADED: _Verdict(
        _PASSING, 503, "service_unavailable_error", "server_is_overloaded", "is overloaded"
    ),
    FailureKind.SERVER_ERROR: _Verdict(_PASSING, 502, _UPSTREAM, "upstream_server_error", "reported an error"),
    FailureKind.CONNECT_REFUSED: _Verdict(_PASSING, 502, _UPSTREAM, "upstream_unreachable", "refused the connection"),
    FailureKind.NAME_NOT_RESOLVED: _Verdict(
        _PASSING, 502, _UPSTREAM, "upstream_unreachable", "has a host name that does not resolve"
    ),
    FailureKind.TLS_FAILED: _Verdict(_PASSING, 502, _UPSTREAM, "upstream_unreachable", "failed the TLS handshake"),
    FailureKind.CONNECTION_RESET: _Verdict(
        _PASSING, 502, _UPSTREAM, "upstream_unreachable", "closed the connection without an answer"
    ),
    FailureKind.CONNECT_TIMEOUT: _Verdict(
        _PASSING, 504, _UPSTREAM, "upstream_timeout", "did not accept a connection in time"
    ),
    FailureKind.UNREACHABLE: _Verdict(_PASSING, 502, _UPSTREAM, "upstream_unreachable", "is not there"),
    FailureKind.FIRST_TOKEN_TIMEOUT: _Verdict(
        _PASSING, 504, _UPSTREAM, "upstream_timeout", "did not begin to answer in time"
    ),
    FailureKind.REQUEST_TIMEOUT: _Verdict(_PASSING, 504, _UPSTREAM, "upstream_timeout", "did not answer in time"),
    FailureKind.STREAM_IDLE: _Verdict(_PASSING, 504, _UPSTREAM, "upstream_timeout", "fell silent"),
    FailureKind.UPSTREAM_TIMEOUT: _Verdict(_PASSING, 504, _UPSTREAM, "upstream_timeout", "ran out of time"),
    FailureKind.INTERRUPTED: _Verdict(_PASSING, 502, _UPSTREAM, "upstream_interrupted", "broke off its answer"),
    FailureKind.INVALID_RESPONSE: _Verdict(
        _PASSING, 502, _UPSTREAM, "upstream_invalid_response", "gave no valid answer"
    ),
    FailureKind.CLIENT_LEFT: _Verdict(_PASSING, 499, _UPSTREAM, "client_left", "was not waited for"),
    FailureKind.CONTEXT_LENGTH_EXCEEDED: _Verdict(
        _HERE, 400, _INVALID, "context_length_exceeded", "has too small a context window"
    ),
    FailureKind.CONTENT_FILTERED: _Verdict(_HERE, 400, _INVALID, "content_filter", "filtered the content"),
    FailureKind.UNSUPPORTED: _Verdict(
        _HERE, 400, _INVALID, "unsupported_parameter", "has no way to express the request"
    ),
    FailureKind.QUOTA_EXCEEDED: _Verdict(
        _OWNER, 429, "insufficient_quota", "insufficient_quota", "has used up the gateway's quota"
    ),
    FailureKind.MODEL_NOT_FOUND: _Verdict(_OWNER, 404, _INVALID, "model_not_found", "does not have the model"),
    FailureKind.AUTHENTICATION: _Verdict(
        _OWNER, 502, _UPSTREAM, "upstream_auth_error", "refused the gateway's own credential"
    ),
    FailureKind.REDIRECT: _Verdict(_OWNER, 502, _UPSTREAM, "upstream_redirect", "answered with a redirect"),
}
_PROVIDERS_WORDS = frozenset(
    {
        FailureKind.BAD_REQUEST,
        FailureKind.CONFLICT,
        FailureKind.CONTEXT_LENGTH_EXCEEDED,
        FailureKind.CONTENT_FILTERED,
        FailureKind.UNSUPPORTED,
    }
)
"""The request is at fault, and the provider knows best how."""
_STATUS_AS_IT_WAS = frozenset({FailureKind.BAD_REQUEST, FailureKind.CONFLICT, FailureKind.SERVER_ERROR})
_RETRIES_LEFT_TO_CLIENT = frozenset({FailureKind.RATE_LIMITED, FailureKind.BUSY}) | _PROVIDERS_WORDS


def after(failures: Sequence[tuple[Choice, UpstreamFailure]], *, target: str) -> Refusal:
    """The answer when every attempt failed.

    Args:
        failures: at least one, in the order in which they happened.
        target: the name that the client asked for.
    """
    choice, failure = min(reversed(failures), key=lambda pair: _VERDICTS[pair[1].kind].rank)
    verdict = _VERDICTS[failure.kind]
    if failure.kind in _PROVIDERS_WORDS:
        if choice.candidate.upstream.dialect is not Dialect.OPENAI:
            # Its message is for people; types and codes are OpenAI's words here, and its own would be strange ones.
            failure = replace(failure, type=None, code=None)
        return _in_the_providers_words(failure, verdict)
    wait = _wait(failure.kind, failures)
    advice = f" Try again in {math.ceil(wait)} s." if wait is not None else ""
    return Refusal(
        status=_status(failure, verdict),
        message=f"No backend of {target!r} answered. {_what_happened(failures)}.{advice}",
        type=verdict.type,
        code=verdict.code,
        param="model" if failure.kind is FailureKind.MODEL_NOT_FOUND else None,
        reason=failure.kind.value,
        retry_after_seconds=wait,
        should_retry=None if failure.kind in _RETRIES_LEFT_TO_CLIENT else False,
        upstream_status=failure.status,
    )


def _in_the_providers_words(failure: UpstreamFailure, verdict: _Verdict) -> Refusal:
    keeps_code = failure.kind in {FailureKind.BAD_REQUEST, FailureKind.CONFLICT}
    is_known_filter = failure.code in {"content_filter", "content_policy_violation"}
    return Refusal(
        status=_status(failure, verdict),
        message=failure.message,
        type=failure.type or verdict.type,
        code=failure.code if keeps_code or is_known_filter else verdict.code,
        param=failure.param,
        reason=failure.kind.value,
    )


def _status(failure: UpstreamFailure, verdict: _Verdict) -> int:
    """The provider's own where it says more to a client than ours."""
    status = failure.status
    if failure.kind in _STATUS_AS_IT_WAS and status is not None:
        floor = 500 if failure.kind is FailureKind.SERVER_ERROR else 400
        if floor <= status < floor + 100:
            return status
    return verdict.status


def _wait(kind: FailureKind, failures: Iterable[tuple[Choice, UpstreamFailure]]) -> float | None:
    """How long until one of those that failed this way is back."""
    waits = [failure.retry_after_seconds for _, failure in failures if failure.kind is kind]
    least = _UNSAID_SECONDS if kind in {FailureKind.RATE_LIMITED, FailureKind.BUSY} else None
    wait = min((wait for wait in waits if wait is not None), default=least)
    # Every 429 says when to come back; before this time the gateway itself would not ask there again.
    return max(wait or 0.0, QUOTA_SECONDS) if kind is FailureKind.QUOTA_EXCEEDED else wait


def _what_happened(failures: Iterable[tuple[Choice, UpstreamFailure]]) -> str:
    """One phrase for each backend and way of failing, in order."""
    phrases = dict.fromkeys(f"{choice.candidate.key} {_phrase(failure)}" for choice, failure in failures)
    return _listed(phrases)


def _phrase(failure: UpstreamFailure) -> str:
    phrase = _VERDICTS[failure.kind].phrase
    return f"{phrase} (HTTP {failure.status})" if failure.status is not None else phrase


def _listed(phrases: Iterable[str]) -> str:
    named = list(phrases)
    more = f"; and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
    return "; ".join(named[:_MAX_NAMED]) + more


def without_choices(plan: Plan) -> Refusal:
    """The answer when there was nobody to ask."""
    name = plan.target.label
    if plan.rule is None and plan.target.rules:
        message = f"No rule of {name} matches this request."
        return Refusal(400, message, _INVALID, "no_matching_rule", None, "no_matching_rule")
    if plan.retry_after_seconds is not None:
        message = f"Nobody behind {name} may be asked right now. {_passed_over(plan.skipped)}."
        return Refusal(
            429,
            f"{message} Try again in {math.ceil(plan.retry_after_seconds)} s.",
            "rate_limit_error",
            "rate_limit_exceeded",
            None,
            SkipReason.COOLING_DOWN.value,
            plan.retry_after_seconds,
        )
    reasons = {skip.because for skip in plan.skipped}
    for reason, (code, param) in _REQUEST_ASKS_TOO_MUCH.items():
        if reason in reasons:
            message = f"No backend of {name} can answer this request. {_passed_over(plan.skipped)}."
            return Refusal(400, message, _INVALID, code, param, reason.value)
    if SkipReason.PROVIDER_NOT_FOUND in reasons:
        code = SkipReason.PROVIDER_NOT_FOUND.value
        message = f"{name} has nobody to ask right now. {_passed_over(plan.skipped)}."
        return Refusal(503, message, "service_unavailable_error", code, "model", code)
    why = _passed_over(plan.skipped) or "All its backends are out of the configuration: see the object's conditions"
    return Refusal(
        503, f"{name} has no backend to ask. {why}.", "service_unavailable_error", "no_backend", None, "no_backend"
    )


_REQUEST_ASKS_TOO_MUCH: dict[SkipReason, tuple[str, str | None]] = {
    SkipReason.WINDOW_TOO_SMALL: ("context_length_exceeded", "messages"),
    SkipReason.OUTPUT_TOO_LONG: ("invalid_value", "max_tokens"),
    SkipReason.NO_TOOLS: ("unsupported_parameter", "tools"),
    SkipReason.NO_VISION: ("unsupported_parameter", "messages"),
    SkipReason.NO_AUDIO: ("unsupported_parameter", "messages"),
    SkipReason.NO_JSON_SCHEMA: ("unsupported_parameter", "response_format"),
    SkipReason.NO_STREAMING: ("unsupported_parameter", "stream"),
    SkipReason.NO_REASONING: ("unsupported_parameter", None),
    SkipReason.NO_PREFILL: ("unsupported_parameter", "messages"),
    SkipReason.NO_EMBEDDINGS: ("unsupported_parameter", "model"),
    SkipReason.NO_CHAT: ("unsupported_parameter", "model"),
}
"""In the order in which they give the code."""


def _passed_over(skipped: Iterable[Skipped]) -> str:
    return _listed(dict.fromkeys(f"{skip.candidate.key}: {skip.detail}" for skip in skipped))
