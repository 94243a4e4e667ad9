"""Well-known models: what they can do and what their vendors charge, as published on `AS_OF`.

Only the vendor's own provider type is looked up: the same weights cost something else elsewhere. What an object says
about a model wins, field by field.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from understudy_api.config import Capability, Pricing
from understudy_api.v1alpha1.provider import ProviderType

AS_OF = "2026-11-20"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What the catalogue says about a model."""

    capabilities: frozenset[Capability]
    context_window: int | None
    max_output_tokens: int | None
    pricing: Pricing | None


def _chat(*more: Capability) -> frozenset[Capability]:
    return frozenset({Capability.CHAT, Capability.STREAMING, *more})


_TOOLS = _chat(Capability.TOOLS)
_STRICT = _chat(Capability.TOOLS, Capability.JSON_SCHEMA)
_SEEING = _chat(Capability.TOOLS, Capability.JSON_SCHEMA, Capability.VISION)
_THINKING = _chat(Capability.TOOLS, Capability.JSON_SCHEMA, Capability.REASONING)
_THINKING_SEEING = _THINKING | {Capability.VISION}
_EMBEDDING = frozenset({Capability.EMBEDDINGS})


def _price(input_: str, output: str, *, cached: str | None = None, cache_write: str | None = None) -> Pricing:
    return Pricing(
        input=Decimal(input_),
        output=Decimal(output),
        cached_input=Decimal(cached or input_),
        cache_write=Decimal(cache_write or input_),
        reasoning=Decimal(output),
    )


_K = 1024
_MODELS: dict[ProviderType, dict[str, KnownModel]] = {
    ProviderType.OPENAI: {
        "gpt-4o": KnownModel(_SEEING, 128_000, 16_384, _price("2.50", "10.00", cached="1.25")),
        "gpt-4o-mini": KnownModel(_SEEING, 128_000, 16_384, _price("0.15", "0.60", cached="0.075")),
        "gpt-4.1": KnownModel(_SEEING, 1_047_576, 32_768, _price("2.00", "8.00", cached="0.50")),
        "gpt-4.1-mini": KnownModel(_SEEING, 1_047_576, 32_768, _price("0.40", "1.60", cached="0.10")),
        "gpt-4.1-nano": KnownModel(_SEEING, 1_047_576, 32_768, _price("0.10", "0.40", cached="0.025")),
    },
}

_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


def known_model(type_: ProviderType, upstream_name: str) -> KnownModel | None:
    """What is known of a vendor's model; a dated snapshot is taken for the model whose name it extends."""
    models = _MODELS.get(type_, {})
    return models.get(upstream_name) or models.get(_SNAPSHOT.sub("", upstream_name))
