"""A conversation as Ollama takes it: texts with images and calls beside them, never parts."""

from collections.abc import Iterator, Sequence
from typing import Any

from understudy_proxy.dialects.canonical.arguments import arguments_of
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
from understudy_proxy.dialects.request_error import Unsupported

_BETWEEN = "\n\n"
_ERROR = "Error: "
"""Begins what a function returned that failed: Ollama has no field for it."""


def write_messages(system: Sequence[Text], messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages of a request.

    Raises:
        RequestError: arguments of a call are no JSON object.
        Unsupported: something in it cannot be said.
    """
    written: list[dict[str, Any]] = []
    if words := _BETWEEN.join(text.text for text in system if text.text):
        written.append({"role": "system", "content": words})
    names: dict[str, str] = {}
    for message in messages:
        if message.role is Role.ASSISTANT:
            names |= {part.id: part.name for part in message.parts if isinstance(part, ToolCall)}
            written.append(_assistant(message.parts))
        else:
            written += _user(message.parts, names)
    return written


def _assistant(parts: Sequence[Part]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": _BETWEEN.join(part.text for part in parts if isinstance(part, (Text, Refusal)) and part.text),
    }
    if thoughts := _BETWEEN.join(part.text for part in parts if isinstance(part, Thinking) and part.text):
        message["thinking"] = thoughts
    if calls := [part for part in parts if isinstance(part, ToolCall)]:
        message["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": arguments_of(call)}} for call in calls
        ]
    return message


def _user(parts: Sequence[Part], names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What the functions returned, a message each, then what the user says; their pictures go with that."""
    said: list[Text | Image | Audio | Document] = []
    for part in parts:
        match part:
            case ToolResult():
                yield _result(part, names)
                said += [medium for medium in part.content if isinstance(medium, Image)]
            case Text() | Image() | Audio() | Document():
                said.append(part)
            case _:
                raise Unsupported("A user's turn cannot hold what a model says.")
    if said:
        message: dict[str, Any] = {"role": "user", "content": _words(said)}
        if images := [_image(part) for part in said if isinstance(part, Image)]:
            message["images"] = images
        yield message


def _result(result: ToolResult, names: dict[str, str]) -> dict[str, Any]:
    words = _words(result.content)
    if result.is_error:
        words = f"{_ERROR}{words}".rstrip()
    message = {"role": "tool", "content": words, "tool_call_id": result.call_id}
    if (name := result.name or names.get(result.call_id)) is not None:
        message["tool_name"] = name
    return message


def _words(parts: Sequence[Text | Image | Audio | Document]) -> str:
    words = []
    for part in parts:
        match part:
            case Text():
                words.append(part.text)
            case Document(text=str() as text):
                words += [part.title or "", text]
            case Image():
                pass
            case Audio():
                raise Unsupported("Ollama's models cannot listen; ask a model that can.", param="messages")
            case _:
                raise Unsupported("Ollama reads no files; send their text.", param="messages")
    return _BETWEEN.join(word for word in words if word)


def _image(image: Image) -> str:
    if image.data is None:
        raise Unsupported("Ollama fetches no images: send the image in the request, as base64.", param="messages")
    return image.data
