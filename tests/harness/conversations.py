"""Canonical requests as plain data, to be compared with what a readable file says."""

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Part, Text


def plain_chat(chat: Chat) -> dict[str, Any]:
    """A request; what nobody said is left out."""
    said = _fields(chat)
    said["messages"] = [_message(message) for message in chat.messages]
    if chat.system:
        said["system"] = [_part(text) for text in chat.system]
    return said


def _message(message: Message) -> dict[str, Any]:
    return {message.role.value: [_part(part) for part in message.parts]}


def _part(part: Part) -> Any:
    """A text as itself; anything else under the name of its kind."""
    if part == Text(getattr(part, "text", "")):
        return part.text
    said = _fields(part)
    if "content" in said:
        said["content"] = [_part(inner) for inner in getattr(part, "content", ())]
    return {type(part).__name__: said}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return _fields(value)
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value


def _fields(value: Any) -> dict[str, Any]:
    said = {}
    for field in fields(value):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if (stated := getattr(value, field.name)) != default:
            said[field.name] = _plain(stated)
    return said
