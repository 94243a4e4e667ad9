"""What an answer cost, by the price of its model."""

from decimal import Decimal

from understudy_api.config import Pricing
from understudy_proxy.dialects.usage import Usage

_MILLION = Decimal(1_000_000)


def cost_of(usage: Usage, pricing: Pricing) -> Decimal:
    """US dollars. Cached tokens are part of the input and reasoning is part of the output, each at its own price."""
    plain_input = max(0, usage.input - usage.cached_input - usage.cache_write)
    plain_output = max(0, usage.output - usage.reasoning)
    return (
        plain_input * pricing.input
        + usage.cached_input * pricing.cached_input
        + usage.cache_write * pricing.cache_write
        + plain_output * pricing.output
        + usage.reasoning * pricing.reasoning
    ) / _MILLION
