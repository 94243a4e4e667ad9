"""Policies that LLMRoute and Persona share: limits, budgets, cache and access."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from understudy_api.v1alpha1.meta import ApiModel, Duration, FromNamespaces, LabelSelector, Money, cel


class Per(StrEnum):
    """Whose requests are counted together."""

    CALLER = "Caller"
    NAMESPACE = "Namespace"
    ROUTE = "Route"


class Limit(ApiModel):
    """So many requests or tokens in a window."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            ("has(self.requests) != has(self.tokens)", "a limit takes exactly one of requests, tokens")
        )
    )

    per: Per
    requests: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    tokens: Annotated[int, Field(ge=1, le=1_000_000_000_000)] | None = None
    window: Duration


class OnExceeded(StrEnum):
    """What happens to a request beyond its budget."""

    REJECT = "Reject"
    DOWNGRADE = "Downgrade"


class Budget(ApiModel):
    """So much money in a window."""

    per: Per
    amount: Money
    window: Duration
    on_exceeded: OnExceeded = OnExceeded.REJECT


class CacheScope(StrEnum):
    """Who may be answered from the same cache entry."""

    CALLER = "Caller"
    NAMESPACE = "Namespace"
    ROUTE = "Route"


class Cache(ApiModel):
    """Answer identical requests from memory."""

    ttl: Duration
    scope: CacheScope = CacheScope.CALLER


class Authorization(StrEnum):
    """How it is decided whether a caller may use the object."""

    NONE = "None"
    RBAC = "RBAC"


class Access(ApiModel):
    """Who may use the object."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                "!has(self.from) || self.from != 'Selector' || has(self.selector)",
                "selector is required when from is Selector",
            )
        )
    )

    from_: Annotated[FromNamespaces, Field(alias="from")] = FromNamespaces.ALL
    selector: LabelSelector | None = None
    authorization: Authorization = Authorization.NONE
