"""Tokens as OpenAI's dialect states them, and as its speakers vary them."""

from typing import Any

from understudy_proxy.dialects.usage import Usage


def states_usage(answer: dict[str, Any]) -> bool:
    """Whether an answer or a chunk states usage."""
    return _stated(answer) is not None


def read_usage(answer: dict[str, Any]) -> Usage | None:
    """The usage that an answer or a chunk states; None when it states none.

    `prompt_tokens` include cached ones and `completion_tokens` include reasoning, as everywhere in this dialect.
    DeepSeek counts cached tokens beside the details.
    """
    stated = _stated(answer)
    if stated is None:
        return None
    prompt = _details(stated, "prompt_tokens_details")
    completion = _details(stated, "completion_tokens_details")
    return Usage(
        input=_tokens(stated, "prompt_tokens"),
        output=_tokens(stated, "completion_tokens"),
        cached_input=_tokens(prompt, "cached_tokens") or _tokens(stated, "prompt_cache_hit_tokens"),
        cache_write=_tokens(prompt, "cache_write_tokens") or _tokens(prompt, "cache_creation_tokens"),
        reasoning=_tokens(completion, "reasoning_tokens"),
    )


def stated(usage: Usage) -> dict[str, Any]:
    """`usage` as an answer or a chunk states it."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _stated(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Groq puts the usage of a stream into `x_groq`."""
    stated = answer.get("usage")
    if stated is None and isinstance(groq := answer.get("x_groq"), dict):
        stated = groq.get("usage")
    return stated if isinstance(stated, dict) else None


def _details(stated: dict[str, Any], name: str) -> dict[str, Any]:
    details = stated.get(name)
    return details if isinstance(details, dict) else {}


def _tokens(stated: dict[str, Any], name: str) -> int:
    """A count, zero for anything that is none: a provider's slip must not break an answer that is there."""
    value = stated.get(name)
    return value if type(value) is int and value >= 0 else 0
