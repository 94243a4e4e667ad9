"""What a client's `generationConfig` asks for, in canonical form."""

from typing import NamedTuple

from understudy_proxy.dialects.canonical.chat import JsonFormat, Reasoning, Sampling
from understudy_proxy.dialects.fields import invalid, shown
from understudy_proxy.dialects.gemini.messages import Fields
from understudy_proxy.dialects.gemini.openapi import json_schema
from understudy_proxy.dialects.gemini.thinking import read_thinking
from understudy_proxy.dialects.request_error import Unsupported

_JSON, _TEXT, _ENUM = "application/json", "text/plain", "text/x.enum"
_WORDS = frozenset({"TEXT", "MODALITY_UNSPECIFIED"})
_MAX_CHOICES = 128


class Settings(NamedTuple):
    """What the canonical form has a place for."""

    sampling: Sampling
    max_tokens: int | None
    choices: int
    format: JsonFormat | None
    reasoning: Reasoning | None


def read_settings(config: Fields) -> Settings:
    """Read a `generationConfig`; what is left unread in it changes nothing in an answer's meaning.

    Raises:
        RequestError: a field is wrong.
        Unsupported: only Google's models can do it.
    """
    for modality in config.texts("responseModalities"):
        if modality.upper() not in _WORDS:
            raise Unsupported(
                f"An answer in {shown(modality)} can be had from Gemini models only.",
                param=config.at("responseModalities"),
            )
    top_k = config.decimal("topK")
    sampling = Sampling(
        temperature=config.decimal("temperature"),
        top_p=config.decimal("topP"),
        top_k=None if top_k is None else int(top_k),
        frequency_penalty=config.decimal("frequencyPenalty"),
        presence_penalty=config.decimal("presencePenalty"),
        seed=config.whole("seed"),
        stop=config.texts("stopSequences"),
        logprobs=config.flag("responseLogprobs") or False,
        top_logprobs=config.whole("logprobs"),
    )
    return Settings(sampling, config.whole("maxOutputTokens"), _choices(config), _format(config), _reasoning(config))


def _choices(config: Fields) -> int:
    choices = config.whole("candidateCount")
    if choices is not None and not 1 <= choices <= _MAX_CHOICES:
        raise invalid(config.at("candidateCount"), f"expected a number from 1 to {_MAX_CHOICES}, but got {choices}.")
    return choices or 1


def _format(config: Fields) -> JsonFormat | None:
    kind = config.text("responseMimeType") or _TEXT
    schema = config.struct("responseJsonSchema")
    if schema is None and (given := config.struct("responseSchema")) is not None:
        schema = json_schema(given)
    if kind == _ENUM:
        raise Unsupported(
            f"'{_ENUM}' can be had from Gemini models only; ask for '{_JSON}' with a schema.",
            param=config.at("responseMimeType"),
        )
    if kind not in {_TEXT, _JSON}:
        raise invalid(config.at("responseMimeType"), f"expected '{_TEXT}' or '{_JSON}', but got {shown(kind)}.")
    return JsonFormat(schema) if kind == _JSON else None


def _reasoning(config: Fields) -> Reasoning | None:
    thinking = config.message("thinkingConfig")
    if thinking is None:
        return None
    return read_thinking(
        level=thinking.text("thinkingLevel"),
        budget=thinking.whole("thinkingBudget"),
        visible=thinking.flag("includeThoughts"),
    )
