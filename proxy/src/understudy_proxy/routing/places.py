"""Where a request may go: the parts of a plan."""

from dataclasses import dataclass
from typing import NamedTuple

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.routing.fitness import SkipReason


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect. `key` is the upstream's key, with `@ADDRESS` behind it when it has several addresses."""

    key: str
    address: str | None = None
    """`HOST:PORT` to connect to instead of the URL's own."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One place to ask."""

    candidate: Candidate
    endpoint: Endpoint
    because: str
    """Why it is at this place, for people."""
    trial: bool = False
    """Its ejection is over and this would be its one trial: step over it when another one has begun meanwhile."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A place that is not asked. Without an endpoint it is the backend as a whole."""

    candidate: Candidate
    endpoint: Endpoint | None
    because: SkipReason
    detail: str
    """`because`, as a sentence about `it`."""
    until: float | None = None
    """Monotonic."""


class Contender(NamedTuple):
    """A backend that can answer, with those of its endpoints that may be asked."""

    candidate: Candidate
    endpoint: Endpoint
    """The one to ask first."""
    more: tuple[Endpoint, ...] = ()
    """Those to ask after it."""
