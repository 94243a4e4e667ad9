"""Who is asked, in which order, and why: a pure function from a target, a need and the board to a `Plan`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from understudy_proxy.config.runtime import Candidate, RuntimeRule, RuntimeTarget, Upstream
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.need import Need


class SkipReason(StrEnum):
    """Why a backend is passed over."""

    NO_CHAT = "no_chat"
    NO_STREAMING = "no_streaming"
    NO_TOOLS = "no_tools"
    NO_VISION = "no_vision"
    NO_JSON_SCHEMA = "no_json_schema"
    NO_REASONING = "no_reasoning"
    NO_EMBEDDINGS = "no_embeddings"
    NO_AUDIO = "no_audio"
    NO_PREFILL = "no_prefill"
    WINDOW_TOO_SMALL = "window_too_small"
    OUTPUT_TOO_LONG = "output_too_long"
    WEIGHT_ZERO = "weight_zero"
    NO_ADDRESS = "no_address"
    EJECTED = "ejected"
    COOLING_DOWN = "cooling_down"


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
    """A place that is not asked."""

    candidate: Candidate
    endpoint: Endpoint | None
    because: SkipReason
    detail: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The order in which to ask, and who is passed over. No rule: none matches the request."""

    target: RuntimeTarget
    rule: RuntimeRule | None
    need: Need
    """The request's, with what the target's prompt adds."""
    choices: tuple[Choice, ...]
    skipped: tuple[Skipped, ...]
    retry_after_seconds: float | None
    """Without choices: when the first one that cools down may be asked again."""


def plan(
    target: RuntimeTarget,
    need: Need,
    headers: Mapping[str, str],
    *,
    board: HealthBoard,
    endpoints: Callable[[Upstream], tuple[Endpoint, ...]],
    draw: Callable[[], float],
    now: float,
) -> Plan:
    """Who answers `need`, in order. `draw` gives numbers in [0, 1); with the same draws the plan is the same."""
    raise NotImplementedError
