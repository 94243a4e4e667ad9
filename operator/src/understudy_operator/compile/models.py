"""The models of a provider, each with what the object says, else what its server or the catalogue says."""

from decimal import Decimal

from understudy_api.config import Capability, Pricing, ProviderModel
from understudy_api.v1alpha1.provider import LLMProviderSpec, ProviderType
from understudy_api.v1alpha1.provider import Pricing as PricingSpec
from understudy_api.v1alpha1.provider import ProviderModel as ModelSpec
from understudy_operator.compile.catalogue import KnownModel, known_model
from understudy_operator.compile.discovered import Discovered, DiscoveredModel
from understudy_operator.compile.tiers import cost_tier

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
_OF_AGENTS = KnownModel(ASSUMED_CAPABILITIES - {Capability.REASONING, Capability.EMBEDDINGS})
"""Agents are asked for answers and for nothing else, and cannot be told how hard to think."""
ANY_AGENT = (ModelSpec(name="default"),)
"""What a mesh offers where its object lists no names: whatever model the agent has."""


def compile_models(spec: LLMProviderSpec, discovered: Discovered | None) -> dict[str, ProviderModel]:
    """The provider's models by the name that routes use: those that it lists, and those that only its server lists."""
    models = spec.models or (ANY_AGENT if spec.type is ProviderType.MESH else ())
    listed = {model.name: _compile_model(spec.type, model, discovered) for model in models}
    return {**_only_discovered(spec, discovered), **listed}


def _only_discovered(spec: LLMProviderSpec, discovered: Discovered | None) -> dict[str, ProviderModel]:
    """A model that the object lists under a name of its own is not served under the server's as well."""
    if discovered is None:
        return {}
    named = (discovered.find(model.upstream_name or model.name) for model in spec.models)
    known = {model.id for model in named if model is not None}
    return {
        model.name: ProviderModel(
            upstream_name=model.id,
            capabilities=_capabilities(model),
            context_window=model.context_window,
            cost_tier=cost_tier(spec.type, None),
        )
        for model in discovered.models or ()
        if model.id not in known
    }


def _compile_model(type_: ProviderType, spec: ModelSpec, discovered: Discovered | None) -> ProviderModel:
    upstream_name = spec.upstream_name or spec.name
    known = _known(type_, upstream_name, discovered)
    pricing = known.pricing if spec.pricing is None else _pricing(spec.pricing)
    return ProviderModel(
        upstream_name=upstream_name,
        capabilities=known.capabilities
        if spec.capabilities is None
        else frozenset(Capability(capability) for capability in spec.capabilities),
        context_window=spec.context_window or known.context_window,
        max_output_tokens=spec.max_output_tokens or known.max_output_tokens,
        pricing=pricing,
        cost_tier=cost_tier(type_, pricing),
    )


def _known(type_: ProviderType, upstream_name: str, discovered: Discovered | None) -> KnownModel:
    found = discovered.find(upstream_name) if discovered else None
    if found is not None:
        return KnownModel(_capabilities(found), found.context_window)
    return known_model(type_, upstream_name) or (_OF_AGENTS if type_ is ProviderType.MESH else _UNKNOWN)


def _capabilities(model: DiscoveredModel) -> frozenset[Capability]:
    return ASSUMED_CAPABILITIES if model.capabilities is None else model.capabilities


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
