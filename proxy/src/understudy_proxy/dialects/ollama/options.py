"""How an answer is to be made, in Ollama's words: `options`, `format`, `think`."""

from typing import Any

from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat, Effort, Reasoning
from understudy_proxy.dialects.request_error import Unsupported

_BY_LEVEL = "gpt-oss"
"""The family of models that is told how hard to think; all others are told whether."""
_LEVELS = {
    Effort.MINIMAL: "low",
    Effort.LOW: "low",
    Effort.MEDIUM: "medium",
    Effort.HIGH: "high",
    Effort.XHIGH: "high",
    Effort.MAX: "max",
}


def write_options(chat: Chat, body: dict[str, Any], candidate: Candidate, warnings: list[str]) -> None:
    """Put what the request says about the answer into `body`.

    Raises:
        Unsupported: Ollama cannot do it.
    """
    if chat.choices > 1:
        raise Unsupported("Ollama gives one answer to a request: ask for one, several times.", param="n")
    if options := _options(chat):
        body["options"] = options
    if chat.sampling.logprobs:
        body["logprobs"] = True
        if chat.sampling.top_logprobs is not None:
            body["top_logprobs"] = chat.sampling.top_logprobs
    if chat.format is not None:
        body["format"] = "json" if chat.format.schema is None else chat.format.schema
    if chat.reasoning is not None:
        _think(chat.reasoning, body, candidate, warnings)


def _options(chat: Chat) -> dict[str, Any]:
    sampling = chat.sampling
    given = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "num_predict": chat.max_tokens,
    }
    return {name: value for name, value in given.items() if value is not None}


def _think(wanted: Reasoning, body: dict[str, Any], candidate: Candidate, warnings: list[str]) -> None:
    if wanted.effort is Effort.NONE or wanted.budget_tokens == 0:
        body["think"] = False
    elif Capability.REASONING not in candidate.capabilities:
        # Ollama refuses the request of a model that does not think.
        warnings.append(f"{candidate.model} does not think: what was said about reasoning was not sent.")
    elif _BY_LEVEL in candidate.upstream_model and wanted.effort is not None:
        body["think"] = _LEVELS[wanted.effort]
    else:
        body["think"] = True
        if wanted.budget_tokens is not None:
            warnings.append("Ollama's models have no budget for thinking: it was not sent.")
