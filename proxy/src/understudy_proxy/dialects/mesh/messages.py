"""Turns of a conversation as agents hand them around: OpenAI's, and no more of them than every agent's vendor knows."""

from collections.abc import Sequence
from typing import Any

from understudy_proxy.dialects.canonical.content import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.request_error import Unsupported

_BETWEEN = "\n\n"


def write_messages(system: Sequence[Text], turns: Sequence[Message]) -> list[dict[str, Any]]:
    """All of them, the system prompts first as one.

    Raises:
        Unsupported: something in them cannot be said.
    """
    messages: list[dict[str, Any]] = []
    if system:
        messages.append({"role": "system", "content": _BETWEEN.join(text.text for text in system)})
    for turn in turns:
        messages += _user(turn.parts) if turn.role is Role.USER else [_assistant(turn.parts)]
    return messages


def _user(parts: Sequence[Part]) -> list[dict[str, Any]]:
    messages = [_result(part) for part in parts if isinstance(part, ToolResult)]
    said = [part for part in parts if not isinstance(part, ToolResult)]
    texts = [part.text for part in said if isinstance(part, Text)]
    if said:
        alone = len(texts) == len(said)
        messages.append({"role": "user", "content": _BETWEEN.join(texts) if alone else [_part(part) for part in said]})
    return messages


def _result(result: ToolResult) -> dict[str, Any]:
    texts = [part.text for part in result.content if isinstance(part, Text)]
    if len(texts) < len(result.content):
        raise Unsupported("Agents of a mesh take results of tools as text alone.", param="messages")
    text = _BETWEEN.join(texts)
    if result.is_error:
        text = f"Error: {text}" if text else "Error"
    return {"role": "tool", "tool_call_id": result.call_id, "content": text}


def _assistant(parts: Sequence[Part]) -> dict[str, Any]:
    """What was said and called; reasoning stays with the model that thought it."""
    text = "".join(part.text for part in parts if isinstance(part, (Text, Refusal)))
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls := [_call(part) for part in parts if isinstance(part, ToolCall)]:
        message["tool_calls"] = calls
    return message


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            url = part.url or f"data:{part.media_type or 'image/jpeg'};base64,{part.data}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Document() if part.text is not None:
            return {"type": "text", "text": f"{part.title}{_BETWEEN}{part.text}" if part.title else part.text}
        case Document() | Audio():
            raise Unsupported("Agents of a mesh take text and images, no files and no sound.", param="messages")
        case _:
            raise Unsupported(f"A {type(part).__name__} cannot be said by a user.", param="messages")
