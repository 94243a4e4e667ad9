"""After a failure: ask the same backend again, step to the next one, or give up. A pure function, one row a kind.

Three questions in order. Has the client seen anything? Then nothing can be asked again: text would come twice. Is it
the request's own fault? Then it is wrong everywhere. Else whoever is next is asked, and the same backend once more
where that may help and costs no other backend its attempt.
"""

from collections.abc import Callable
from dataclasses import dataclass

from understudy_api.config import RetryOn, RetryPolicy
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.health import HealthEffect
from understudy_proxy.routing.plan import Choice


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do. Neither `retry_same` nor `fail_over`: give up."""

    retry_same: bool
    fail_over: bool
    effect: HealthEffect
    delay_seconds: float = 0.0
    """To wait before asking the same backend again."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What follows from a kind of failure."""

    retry_on: RetryOn | None
    """The policy's word for it; None: no policy makes another attempt."""
    effect: HealthEffect
    retries: int = 0
    """How often the same backend is asked again."""


_ANY = 1_000
"""As often as there are attempts."""
_CONNECT = _Row(RetryOn.CONNECT_FAILURE, HealthEffect.EJECT, retries=1)
_SLOW = _Row(RetryOn.TIMEOUT, HealthEffect.COUNT)
_SERVER = _Row(RetryOn.SERVER_ERROR, HealthEffect.COUNT, retries=1)
_BROKEN = _Row(RetryOn.INVALID_RESPONSE, HealthEffect.COUNT)
_WRONG = _Row(None, HealthEffect.ALIVE)

ROWS: dict[FailureKind, _Row] = {
    FailureKind.CONNECT_REFUSED: _CONNECT,
    FailureKind.NAME_NOT_RESOLVED: _CONNECT,
    FailureKind.TLS_FAILED: _CONNECT,
    FailureKind.CONNECTION_RESET: _Row(RetryOn.CONNECT_FAILURE, HealthEffect.COUNT, retries=1),
    FailureKind.CONNECT_TIMEOUT: _CONNECT,
    FailureKind.UNREACHABLE: _CONNECT,
    FailureKind.FIRST_TOKEN_TIMEOUT: _SLOW,
    FailureKind.REQUEST_TIMEOUT: _SLOW,
    FailureKind.STREAM_IDLE: _SLOW,
    FailureKind.INTERRUPTED: _BROKEN,
    FailureKind.UPSTREAM_TIMEOUT: _Row(RetryOn.TIMEOUT, HealthEffect.SOFT, retries=_ANY),
    FailureKind.RATE_LIMITED: _Row(RetryOn.RATE_LIMITED, HealthEffect.COOL_DOWN),
    FailureKind.QUOTA_EXCEEDED: _Row(RetryOn.QUOTA_EXCEEDED, HealthEffect.COOL_DOWN_LONG),
    FailureKind.SERVER_ERROR: _SERVER,
    FailureKind.OVERLOADED: _SERVER,
    FailureKind.AUTHENTICATION: _Row(RetryOn.AUTHENTICATION, HealthEffect.EJECT),
    FailureKind.MODEL_NOT_FOUND: _Row(RetryOn.NOT_FOUND, HealthEffect.MODEL_MISSING),
    FailureKind.BAD_REQUEST: _WRONG,
    FailureKind.CONFLICT: _WRONG,
    FailureKind.CONTEXT_LENGTH_EXCEEDED: _Row(RetryOn.CONTEXT_LENGTH_EXCEEDED, HealthEffect.ALIVE),
    FailureKind.CONTENT_FILTERED: _Row(RetryOn.CONTENT_FILTERED, HealthEffect.ALIVE),
    FailureKind.INVALID_RESPONSE: _BROKEN,
    FailureKind.REDIRECT: _Row(RetryOn.INVALID_RESPONSE, HealthEffect.EJECT),
    FailureKind.BUSY: _Row(RetryOn.RATE_LIMITED, HealthEffect.NONE),
    FailureKind.UNSUPPORTED: _Row(None, HealthEffect.NONE),
    FailureKind.CLIENT_LEFT: _Row(None, HealthEffect.NONE),
}

_SAME_UPSTREAM = frozenset(
    {
        FailureKind.AUTHENTICATION,
        FailureKind.QUOTA_EXCEEDED,
        FailureKind.CONTENT_FILTERED,
        FailureKind.REDIRECT,
        FailureKind.NAME_NOT_RESOLVED,
        FailureKind.TLS_FAILED,
    }
)
"""What befalls a provider as a whole: its other models and addresses fail the same way. Agents of a mesh have each a
vendor of their own."""
_SAME_ENDPOINT = frozenset({FailureKind.CONNECT_REFUSED, FailureKind.CONNECT_TIMEOUT, FailureKind.UNREACHABLE})
_ASKED_AGAIN_WHEN_ALONE = frozenset({FailureKind.RATE_LIMITED, FailureKind.CONNECT_TIMEOUT, FailureKind.UNREACHABLE})
"""Asking again costs the caller a long wait: the time asked for, or as long as it took to find nobody there."""


def decide(
    failure: UpstreamFailure,
    *,
    begun: bool,
    retries_here: int,
    attempts_left: int,
    others_left: int,
    policy: RetryPolicy,
    draw: Callable[[], float],
) -> Decision:
    """What follows from `failure`.

    Args:
        failure: how the attempt ended.
        begun: whether the client has seen a byte of the answer.
        retries_here: how often this backend was asked again already.
        attempts_left: how many more attempts the request may make.
        others_left: how many other choices there are, after `worth_asking`.
        policy: the target's.
        draw: numbers in [0, 1), for the jitter.
    """
    row = ROWS[failure.kind]
    effect = _effect(row, failure)
    if begun or attempts_left < 1 or row.retry_on not in policy.retry_on:
        return Decision(retry_same=False, fail_over=False, effect=effect)
    if _may_retry(row, failure, retries_here, others_left, policy) and attempts_left > others_left:
        # One more try decides whether the endpoint is out.
        milder = HealthEffect.COUNT if effect is HealthEffect.EJECT else effect
        delay = _delay(failure, retries_here, policy, draw)
        return Decision(retry_same=True, fail_over=False, effect=milder, delay_seconds=delay)
    return Decision(retry_same=False, fail_over=others_left > 0, effect=effect)


def worth_asking(failure: UpstreamFailure, failed: Choice, rest: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Those of `rest` that may succeed where `failed` did not."""
    if failure.kind is FailureKind.CONTEXT_LENGTH_EXCEEDED:
        return tuple(choice for choice in rest if _is_larger(choice, failed))
    if failure.kind in _SAME_UPSTREAM and failed.endpoint.agent is None:
        return tuple(choice for choice in rest if choice.candidate.upstream.key != failed.candidate.upstream.key)
    if failure.kind in _SAME_ENDPOINT:
        return tuple(choice for choice in rest if choice.endpoint.key != failed.endpoint.key)
    return rest


def _is_larger(choice: Choice, failed: Choice) -> bool:
    """Whether its window is known to be larger; against a window that nobody knows, any known one counts."""
    window, too_small = choice.candidate.context_window, failed.candidate.context_window
    return window is not None and (too_small is None or window > too_small)


def _effect(row: _Row, failure: UpstreamFailure) -> HealthEffect:
    """A server in trouble that says when to come back is left alone until then, like one that limits rates."""
    if row is _SERVER and failure.retry_after_seconds:
        return HealthEffect.COOL_DOWN
    return row.effect


def _may_retry(row: _Row, failure: UpstreamFailure, retries_here: int, others_left: int, policy: RetryPolicy) -> bool:
    """Whether asking the same backend again may help, within what the policy is willing to wait."""
    wait = failure.retry_after_seconds
    if wait is not None and wait > policy.max_seconds:
        return False
    if others_left and failure.kind in _ASKED_AGAIN_WHEN_ALONE:
        return False
    if failure.kind is FailureKind.RATE_LIMITED:
        return wait is not None
    return retries_here < row.retries


def _delay(failure: UpstreamFailure, retries_here: int, policy: RetryPolicy, draw: Callable[[], float]) -> float:
    """What the provider asks for, else exponential with full jitter."""
    if failure.retry_after_seconds is not None:
        return failure.retry_after_seconds
    return draw() * min(policy.max_seconds, policy.base_seconds * 2.0 ** min(retries_here, 30))
