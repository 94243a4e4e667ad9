"""Well-known models: what they can do and what their vendors charge, as published on `AS_OF`.

Only the vendor's own provider type is looked up: the same weights cost something else elsewhere. What an object says
about a model wins, field by field. Left out: what a vendor does not publish, and prices that depend on the hour, on the
length of the prompt, on the region or on the kind of deployment, because one number would be wrong for them; an unknown
price is unknown, never zero.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from understudy_api.config import Capability, Pricing
from understudy_api.v1alpha1.provider import ProviderType

AS_OF = "2026-11-20"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What is known about a model; windows in tokens."""

    capabilities: frozenset[Capability]
    context_window: int | None = None
    max_output_tokens: int | None = None
    pricing: Pricing | None = None


def known_model(type_: ProviderType, upstream_name: str) -> KnownModel | None:
    """What is known of a vendor's model; a dated snapshot is taken for the model whose name it extends."""
    if type_ is ProviderType.BEDROCK:
        return _known_at_bedrock(upstream_name)
    models = KNOWN_MODELS.get(type_, {})
    return models.get(upstream_name) or models.get(_SNAPSHOT.sub("", upstream_name))


def _known_at_bedrock(upstream_name: str) -> KnownModel | None:
    """By the id without region, date and version. What a model costs depends on the region that is asked."""
    parts = _BEDROCK.fullmatch(upstream_name)
    known = KNOWN_MODELS[ProviderType.BEDROCK].get(parts["model"]) if parts else None
    if parts is None or known is None:
        return None
    return known if parts["region"] == _PRICED_AT[parts["vendor"]] else replace(known, pricing=None)


_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
_BEDROCK = re.compile(
    r"(?:(?P<region>us|us-gov|eu|apac|jp|au|ca|global)\.)?"
    r"(?P<model>(?P<vendor>anthropic|amazon)\.[a-z0-9-]+?)(?:-\d{8})?(?:-v\d+(?::\d+)?)?"
)
_PRICED_AT = {"anthropic": "global", "amazon": "us"}
"""The regions to which the vendors' first prices apply: Anthropic's own, and those of the United States."""


def _price(input_: str, output: str, *, cached: str | None = None, written: str | None = None) -> Pricing:
    """US dollars per million tokens; a discount that is not published is none."""
    return Pricing(
        input=Decimal(input_),
        output=Decimal(output),
        cached_input=Decimal(cached or input_),
        cache_write=Decimal(written or input_),
        reasoning=Decimal(output),
    )


_EMBEDS = frozenset({Capability.EMBEDDINGS})
_CHATS = frozenset({Capability.CHAT, Capability.STREAMING, Capability.TOOLS})
_CODES = _CHATS | {Capability.JSON_SCHEMA}
_SEES = _CODES | {Capability.VISION}
_THINKS = _CODES | {Capability.REASONING}
_THINKS_AND_SEES = _THINKS | {Capability.VISION}
_CONTINUES = _THINKS_AND_SEES | {Capability.PREFILL}
_HEARS = _THINKS_AND_SEES | {Capability.AUDIO}

_OPENAI = {
    "gpt-4o": KnownModel(_SEES, 128_000, 16_384, _price("2.50", "10.00", cached="1.25")),
    "gpt-4o-2024-05-13": KnownModel(_SEES, 128_000, 4_096, _price("5.00", "15.00")),
    "gpt-4o-mini": KnownModel(_SEES, 128_000, 16_384, _price("0.15", "0.60", cached="0.075")),
    "gpt-4.1": KnownModel(_SEES, 1_047_576, 32_768, _price("2.00", "8.00", cached="0.50")),
    "gpt-4.1-mini": KnownModel(_SEES, 1_047_576, 32_768, _price("0.40", "1.60", cached="0.10")),
    "gpt-4.1-nano": KnownModel(_SEES, 1_047_576, 32_768, _price("0.10", "0.40", cached="0.025")),
    "o3": KnownModel(_THINKS_AND_SEES, 200_000, 100_000, _price("2.00", "8.00", cached="0.50")),
    "o3-mini": KnownModel(_THINKS, 200_000, 100_000, _price("1.10", "4.40", cached="0.55")),
    "o4-mini": KnownModel(_THINKS_AND_SEES, 200_000, 100_000, _price("1.10", "4.40", cached="0.275")),
    "gpt-5": KnownModel(_THINKS_AND_SEES, 400_000, 128_000, _price("1.25", "10.00", cached="0.125")),
    "gpt-5-mini": KnownModel(_THINKS_AND_SEES, 400_000, 128_000, _price("0.25", "2.00", cached="0.025")),
    "gpt-5-nano": KnownModel(_THINKS_AND_SEES, 400_000, 128_000, _price("0.05", "0.40", cached="0.005")),
    "gpt-5.4-mini": KnownModel(_THINKS_AND_SEES, 400_000, 128_000, _price("0.75", "4.50", cached="0.075")),
    "text-embedding-3-small": KnownModel(_EMBEDS, 8_191, pricing=_price("0.02", "0")),
    "text-embedding-3-large": KnownModel(_EMBEDS, 8_191, pricing=_price("0.13", "0")),
}
_ANTHROPIC = {
    "claude-haiku-4-5": KnownModel(_CONTINUES, 200_000, 64_000, _price("1.00", "5.00", cached="0.10", written="1.25")),
    "claude-sonnet-4-5": KnownModel(
        _CONTINUES, 200_000, 64_000, _price("3.00", "15.00", cached="0.30", written="3.75")
    ),
    "claude-opus-4-5": KnownModel(_CONTINUES, 200_000, 64_000, _price("5.00", "25.00", cached="0.50", written="6.25")),
    "claude-sonnet-4-6": KnownModel(_THINKS_AND_SEES, pricing=_price("3.00", "15.00", cached="0.30", written="3.75")),
    "claude-opus-4-6": KnownModel(
        _THINKS_AND_SEES, 1_000_000, 128_000, _price("5.00", "25.00", cached="0.50", written="6.25")
    ),
    "claude-opus-5": KnownModel(
        _THINKS_AND_SEES, 1_000_000, 128_000, _price("5.00", "25.00", cached="0.50", written="6.25")
    ),
    "claude-opus-5-5": KnownModel(
        _THINKS_AND_SEES, 1_000_000, 128_000, _price("4.00", "20.00", cached="0.40", written="5.00")
    ),
    "claude-sonnet-5-5": KnownModel(
        _THINKS_AND_SEES, 1_000_000, 128_000, _price("2.00", "10.00", cached="0.20", written="2.50")
    ),
}
_GEMINI = {
    "gemini-2.5-pro": KnownModel(_HEARS, 1_048_576, 65_536),
    "gemini-2.5-flash": KnownModel(_HEARS, 1_048_576, 65_536, _price("0.30", "2.50", cached="0.03")),
    "gemini-2.5-flash-lite": KnownModel(_HEARS, 1_048_576, 65_536, _price("0.10", "0.40", cached="0.01")),
    "gemini-embedding-001": KnownModel(_EMBEDS, 2_048, pricing=_price("0.15", "0")),
}
_NOVA = {
    "nova-micro": KnownModel(_CHATS, 128_000, pricing=_price("0.035", "0.14", cached="0.00875")),
    "nova-lite": KnownModel(_CHATS | {Capability.VISION}, 300_000, pricing=_price("0.06", "0.24", cached="0.015")),
    "nova-pro": KnownModel(_CHATS | {Capability.VISION}, 300_000, pricing=_price("0.80", "3.20", cached="0.20")),
    "nova-premier": KnownModel(_CHATS | {Capability.VISION}, 1_000_000),
}

KNOWN_MODELS: dict[ProviderType, dict[str, KnownModel]] = {
    ProviderType.OPENAI: _OPENAI,
    # By the usual names of deployments. What they cost depends on their kind: global, of a zone, of a region.
    ProviderType.AZURE_OPENAI: {name: replace(model, pricing=None) for name, model in _OPENAI.items()},
    ProviderType.ANTHROPIC: _ANTHROPIC,
    ProviderType.GEMINI: _GEMINI,
    ProviderType.VERTEX_AI: _GEMINI,
    ProviderType.BEDROCK: {
        **{f"anthropic.{name}": model for name, model in _ANTHROPIC.items()},
        **{f"amazon.{name}": model for name, model in _NOVA.items()},
    },
    ProviderType.DEEPSEEK: {
        "deepseek-flash": KnownModel(_CHATS | {Capability.REASONING, Capability.VISION}, 1_000_000, 384_000),
        "deepseek-v4-pro": KnownModel(_CHATS | {Capability.REASONING}, 1_000_000, 384_000),
    },
    ProviderType.MISTRAL: {
        "mistral-large-2512": KnownModel(_SEES, 256_000, pricing=_price("0.50", "1.50")),
        "mistral-medium-3.5": KnownModel(_SEES, 256_000, pricing=_price("1.50", "7.50")),
        "mistral-medium-2508": KnownModel(_SEES, 128_000, pricing=_price("0.40", "2.00")),
        "mistral-small-2506": KnownModel(_SEES, 128_000, pricing=_price("0.10", "0.30")),
        "codestral-2508": KnownModel(_CODES, 256_000, pricing=_price("0.30", "0.90")),
    },
    ProviderType.GROQ: {
        "llama-3.1-8b-instant": KnownModel(_CHATS, 131_072, 131_072, _price("0.05", "0.08")),
        "llama-3.3-70b-versatile": KnownModel(_CHATS, 131_072, 32_768, _price("0.59", "0.79")),
        "openai/gpt-oss-120b": KnownModel(_THINKS, 131_072, 65_536, _price("0.15", "0.60")),
    },
}
