"""Where Vertex AI differs from the Developer API."""

from understudy_proxy.config.runtime import Candidate

_TYPE = "VertexAI"
"""The provider type, as users write it."""


def is_vertex(candidate: Candidate) -> bool:
    """Whether the model is at Vertex AI."""
    return candidate.upstream.type == _TYPE
