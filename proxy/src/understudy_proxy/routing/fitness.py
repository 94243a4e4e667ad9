"""Whether a backend can answer a request at all, whatever its health: what it can do, and what fits into it."""

from enum import StrEnum

from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.routing.need import Need

CERTAIN_SHARE = 0.7
"""Of an estimated input: at least so much of it is there. Only what does not fit even then is passed over; what turns
out too long after all is the provider's to say, and then a larger window is asked."""


class SkipReason(StrEnum):
    """Why a backend is passed over."""

    NO_CHAT = "no_chat"
    NO_STREAMING = "no_streaming"
    NO_TOOLS = "no_tools"
    NO_VISION = "no_vision"
    NO_JSON_SCHEMA = "no_json_schema"
    NO_REASONING = "no_reasoning"
    NO_EMBEDDINGS = "no_embeddings"
    NO_AUDIO = "no_audio"
    NO_PREFILL = "no_prefill"
    WINDOW_TOO_SMALL = "window_too_small"
    OUTPUT_TOO_LONG = "output_too_long"
    WEIGHT_ZERO = "weight_zero"
    NO_ADDRESS = "no_address"
    PROVIDER_NOT_FOUND = "provider_not_found"
    """No agent of a mesh offers what is looked for."""
    EJECTED = "ejected"
    COOLING_DOWN = "cooling_down"


LACKING = {
    Capability.CHAT: SkipReason.NO_CHAT,
    Capability.STREAMING: SkipReason.NO_STREAMING,
    Capability.TOOLS: SkipReason.NO_TOOLS,
    Capability.VISION: SkipReason.NO_VISION,
    Capability.JSON_SCHEMA: SkipReason.NO_JSON_SCHEMA,
    Capability.REASONING: SkipReason.NO_REASONING,
    Capability.EMBEDDINGS: SkipReason.NO_EMBEDDINGS,
    Capability.AUDIO: SkipReason.NO_AUDIO,
    Capability.PREFILL: SkipReason.NO_PREFILL,
}


def unfit(candidate: Candidate, need: Need) -> tuple[SkipReason, str] | None:
    """Why `candidate` cannot answer, as a code and a sentence; None when it can."""
    if not need.capabilities <= candidate.capabilities:
        missing = sorted(need.capabilities - candidate.capabilities)
        return LACKING[missing[0]], f"it lacks {', '.join(missing)}, which the request needs"
    if candidate.weight == 0:
        return SkipReason.WEIGHT_ZERO, "its weight is 0"
    asked = need.max_output_tokens or 0
    window = candidate.context_window
    tokens = need.input_tokens if need.least_input_tokens is None else need.least_input_tokens
    if window is not None and int(tokens * CERTAIN_SHARE) + asked > window:
        return SkipReason.WINDOW_TOO_SMALL, _too_small(need, tokens, window)
    longest = candidate.max_output_tokens
    if longest is not None and asked > longest:
        return SkipReason.OUTPUT_TOO_LONG, f"it answers with at most {longest} tokens and {asked} are asked for"
    return None


def _too_small(need: Need, tokens: int, window: int) -> str:
    output = f" and {need.max_output_tokens} to answer with" if need.max_output_tokens else ""
    return f"its window holds {window} tokens and the request has about {tokens}{output}"
