"""Tokens as Ollama counts them: thoughts among the answer's; what was cached is not told apart."""

from typing import Any

from understudy_proxy.dialects.usage import Usage


def read_usage(answer: dict[str, Any]) -> Usage | None:
    """What an answer, or the last line of a stream, counts; None when it counts nothing."""
    prompt, said = _tokens(answer, "prompt_eval_count"), _tokens(answer, "eval_count")
    return Usage(input=prompt, output=said) if prompt or said else None


def _tokens(answer: dict[str, Any], name: str) -> int:
    value = answer.get(name)
    return value if type(value) is int and value >= 0 else 0
