"""Models by whose they are: `anthropic/claude-sonnet-4-5`, as apps of the field write it, at whichever provider has it.

What a provider's object is called is its owner's business, and need not be the vendor's name.
"""

from collections.abc import Iterable, Mapping

from understudy_proxy.config.runtime import Candidate, Upstream
from understudy_proxy.mesh.vendors import UNKNOWN, vendor_of

_ALSO = {"gemini": ("google",), "AzureOpenAI": ("azure",), "VertexAI": ("vertex_ai",)}
"""What else apps write before a model of a vendor, or of a type of provider."""


def by_vendor(upstreams: Iterable[Upstream]) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Providers and models there by `VENDOR/MODEL`: those of the vendor itself first, then those who resell it."""
    found: dict[str, list[tuple[bool, str, str]]] = {}
    for upstream in upstreams:
        for candidate in upstream.candidates.values():
            own, prefixes = _prefixes(candidate)
            for name in dict.fromkeys((candidate.model, candidate.upstream_model)):
                for prefix in prefixes:
                    found.setdefault(f"{prefix}/{name}", []).append((not own, upstream.key, candidate.model))
    return {name: tuple((key, model) for _, key, model in sorted(places)) for name, places in found.items()}


def _prefixes(candidate: Candidate) -> tuple[bool, tuple[str, ...]]:
    """What may stand before a model, and whether its vendor serves it."""
    type_ = candidate.upstream.type
    vendor = vendor_of(candidate.upstream.system, candidate.upstream_model)
    told = () if vendor is UNKNOWN else (vendor.name, *_ALSO.get(vendor.name, ()))
    return type_.lower() == vendor.name, tuple(dict.fromkeys((*told, type_.lower(), *_ALSO.get(type_, ()))))
