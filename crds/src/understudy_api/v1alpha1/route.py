"""LLMRoute: the name an app asks for, who answers, and who steps in."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from understudy_api.v1alpha1 import patterns
from understudy_api.v1alpha1.meta import (
    Duration,
    HeaderName,
    HeaderValue,
    ModelName,
    Name,
    Namespace,
    ObjectReference,
    Resource,
)
from understudy_api.v1alpha1.model import ApiModel, Invariant, Unique, UniqueBy
from understudy_api.v1alpha1.policy import Access, Budget, Cache, Limit
from understudy_api.v1alpha1.provider import Capability

Percent = Annotated[int, Field(ge=0, le=100)]


class RouteModel(ApiModel):
    """A name that clients send as `model`; a trailing `*` makes it a prefix."""

    name: Annotated[str, Field(min_length=1, max_length=256, pattern=patterns.MODEL_OR_PREFIX)]
    """A name, or a prefix with * at its end; an exact name beats the longest prefix."""


class HeaderMatchType(StrEnum):
    """How a header's value is compared."""

    EXACT = "Exact"
    PREFIX = "Prefix"


class HeaderMatch(ApiModel):
    """A header the request must carry."""

    name: HeaderName
    """The header's name, whatever the case."""
    type: HeaderMatchType = HeaderMatchType.EXACT
    value: HeaderValue
    """The value or its beginning."""


class CallerMatch(ApiModel):
    """A caller by namespace, and by ServiceAccount name when given."""

    namespace: Namespace
    """The caller's namespace."""
    name: Name | None = None
    """The caller's ServiceAccount. Default: any."""


class Match(ApiModel):
    """All that is given must hold for the rule to apply."""

    min_input_tokens: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Applies to requests of at least so many input tokens."""
    headers: Annotated[tuple[HeaderMatch, ...], Field(max_length=16)] = ()
    """All of them must be there."""
    requires: Annotated[tuple[Capability, ...], Field(max_length=16), Unique()] = ()
    """Applies to requests that need all of these capabilities."""
    callers: Annotated[tuple[CallerMatch, ...], Field(max_length=32)] = ()
    """Any of them."""
    stream: bool | None = None
    """Applies to streaming requests only (true), or to others only (false)."""


class Backend(ApiModel):
    """A model at a provider. Lower priorities are asked first; weights share the load within one."""

    provider_ref: ObjectReference
    """The LLMProvider."""
    model: ModelName
    """One of the provider's models, by the name it has there."""
    weight: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    """The share of the load among backends of the same priority; 0 takes none."""
    priority: Annotated[int, Field(ge=0, le=15)] = 0
    """0 is asked first; higher ones step in."""


class Strategy(StrEnum):
    """How one of several backends of the same priority is chosen."""

    WEIGHTED = "Weighted"
    ROUND_ROBIN = "RoundRobin"
    LEAST_BUSY = "LeastBusy"
    LOWEST_LATENCY = "LowestLatency"
    LOWEST_COST = "LowestCost"


class Rule(ApiModel):
    """Who answers the requests that match."""

    name: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    """For explanations and metrics. Default: the rule's position."""
    matches: Annotated[tuple[Match, ...], Field(max_length=16)] = ()
    """Any of these; none at all means always."""
    backends: Annotated[tuple[Backend, ...], Field(min_length=1, max_length=32)]
    """Who answers, and who steps in."""
    strategy: Strategy = Strategy.WEIGHTED


class Backoff(ApiModel):
    """Exponential with full jitter."""

    base: Duration = "100ms"
    """The longest wait before the second attempt; it doubles with each one."""
    max: Duration = "2s"
    """The longest wait before any attempt."""


class RetryOn(StrEnum):
    """Kinds of upstream failure after which the next attempt may be made."""

    CONNECT_FAILURE = "ConnectFailure"
    TIMEOUT = "Timeout"
    RATE_LIMITED = "RateLimited"
    QUOTA_EXCEEDED = "QuotaExceeded"
    SERVER_ERROR = "ServerError"
    AUTHENTICATION = "Authentication"
    NOT_FOUND = "NotFound"
    CONTEXT_LENGTH_EXCEEDED = "ContextLengthExceeded"
    CONTENT_FILTERED = "ContentFiltered"
    INVALID_RESPONSE = "InvalidResponse"


class Retry(ApiModel):
    """How often, how patiently and after what another attempt is made."""

    attempts: Annotated[int, Field(ge=1, le=16)] | None = None
    """All attempts of a request together. Default: 3, or one for each backend of the longest rule."""
    backoff: Backoff | None = None
    """How long to wait between attempts."""
    retry_on: Annotated[tuple[RetryOn, ...], Field(min_length=1, max_length=16), Unique()] | None = None
    """After which failures another attempt is made. Default: all but ContentFiltered."""
    budget_percent: Percent | None = None
    """How many requests in a hundred may ask the same backend again. Default: 20."""


class OnInterruption(StrEnum):
    """What happens when a stream breaks after text was sent."""

    FAIL = "Fail"
    RESUME = "Resume"


class RouteStream(ApiModel):
    """Streaming behavior."""

    on_interruption: OnInterruption = OnInterruption.FAIL
    """Fail ends it with an error; Resume continues on the next backend with what was already said."""


class RouteTimeouts(ApiModel):
    """How long a request may take, all attempts together."""

    request: Duration | None = None
    """All attempts together. Default: none beyond the providers' own."""


class AffinityType(StrEnum):
    """What requests that belong together have in common."""

    SESSION = "Session"
    CALLER = "Caller"
    HEADER = "Header"
    PROMPT_PREFIX = "PromptPrefix"


class Affinity(ApiModel):
    """Keep requests that belong together on one backend."""

    invariants: ClassVar = (
        Invariant(
            cel="(self.type == 'Header') == has(self.header)",
            message="header and type: Header go together: set both or neither",
            holds=lambda part: (part.type is AffinityType.HEADER) == (part.header is not None),
        ),
    )

    type: AffinityType
    header: HeaderName | None = None
    """The header whose value is compared, with type Header."""


class Mirror(ApiModel):
    """Send a share of requests to another backend too, and drop its answers."""

    provider_ref: ObjectReference
    """The LLMProvider."""
    model: ModelName
    """One of the provider's models."""
    percent: Percent = 100
    """The share of requests."""


class Abort(ApiModel):
    """Answer a share of requests with an error."""

    status: Annotated[int, Field(ge=400, le=599)]
    """The HTTP status of the error."""
    percent: Percent = 100
    """The share of requests."""


class Delay(ApiModel):
    """Make a share of requests wait."""

    duration: Duration
    """How long they wait."""
    percent: Percent = 100
    """The share of requests."""


class Faults(ApiModel):
    """Faults given on purpose, to see how callers take them."""

    abort: Abort | None = None
    delay: Delay | None = None


class Hedge(ApiModel):
    """Ask the next backend too when the first is slow, and take the faster answer."""

    after: Duration
    """How long the first is waited for."""


class LLMRouteSpec(ApiModel):
    """Who answers a name, and who steps in."""

    models: Annotated[tuple[RouteModel, ...], Field(max_length=64), UniqueBy("name")] = ()
    """Names that clients send as `model`. Default: the object's name."""
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=32)]
    """The first one that matches wins."""
    retry: Retry | None = None
    stream: RouteStream | None = None
    timeouts: RouteTimeouts | None = None
    affinity: Affinity | None = None
    cache: Cache | None = None
    limits: Annotated[tuple[Limit, ...], Field(max_length=16)] = ()
    """All of them hold."""
    budgets: Annotated[tuple[Budget, ...], Field(max_length=16)] = ()
    """All of them hold."""
    access: Access | None = None
    mirror: Mirror | None = None
    faults: Faults | None = None
    hedge: Hedge | None = None


class LLMRoute(Resource):
    """The name an app asks for, who answers, and who steps in."""

    kind: Literal["LLMRoute"] = "LLMRoute"
    spec: LLMRouteSpec
