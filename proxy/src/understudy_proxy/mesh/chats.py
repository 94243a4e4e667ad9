"""Conversations as agents of the mesh have them: what one asks of another, what it gets, and how that is streamed.

Agents send a lot beside a conversation that is for other agents: how many rounds to make, where tools live, how they
will read the answer. What means something here is taken over; the rest is left out, so that no provider sees it.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from understudy_proxy.dialects.fields import array, invalid, mapping, optional_mapping, optional_string
from understudy_proxy.dialects.parameters import PARAMETERS

_OWN = "_mesh_"
"""What names of the mesh's own begin with, wherever they are."""
_FRAME = "_mesh_frame"
_STOPPED = "max_iterations"
_HINT, _TEXT = "hint", "text"
_UNNAMED = "answer"
_UNFIT = re.compile("[^A-Za-z0-9_-]+")
_MOST_NAME = 64
"""Characters that vendors take as the name of a format."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that the answer is to be, as JSON text."""

    schema: Mapping[str, Any]
    name: str
    hinted: bool
    """The caller wants the model to be told, and not to be held to it."""


@dataclass(frozen=True, slots=True)
class Delegated:
    """What an agent asks for."""

    fields: Mapping[str, Any]
    """The conversation, in the form of OpenAI's chat completions."""
    model: str | None
    """That it would rather have."""
    wanted: Wanted | None
    context: Mapping[str, str]
    """What personas are told, by the names of their variables."""

    def with_format(self, *, held: bool) -> dict[str, Any]:
        """The conversation with what the answer is to look like; `held`: the model can be held to a schema.

        Raises:
            RequestError: the schema is wrong.
        """
        wanted = self.wanted
        if wanted is None:
            return dict(self.fields)
        if held and not wanted.hinted:
            stated = {"name": wanted.name, "schema": dict(wanted.schema)}
            return {**self.fields, "response_format": {"type": "json_schema", "json_schema": stated}}
        try:
            schema = orjson.dumps(wanted.schema).decode()
        except orjson.JSONEncodeError:
            raise invalid("request.model_params.output_schema", "it is nested too deeply.") from None
        told = f"Answer with one JSON object that meets this JSON Schema, and with nothing else: {schema}"
        messages = [*array(self.fields.get("messages"), "messages"), {"role": "system", "content": told}]
        return {**self.fields, "messages": messages}


def read_delegated(arguments: Mapping[str, Any]) -> Delegated:
    """What the arguments of a call ask for.

    Raises:
        RequestError: they are wrong.
    """
    request = mapping(arguments.get("request"), "request")
    params = optional_mapping(request, "model_params", "request") or {}
    fields = {name: value for name, value in params.items() if name in PARAMETERS and name != "n"}
    fields["messages"] = request.get("messages")
    if (tools := request.get("tools")) is not None:
        fields["tools"] = [_declared(tool, f"request.tools[{i}]") for i, tool in enumerate(array(tools, "tools"))]
    return Delegated(
        fields=fields,
        model=optional_string(params, "model", "request.model_params"),
        wanted=None if fields.get("response_format") is not None else _wanted(params),
        context=_context(request),
    )


def answer_of(ending: Mapping[str, Any], *, content: str, model: str | None) -> dict[str, Any]:
    """What the agent gets.

    Args:
        ending: `tool_calls` and `usage`, in the form of OpenAI's chat completions.
        content: What was said; empty beside calls of tools.
        model: Who said it.
    """
    answer: dict[str, Any] = {"role": "assistant", "content": content}
    if calls := ending.get("tool_calls"):
        answer["tool_calls"] = calls
    if usage := ending.get("usage"):
        counted = {name: usage[name] for name in ("prompt_tokens", "completion_tokens")}
        answer["_mesh_usage"] = {**counted, "model": model}
    return answer


def chunk_frame(content: str) -> str:
    """More words of a streamed answer."""
    return orjson.dumps({_FRAME: "chunk", "content": content}).decode()


def end_frame(*, stopped: bool = False) -> str:
    """The end of a streamed answer; `stopped`: before the model had one."""
    return orjson.dumps({_FRAME: "end", **({"stop_reason": _STOPPED} if stopped else {})}).decode()


STOPPED_ANSWER: Mapping[str, str] = {"role": "assistant", "content": "", "_mesh_stop_reason": _STOPPED}
"""What an agent gets where the model called tools until it had to be stopped, and answered nothing."""


def _wanted(params: Mapping[str, Any]) -> Wanted | None:
    schema = optional_mapping(params, "output_schema", "request.model_params")
    mode = optional_string(params, "output_mode", "request.model_params")
    if schema is None or mode == _TEXT:
        return None
    name = optional_string(params, "output_type_name", "request.model_params") or ""
    return Wanted(schema, _UNFIT.sub("_", name)[:_MOST_NAME] or _UNNAMED, hinted=mode == _HINT)


def _context(request: Mapping[str, Any]) -> dict[str, str]:
    """Words as they are, anything else as JSON; nothing that is nested too deeply for that is of use in a prompt."""
    told: dict[str, str] = {}
    for name, value in (optional_mapping(request, "context", "request") or {}).items():
        with suppress(orjson.JSONEncodeError):
            told[name] = value if type(value) is str else orjson.dumps(value).decode()
    return told


def _declared(tool: Any, param: str) -> dict[str, Any]:
    """A tool without where it lives: whoever asks runs it."""
    declared = _without_own(mapping(tool, param))
    if type(declared.get("function")) is dict:
        declared["function"] = _without_own(declared["function"])
    return declared


def _without_own(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not name.startswith(_OWN)}
