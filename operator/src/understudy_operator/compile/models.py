"""The models of a provider, each with what the object says, else what the catalogue knows."""

from decimal import Decimal

from understudy_api.config import Capability, Pricing, ProviderModel
from understudy_api.v1alpha1.provider import LLMProviderSpec, ProviderType
from understudy_api.v1alpha1.provider import Pricing as PricingSpec
from understudy_api.v1alpha1.provider import ProviderModel as ModelSpec
from understudy_operator.compile.catalogue import KnownModel, known_model

ASSUMED_CAPABILITIES = frozenset(
    {
        Capability.CHAT,
        Capability.STREAMING,
        Capability.TOOLS,
        Capability.VISION,
        Capability.JSON_SCHEMA,
        Capability.REASONING,
        Capability.EMBEDDINGS,
    }
)
"""Of a model that nothing is known about: whatever would otherwise make it useless as an understudy.

Audio and Prefill must be said: few models have them, and a request that needs them cannot do with less.
"""

_UNKNOWN = KnownModel(ASSUMED_CAPABILITIES)


def compile_models(spec: LLMProviderSpec) -> dict[str, ProviderModel]:
    """The provider's models by the name that routes use."""
    return {model.name: _compile_model(spec.type, model) for model in spec.models}


def _compile_model(type_: ProviderType, spec: ModelSpec) -> ProviderModel:
    upstream_name = spec.upstream_name or spec.name
    known = known_model(type_, upstream_name) or _UNKNOWN
    return ProviderModel(
        upstream_name=upstream_name,
        capabilities=known.capabilities
        if spec.capabilities is None
        else frozenset(Capability(capability) for capability in spec.capabilities),
        context_window=spec.context_window or known.context_window,
        max_output_tokens=spec.max_output_tokens or known.max_output_tokens,
        pricing=known.pricing if spec.pricing is None else _pricing(spec.pricing),
    )


def _pricing(spec: PricingSpec) -> Pricing:
    input_, output = Decimal(spec.input_per_million), Decimal(spec.output_per_million)
    return Pricing(
        input=input_,
        output=output,
        cached_input=_money(spec.cached_input_per_million, default=input_),
        cache_write=_money(spec.cache_write_per_million, default=input_),
        reasoning=_money(spec.reasoning_per_million, default=output),
    )


def _money(amount: str | None, *, default: Decimal) -> Decimal:
    return default if amount is None else Decimal(amount)
