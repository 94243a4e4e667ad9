"""Price classes: what a model costs, in a word."""

from decimal import Decimal

from understudy_api.config import Pricing
from understudy_api.v1alpha1.persona import CostTier
from understudy_api.v1alpha1.provider import ProviderType
from understudy_operator.compile.vendors import VENDORS

_LIMITS = ((CostTier.LOW, Decimal(2)), (CostTier.MEDIUM, Decimal(15)))
"""Dollars per million output tokens up to which a tier reaches; all above is High."""


def cost_tier(type_: ProviderType, pricing: Pricing | None) -> CostTier | None:
    """The price class of a model; None when its price is unknown. What one runs oneself costs nothing by the token."""
    if pricing is None:
        return CostTier.LOW if VENDORS[type_].self_hosted else None
    return next((tier for tier, limit in _LIMITS if pricing.output <= limit), CostTier.HIGH)
