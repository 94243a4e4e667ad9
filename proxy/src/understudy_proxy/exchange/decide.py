"""After a failure: ask the same backend again, step to the next one, or give up. A pure function, one row a kind."""

from collections.abc import Callable
from dataclasses import dataclass

from understudy_api.config import RetryPolicy
from understudy_proxy.exchange.failure import UpstreamFailure
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
        begun: whether the client has seen a byte of the answer; then nothing can be asked again.
        retries_here: how often this backend was asked again already.
        attempts_left: how many more attempts the request may make.
        others_left: how many choices are still there, after `worth_asking`.
        policy: the target's.
        draw: numbers in [0, 1), for the jitter.
    """
    raise NotImplementedError


def worth_asking(failure: UpstreamFailure, failed: Choice, rest: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Those of `rest` that may succeed where `failed` did not."""
    raise NotImplementedError
