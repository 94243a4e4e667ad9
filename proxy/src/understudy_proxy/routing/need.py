"""What a request asks of whoever answers it; read once from its body, compared with every candidate."""

from dataclasses import dataclass, replace

from understudy_api.config import Capability, Prompt

BYTES_PER_TOKEN = 4
"""Of UTF-8, on average over languages and tokenizers."""
_TOOL_TOKENS = 150
"""A tool's declaration, roughly."""
_MAX_OUTPUT_FIELDS = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True, slots=True)
class Need:
    """What an answer takes."""

    capabilities: frozenset[Capability]
    input_tokens: int
    """An estimate, see `dialects/openai/request.py`: good for choosing, not for billing."""
    stream: bool
    max_output_tokens: int | None
    least_input_tokens: int | None = None
    """The estimate without what may be left out where it does not fit; None: nothing may."""


def with_required(need: Need, required: frozenset[Capability]) -> Need:
    """The need with the capabilities that a target requires of whoever answers under its name."""
    return replace(need, capabilities=need.capabilities | required)


def with_prompt(need: Need, prompt: Prompt) -> Need:
    """The need of the request that a persona makes of it."""
    tokens = len(prompt.system or "") // BYTES_PER_TOKEN + len(prompt.tools) * _TOOL_TOKENS
    return Need(
        capabilities=need.capabilities | {Capability.TOOLS} if prompt.tools else need.capabilities,
        input_tokens=need.input_tokens + tokens,
        stream=need.stream,
        max_output_tokens=_max_output(need, prompt),
        least_input_tokens=None if need.least_input_tokens is None else need.least_input_tokens + tokens,
    )


def _max_output(need: Need, prompt: Prompt) -> int | None:
    for field in _MAX_OUTPUT_FIELDS:
        if type(tokens := prompt.overrides.get(field)) is int:
            return tokens
    if need.max_output_tokens is None:
        for field in _MAX_OUTPUT_FIELDS:
            if type(tokens := prompt.defaults.get(field)) is int:
                return tokens
    return need.max_output_tokens
