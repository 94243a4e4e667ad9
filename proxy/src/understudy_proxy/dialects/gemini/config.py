"""How an answer is to be made, as `generationConfig` says it."""

from typing import Any

from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Sampling
from understudy_proxy.dialects.gemini.generations import Generation
from understudy_proxy.dialects.gemini.schema import subset
from understudy_proxy.dialects.gemini.thinking import thinking_config
from understudy_proxy.dialects.request_error import Unsupported

_MOST_STOPS = 5
_INT32 = range(-(2**31), 2**31)


def generation_config(chat: Chat, *, model: str, generation: Generation, warnings: list[str]) -> dict[str, Any]:
    """The `generationConfig`, empty when the request says nothing about it.

    Raises:
        Unsupported: Gemini cannot do what is asked for.
    """
    config: dict[str, Any] = {}
    if chat.max_tokens is not None:
        config["maxOutputTokens"] = chat.max_tokens
    if chat.choices > 1:
        config["candidateCount"] = chat.choices
    _sample(chat.sampling, config, warnings)
    if chat.format is not None:
        _format(chat.format, config, generation)
    if chat.reasoning is not None:
        thinking = thinking_config(chat.reasoning, model=model, generation=generation, warnings=warnings)
        if thinking:
            config["thinkingConfig"] = thinking
    return config


def _sample(sampling: Sampling, config: dict[str, Any], warnings: list[str]) -> None:
    given = {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
    }
    config.update({name: value for name, value in given.items() if value is not None})
    if sampling.seed is not None:
        if sampling.seed in _INT32:
            config["seed"] = sampling.seed
        else:
            warnings.append("Gemini's seeds have 32 bits: this one was not sent.")
    if len(sampling.stop) > _MOST_STOPS:
        raise Unsupported(f"Gemini stops at no more than {_MOST_STOPS} sequences; name fewer.", param="stop")
    if sampling.stop:
        config["stopSequences"] = list(sampling.stop)
    if sampling.logprobs:
        config["responseLogprobs"] = True
        if sampling.top_logprobs is not None:
            config["logprobs"] = sampling.top_logprobs


def _format(wanted: JsonFormat, config: dict[str, Any], generation: Generation) -> None:
    config["responseMimeType"] = "application/json"
    if wanted.schema is None:
        return
    if generation.takes_json_schema:
        config["responseJsonSchema"] = wanted.schema
    else:
        config["responseSchema"] = subset(wanted.schema, param="response_format")
