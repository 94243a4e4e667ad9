"""What a client is told when nobody answered: the provider's words where the request is at fault, else ours."""

from dataclasses import dataclass

from understudy_proxy.exchange.failure import UpstreamFailure
from understudy_proxy.routing.plan import Choice, Plan


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


def after(failures: tuple[tuple[Choice, UpstreamFailure], ...], *, target: str) -> Refusal:
    """The answer when every attempt failed; `target` is the name the client asked for."""
    raise NotImplementedError


def without_choices(plan: Plan) -> Refusal:
    """The answer when there was nobody to ask."""
    raise NotImplementedError
