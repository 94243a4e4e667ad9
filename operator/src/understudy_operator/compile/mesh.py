"""Providers of type Mesh: which agents answer. Who they are is found out by proxies, as agents come and go."""

from understudy_api.config import MeshSource
from understudy_api.v1alpha1.provider import LLMProviderSpec, ProviderType
from understudy_api.v1alpha1.provider import MeshSource as MeshSpec

_ANYONE = MeshSpec()


def mesh_source(spec: LLMProviderSpec) -> MeshSource | None:
    """What is looked for in the mesh; None where the provider is none."""
    if spec.type is not ProviderType.MESH:
        return None
    wanted = spec.mesh or _ANYONE
    return MeshSource(
        capability=wanted.capability,
        tags=wanted.tags,
        version=wanted.version or "",
        own=spec.base_url is None,
    )
