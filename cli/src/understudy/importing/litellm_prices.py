"""What a model costs by LiteLLM's `model_info` or `litellm_params`: dollars for a token."""

from understudy.importing.objects import per_million
from understudy.importing.parts import Part

_RATES = {
    "input_cost_per_token": "inputPerMillion",
    "output_cost_per_token": "outputPerMillion",
    "cache_read_input_token_cost": "cachedInputPerMillion",
    "cache_creation_input_token_cost": "cacheWritePerMillion",
}


def pricing_of(params: Part, info: Part) -> dict[str, str]:
    """Ours, where both of the rates are there that ours needs."""
    found: dict[str, str] = {}
    for field, name in _RATES.items():
        in_params, in_info = params.number(field), info.number(field)
        dollars = in_params if in_params is not None else in_info
        if dollars is not None:
            found[name] = per_million(dollars, 1)
    return found if {"inputPerMillion", "outputPerMillion"} <= found.keys() else {}
