"""Tokens as Gemini states them: thoughts beside the answer, cached ones among the prompt's, zero left out."""

from typing import Any

from understudy_proxy.dialects.usage import Usage


def read_usage(stated: Any) -> Usage | None:
    """What a `usageMetadata` says; None when it counts nothing, as that of a stream's first chunk may."""
    if not isinstance(stated, dict):
        return None
    prompt, thoughts = _tokens(stated, "promptTokenCount"), _tokens(stated, "thoughtsTokenCount")
    if not prompt:
        return None
    return Usage(
        input=prompt + _tokens(stated, "toolUsePromptTokenCount"),
        output=_tokens(stated, "candidatesTokenCount") + thoughts,
        cached_input=_tokens(stated, "cachedContentTokenCount"),
        reasoning=thoughts,
    )


def written(usage: Usage) -> dict[str, int]:
    """The `usageMetadata` for `usage`. Tokens newly cached have no field of their own; they are among the prompt's."""
    stated = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": max(0, usage.output - usage.reasoning),
        "totalTokenCount": usage.input + usage.output,
    }
    if usage.cached_input:
        stated["cachedContentTokenCount"] = usage.cached_input
    if usage.reasoning:
        stated["thoughtsTokenCount"] = usage.reasoning
    return stated


def _tokens(stated: dict[str, Any], name: str) -> int:
    """A count, zero for anything that is none: a provider's slip must not break an answer that is there."""
    value = stated.get(name)
    return value if type(value) is int and value >= 0 else 0
