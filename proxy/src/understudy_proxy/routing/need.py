"""What a request asks of whoever answers it; read once from its body, compared with every candidate."""

from dataclasses import dataclass

from understudy_api.config import Capability


@dataclass(frozen=True, slots=True)
class Need:
    """What an answer takes."""

    capabilities: frozenset[Capability]
    input_tokens: int
    """An estimate, see `dialects/openai/request.py`: good for choosing, not for billing."""
    stream: bool
    max_output_tokens: int | None
