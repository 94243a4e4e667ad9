"""Parameters of a request in OpenAI's words, and where the canonical form has them.

They come from two sides: from clients of that dialect, and from personas, whose parameters are in these words whatever
the client and the provider speak.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from understudy_proxy.dialects.canonical.chat import Chat, Effort, JsonFormat, Reasoning, Sampling
from understudy_proxy.dialects.fields import (
    boolean,
    integer,
    invalid,
    mapping,
    number,
    optional_boolean,
    optional_mapping,
    optional_string,
    string,
    strings,
    unknown,
)
from understudy_proxy.dialects.tools import read_function_call, read_tool_choice

NO_PARAMETERS = frozenset({"messages", "model", "stream", "stream_options", "tools", "functions"})
"""Fields of a request that are about the conversation and its way, and not about the answer."""
_MAX_CHOICES = 128
"""OpenAI's own."""


class _Parameter(NamedTuple):
    """Where a field is in the canonical form, and how its value is read."""

    place: str
    read: Callable[[Any, str], Any]


def _stop(value: Any, param: str) -> tuple[str, ...]:
    return (value,) if type(value) is str else strings(value, param)


def _biases(value: Any, param: str) -> dict[str, float]:
    return {token: number(bias, f"{param}.{token}") for token, bias in mapping(value, param).items()}


def _choices(value: Any, param: str) -> int:
    asked = integer(value, param)
    if not 1 <= asked <= _MAX_CHOICES:
        raise invalid(param, f"expected an integer from 1 to {_MAX_CHOICES}, but got {asked}.")
    return asked


def _format(value: Any, param: str) -> JsonFormat | None:
    stated = mapping(value, param)
    match stated.get("type"):
        case "text":
            return None
        case "json_object":
            # llama.cpp takes the schema here.
            return JsonFormat(optional_mapping(stated, "schema", param))
        case "json_schema":
            path = f"{param}.json_schema"
            schema = mapping(stated.get("json_schema"), path)
            return JsonFormat(
                schema=optional_mapping(schema, "schema", path) or {"type": "object"},
                name=optional_string(schema, "name", path),
                description=optional_string(schema, "description", path),
                strict=optional_boolean(schema, "strict", path),
            )
        case kind:
            raise unknown(f"{param}.type", kind, "'text', 'json_object' and 'json_schema'")


def _effort(value: Any, param: str) -> Reasoning:
    effort = string(value, param)
    try:
        return Reasoning(Effort(effort))
    except ValueError:
        raise unknown(param, effort, ", ".join(repr(word.value) for word in Effort)) from None


def _thinking(value: Any, param: str) -> Reasoning:
    """DeepSeek's and Anthropic's word, which OpenAI's clients send to them."""
    stated = mapping(value, param)
    if stated.get("type") == "disabled":
        return Reasoning(budget_tokens=0)
    budget = stated.get("budget_tokens")
    return Reasoning(budget_tokens=None if budget is None else integer(budget, f"{param}.budget_tokens"))


def _reasoning(value: Any, param: str) -> Reasoning:
    """OpenRouter's object, with an effort, a budget, or that the model decides."""
    stated = mapping(value, param)
    visible = False if optional_boolean(stated, "exclude", param) else None
    if optional_boolean(stated, "enabled", param) is False:
        return Reasoning(Effort.NONE, visible=visible)
    if (effort := stated.get("effort")) is not None:
        return replace(_effort(effort, f"{param}.effort"), visible=visible)
    budget = stated.get("max_tokens")
    return Reasoning(budget_tokens=None if budget is None else integer(budget, f"{param}.max_tokens"), visible=visible)


_SAMPLING = {
    "temperature": _Parameter("temperature", number),
    "top_p": _Parameter("top_p", number),
    "top_k": _Parameter("top_k", integer),
    "frequency_penalty": _Parameter("frequency_penalty", number),
    "presence_penalty": _Parameter("presence_penalty", number),
    "seed": _Parameter("seed", integer),
    "stop": _Parameter("stop", _stop),
    "logit_bias": _Parameter("logit_bias", _biases),
    "logprobs": _Parameter("logprobs", boolean),
    "top_logprobs": _Parameter("top_logprobs", integer),
}
_CHAT = {
    "n": _Parameter("choices", _choices),
    "max_tokens": _Parameter("max_tokens", integer),
    "max_completion_tokens": _Parameter("max_tokens", integer),
    "tool_choice": _Parameter("tool_choice", read_tool_choice),
    "function_call": _Parameter("tool_choice", read_function_call),
    "parallel_tool_calls": _Parameter("parallel_tool_calls", boolean),
    "response_format": _Parameter("format", _format),
    "thinking": _Parameter("reasoning", _thinking),
    "reasoning": _Parameter("reasoning", _reasoning),
    "reasoning_effort": _Parameter("reasoning", _effort),
    "user": _Parameter("user", string),
    "safety_identifier": _Parameter("user", string),
    "service_tier": _Parameter("service_tier", string),
}
PARAMETERS = frozenset(_SAMPLING) | frozenset(_CHAT)
"""All names of parameters that the canonical form has a place for."""
_SHADOWED = {
    "max_tokens": "max_completion_tokens",
    "function_call": "tool_choice",
    "thinking": "reasoning_effort",
    "reasoning": "reasoning_effort",
    "user": "safety_identifier",
}
"""Names of one thing, and the one that counts where both are given."""
_UNSET_SAMPLING = Sampling()
_UNSET: dict[str, Any] = {field.name: field.default for field in fields(Chat)}


def choices_asked(body: Mapping[str, Any]) -> int:
    """How many answers a body asks for; raises `RequestError` for a number that it may not be."""
    asked = body.get("n")
    return 1 if asked is None else _choices(asked, "n")


class Parameters(NamedTuple):
    """The parameters of a body."""

    chat: dict[str, Any]
    """Fields of `Chat`, those that are given."""
    sampling: Sampling
    extra: dict[str, Any]
    """What is no parameter that all dialects know."""


def read_parameters(body: Mapping[str, Any]) -> Parameters:
    """The parameters of a body.

    Raises:
        RequestError: one of them is wrong.
        Unsupported: one of them means what only OpenAI's dialect can say.
    """
    chat: dict[str, Any] = {}
    sampling: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in body.items():
        if value is None or name in NO_PARAMETERS:
            continue
        if (parameter := _SAMPLING.get(name)) is not None:
            sampling[parameter.place] = parameter.read(value, name)
        elif (parameter := _CHAT.get(name)) is None:
            extra[name] = value
        elif body.get(_SHADOWED.get(name, "")) is None:
            chat[parameter.place] = parameter.read(value, name)
    return Parameters(chat, Sampling(**sampling) if sampling else _UNSET_SAMPLING, extra)


def is_given(chat: Chat, name: str) -> bool:
    """Whether the parameter that OpenAI calls `name` has a value."""
    if (parameter := _SAMPLING.get(name)) is not None:
        return bool(getattr(chat.sampling, parameter.place) != getattr(_UNSET_SAMPLING, parameter.place))
    if (parameter := _CHAT.get(name)) is not None:
        return bool(getattr(chat, parameter.place) != _UNSET[parameter.place])
    return name in chat.extra


def with_parameter(chat: Chat, name: str, value: Any) -> Chat:
    """The conversation with another value of the parameter that OpenAI calls `name`; None takes it out."""
    if (parameter := _SAMPLING.get(name)) is not None:
        unset = getattr(_UNSET_SAMPLING, parameter.place)
        read = unset if value is None else parameter.read(value, name)
        return replace(chat, sampling=replace(chat.sampling, **{parameter.place: read}))
    if (parameter := _CHAT.get(name)) is not None:
        read = _UNSET[parameter.place] if value is None else parameter.read(value, name)
        return replace(chat, **{parameter.place: read})
    extra = {known: kept for known, kept in chat.extra.items() if known != name}
    return replace(chat, extra=extra if value is None else extra | {name: value})
