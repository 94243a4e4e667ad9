"""What was said in a session, as messages in OpenAI's form."""

from collections.abc import Iterator, Sequence
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
    Thinking,
    ToolCall,
    ToolResult,
)

_Fields = dict[str, Any]


def shown_system(system: Sequence[Text]) -> list[_Fields]:
    """The client's own system prompt."""
    return [{"role": "system", "content": _text(system)}] if system else []


def shown(messages: Sequence[Message]) -> list[_Fields]:
    """All messages; each result of a tool is one of its own."""
    return [
        one
        for message in messages
        for one in (_user(message.parts) if message.role is Role.USER else [_assistant(message.parts)])
    ]


def _user(parts: Sequence[Part]) -> Iterator[_Fields]:
    for part in parts:
        if isinstance(part, ToolResult):
            yield {"role": "tool", "tool_call_id": part.call_id, "content": _content(part.content)}
    said = [part for part in parts if not isinstance(part, ToolResult)]
    if said:
        yield {"role": "user", "content": _content(said)}


def _assistant(parts: Sequence[Part]) -> _Fields:
    thoughts = "".join(part.text for part in parts if isinstance(part, Thinking))
    refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    shown: _Fields = {"role": "assistant", "content": _text(parts) or None}
    return (
        shown
        | ({"refusal": refusal} if refusal else {})
        | ({"reasoning_content": thoughts} if thoughts else {})
        | ({"tool_calls": calls} if calls else {})
    )


def _text(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def _content(parts: Sequence[Part]) -> str | list[_Fields]:
    if all(isinstance(part, Text) for part in parts):
        return "\n\n".join(part.text for part in parts if isinstance(part, Text))
    return [_part(part) for part in parts]


def _part(part: Part) -> _Fields:
    match part:
        case Image():
            url = part.url or f"data:{part.media_type or 'image/jpeg'};base64,{part.data}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Audio():
            kind = part.media_type.partition("/")[2]
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": kind}}
        case Document(data=str() as data):
            file = {"filename": part.title, "file_data": f"data:{part.media_type};base64,{data}"}
            return {"type": "file", "file": file}
        case Document():
            return {"type": "text", "text": part.text if part.text is not None else part.url}
        case Text() | Refusal() | Thinking():
            return {"type": "text", "text": part.text}
        case ToolCall() | ToolResult():
            return {"type": "text", "text": ""}


def _call(call: ToolCall) -> _Fields:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
