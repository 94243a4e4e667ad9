"""What a call of an agent's tool returned: an assistant's message as JSON, or plain words."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson

from understudy_proxy.dialects.bodies import json_text, string
from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import ToolCall
from understudy_proxy.dialects.mesh.failures import of_protocol, told
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

_MOST_CALLS = 256
_WRAPPED = "result"
"""Under which frameworks of the field put what is no object."""


class NotUnderstood(Exception):
    """A result that is none; the message says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an agent answered."""

    text: str
    calls: tuple[ToolCall, ...]
    finish: Finish
    usage: Usage | None
    model: str | None


def read_response(response: dict[str, Any]) -> Result | UpstreamFailure:
    """What a JSON-RPC response says.

    Raises:
        NotUnderstood: it is none.
    """
    if "error" in response:
        return of_protocol(response["error"])
    result = response.get("result")
    if not isinstance(result, dict):
        raise NotUnderstood("it has neither a result nor an error")
    if result.get("isError") is True:
        return told(_text(result) or "an error without a message")
    message = _message(result)
    return _said(_text(result)) if message is None else _read(message)


def _message(result: dict[str, Any]) -> dict[str, Any] | None:
    """The assistant's message; None where it is plain words."""
    structured = result.get("structuredContent")
    if isinstance(structured, dict) and structured.keys() == {_WRAPPED}:
        structured = structured[_WRAPPED]
    if _is_message(structured):
        return structured
    try:
        said = orjson.loads(_text(result))
    except orjson.JSONDecodeError:
        return None
    return said if _is_message(said) else None


def _is_message(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and value.get("role") == "assistant"


def _text(result: dict[str, Any]) -> str:
    parts = result.get("content")
    if not isinstance(parts, list):
        return ""
    texts = (part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


def _said(text: str) -> Result:
    if not text:
        raise NotUnderstood("it is empty")
    return Result(text, (), Finish.STOP, None, None)


def _read(message: dict[str, Any]) -> Result:
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        raise NotUnderstood("its content is no text")
    calls = tuple(_calls(message.get("tool_calls")))
    usage = message.get("_mesh_usage")
    counted = usage if isinstance(usage, dict) else {}
    finish = Finish.TOOL_CALLS if calls else Finish.STOP
    if message.get("_mesh_stop_reason") is not None:
        finish = Finish.LENGTH  # it was to go on, and was not let
    return Result(content or "", calls, finish, _usage(counted), string(counted.get("model")))


def _calls(calls: Any) -> Iterator[ToolCall]:
    if calls is None:
        return
    if not isinstance(calls, list) or len(calls) > _MOST_CALLS:
        raise NotUnderstood("its tool_calls are no list, or too many")
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or (name := string(function.get("name"))) is None:
            raise NotUnderstood("a tool call has no name")
        arguments = function.get("arguments")
        yield ToolCall(
            id=string(call.get("id")) or f"call_{secrets.token_hex(12)}",
            name=name,
            arguments=(arguments if isinstance(arguments, str) else json_text(arguments or {})) or "{}",
        )


def _usage(counted: dict[str, Any]) -> Usage | None:
    input_, output = counted.get("prompt_tokens"), counted.get("completion_tokens")
    if type(input_) is not int or type(output) is not int:
        return None
    return Usage(max(0, input_), max(0, output))
