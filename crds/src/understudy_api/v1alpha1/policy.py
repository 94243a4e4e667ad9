"""Policies that LLMRoute and Persona share: limits, budgets, cache and access."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from understudy_api.v1alpha1.meta import SELECTOR_WITH_FROM, FromNamespaces, LabelSelector, Money, PositiveDuration
from understudy_api.v1alpha1.model import ApiModel, Invariant


class Per(StrEnum):
    """Whose requests are counted together."""

    CALLER = "Caller"
    NAMESPACE = "Namespace"
    ROUTE = "Route"


class Limit(ApiModel):
    """So many requests or tokens in a window."""

    invariants: ClassVar = (
        Invariant(
            cel="has(self.requests) != has(self.tokens)",
            message="a limit takes exactly one of requests, tokens",
            holds=lambda part: (part.requests is None) != (part.tokens is None),
        ),
    )

    per: Per
    requests: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Requests in a window; either this or tokens."""
    tokens: Annotated[int, Field(ge=1, le=1_000_000_000_000)] | None = None
    """Input and output tokens in a window; either this or requests."""
    window: PositiveDuration
    """How long a window is."""


class OnExceeded(StrEnum):
    """What happens to a request beyond its budget."""

    REJECT = "Reject"
    DOWNGRADE = "Downgrade"


class Budget(ApiModel):
    """So much money in a window."""

    per: Per
    amount: Money
    """US dollars."""
    window: PositiveDuration
    """How long a window is."""
    on_exceeded: OnExceeded = OnExceeded.REJECT


class CacheScope(StrEnum):
    """Who may be answered from the same cache entry."""

    CALLER = "Caller"
    NAMESPACE = "Namespace"
    ROUTE = "Route"


class Cache(ApiModel):
    """Answer identical requests from memory."""

    ttl: PositiveDuration
    """How long an answer is kept."""
    scope: CacheScope = CacheScope.CALLER


class Authorization(StrEnum):
    """How it is decided whether a caller may use the object."""

    NONE = "None"
    RBAC = "RBAC"


class Access(ApiModel):
    """Who may use the object."""

    invariants: ClassVar = (SELECTOR_WITH_FROM,)

    from_: Annotated[FromNamespaces, Field(alias="from")] = FromNamespaces.ALL
    selector: LabelSelector | None = None
    authorization: Authorization = Authorization.NONE
