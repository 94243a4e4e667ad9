"""What a persona adds to a request that passes: said in this dialect's words by the code that translates whole ones."""

from collections.abc import Mapping
from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.anthropic.conversation import read_tool_choice
from understudy_proxy.dialects.anthropic.encode import encode
from understudy_proxy.dialects.anthropic.fields import wrong
from understudy_proxy.dialects.canonical.chat import Chat, Tool
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.parameters import NO_PARAMETERS, is_given, with_parameter
from understudy_proxy.dialects.persona import placed
from understudy_proxy.dialects.tools import read_tools

Body = dict[str, Any]
Warnings = tuple[str, ...]

_FIELDS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
    "reasoning_effort": "thinking",
    "response_format": "output_config",
    "tool_choice": "tool_choice",
    "user": "metadata",
    "service_tier": "service_tier",
}
"""Parameters that a persona can take out, and the fields that say them here."""
_WHOLE = frozenset({"model", "messages", "tools"})
"""Fields that parameters do not say."""
_OUTPUT = "output_config"
"""A field of several parameters: each says its part."""
_CHOICE = "tool_choice"
_CHOOSES = frozenset({"tool_choice", "function_call", "parallel_tool_calls"})
_BOUNDS = frozenset({"max_tokens", "max_completion_tokens"})
_NOTHING_SAID = (Message(Role.USER, (Text("."),)),)
"""A conversation for parameters to be said with."""


def in_role(prompt: Prompt, body: Body, candidate: Candidate) -> tuple[Body, Warnings]:
    """The body as a persona makes it: its prompt first, defaults under the client's fields, overrides over them.

    Raises:
        RequestError: a parameter of the persona is wrong.
        Unsupported: this dialect cannot say it.
    """
    tools = read_tools(list(prompt.tools))
    offered = (*(Tool(name) for tool in body.get("tools") or () if type(name := tool.get("name")) is str), *tools)
    own = {name: value for name, value in body.items() if value is not None}
    defaults, warned = _said(prompt.defaults, own, candidate, offered, beneath=True)
    # Its part of a choice that the client has made as well is in there, and so is the client's.
    whole = defaults | own | {name: said for name, said in defaults.items() if name == _CHOICE}
    overrides, warned_too = _said(prompt.overrides, whole, candidate, offered, beneath=False)
    changed = whole | overrides
    if output := {**defaults.get(_OUTPUT, {}), **own.get(_OUTPUT, {}), **overrides.get(_OUTPUT, {})}:
        changed[_OUTPUT] = output
    for name, value in prompt.overrides.items():
        if value is None:
            changed.pop(_FIELDS.get(name, ""), None)
    if prompt.system:
        system = body.get("system") or []
        said = [{"type": "text", "text": system}] if type(system) is str else system
        if type(said) is not list:
            raise wrong("system", "Input should be a string or a list of text blocks")
        changed["system"] = placed(prompt, {"type": "text", "text": prompt.system}, said)
    if tools:
        declared = encode(Chat(candidate.model, _NOTHING_SAID, tools=tools), candidate).body["tools"]
        names = [tool["name"] for tool in declared]
        changed["tools"] = [*(tool for tool in body.get("tools") or () if tool.get("name") not in names), *declared]
    return changed, tuple(dict.fromkeys((*warned, *warned_too)))


def _said(
    parameters: Mapping[str, Any], body: Body, candidate: Candidate, tools: tuple[Tool, ...], *, beneath: bool
) -> tuple[Body, Warnings]:
    """The fields that say a persona's parameters, and what has to be said about them.

    With `beneath`, the client's choice of tools counts before the persona's.
    """
    choice, parallel = read_tool_choice(body)
    chat = Chat(
        candidate.model,
        _NOTHING_SAID,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        max_tokens=body.get("max_tokens"),
    )
    for name, value in parameters.items():
        if name not in NO_PARAMETERS and value is not None and not (beneath and is_given(chat, name)):
            chat = with_parameter(chat, name, value)
    encoded = encode(chat, candidate)
    fields = {name: value for name, value in encoded.body.items() if name not in _WHOLE}
    if parameters.keys().isdisjoint(_BOUNDS):
        fields.pop("max_tokens", None)
    if parameters.keys().isdisjoint(_CHOOSES):
        fields.pop(_CHOICE, None)
    return fields, encoded.warnings
