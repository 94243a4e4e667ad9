"""An answer in plain fields."""

from typing import Any

from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.content import Refusal, Text, ToolCall
from understudy_proxy.dialects.usage import Usage


def content_of(said: Said) -> str:
    """The words of an answer, those of declining among them; reasoning is not."""
    return "".join(part.text for part in _parts(said) if isinstance(part, (Text, Refusal)))


def ending_of(said: Said, usage: Usage | None, *, executed: int | None = None) -> dict[str, Any]:
    """How an answer ends: why, with which calls of tools, and what it took.

    `executed` is how many calls the gateway has run; None where it runs none.
    """
    calls = [_call(part) for part in _parts(said) if isinstance(part, ToolCall)]
    ending: dict[str, Any] = {"finish_reason": said.choices[0].finish if said.choices else "stop"}
    if calls:
        ending["tool_calls"] = calls
    if executed is not None:
        ending["executed_tool_calls"] = executed
    return {**ending, "usage": usage_fields(usage)}


def usage_fields(usage: Usage | None) -> dict[str, int] | None:
    """The tokens as apps know them; None where the provider did not count."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    }


def _parts(said: Said) -> tuple[object, ...]:
    return said.choices[0].parts if said.choices else ()


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
