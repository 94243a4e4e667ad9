"""Agents of a mesh as a provider of a gateway that a test configures by hand."""

from typing import Any

from harness.gateways import ALL
from understudy_api.config import Capability, Dialect, MeshSource, Provider, ProviderModel, Timeouts


def mesh_provider(url: str | None, *tags: str, name: str = "agents", version: str = "", **fields: Any) -> Provider:
    """A provider `default/NAME` of whoever offers `llm` with these tags.

    Args:
        url: Of the registry; None is the gateway's own.
        tags: What is looked for.
        name: Of the object.
        version: What is looked for.
        fields: More of the provider.
    """
    can = ALL - {Capability.EMBEDDINGS, Capability.AUDIO, Capability.PREFILL}
    given: dict[str, Any] = {
        "timeouts": Timeouts(connect_seconds=2, first_token_seconds=20, stream_idle_seconds=20, request_seconds=40),
        **fields,
    }
    return Provider(
        namespace="default",
        name=name,
        type="Mesh",
        system="mesh",
        dialect=Dialect.MESH,
        base_url=url or "",
        mesh=MeshSource(capability="llm", tags=tags, version=version, own=url is None),
        models={"default": ProviderModel(upstream_name="default", capabilities=can)},
        **given,
    )
