"""Tokens as OpenAI's dialect states them, and as its speakers vary them."""

from typing import Any

from understudy_proxy.dialects.usage import Usage


def read_usage(answer: dict[str, Any]) -> Usage | None:
    """The usage that an answer or a chunk states; None when it states none.

    `prompt_tokens` include cached ones and `completion_tokens` include reasoning, as everywhere in this dialect.
    Groq puts the usage of a stream into `x_groq`; DeepSeek counts cached tokens beside the details.
    """
    stated = answer.get("usage")
    if not isinstance(stated, dict):
        groq = answer.get("x_groq")
        stated = groq.get("usage") if isinstance(groq, dict) else None
        if not isinstance(stated, dict):
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


def _details(stated: dict[str, Any], name: str) -> dict[str, Any]:
    details = stated.get(name)
    return details if isinstance(details, dict) else {}


def _tokens(stated: dict[str, Any], name: str) -> int:
    """A count, zero for anything that is none: a provider's slip must not break an answer that is there."""
    value = stated.get(name)
    return value if type(value) is int and value >= 0 else 0
