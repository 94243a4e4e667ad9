"""Where a request may go: the parts of a plan."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from understudy_proxy.config.runtime import Candidate, Upstream
from understudy_proxy.routing.fitness import SkipReason


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of a mesh that answers for a provider."""

    upstream: Upstream
    """The provider, as it is called at this agent."""
    whole: str
    """The function that answers."""
    streamed: str | None
    """The one that answers as a stream; agents of the first kind have none."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect. `key` is the upstream's key, with `@ADDRESS` behind it when it has several addresses."""

    key: str
    address: str | None = None
    """`HOST:PORT` to connect to instead of the URL's own."""
    rank: int = 0
    """Of several endpoints, those of the lowest are asked first."""
    agent: Agent | None = None
    """Who is there, where that is an agent of a mesh; behind the `@` is its id then."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a provider has no endpoint."""

    because: SkipReason
    detail: str
    """`because`, as a sentence about `it`."""


Endpoints = Callable[[Upstream], tuple[Endpoint, ...] | Absent]
"""The places of a provider that are known now; one without an address where it has only its URL."""


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
