"""A client's messages in canonical form.

Tool calls of most clients have no ids. They get some that are the same whenever the same conversation comes, so that
providers which cache prompts know it again.
"""

from typing import Any

import orjson

from understudy_proxy.dialects.canonical.content import Image, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from understudy_proxy.dialects.canonical.waiting import WaitingCalls
from understudy_proxy.dialects.fields import array, invalid, mapping, optional_string, shown, string
from understudy_proxy.dialects.request_error import RequestError

# How images of each type begin, in base64.
_IMAGES = {"iVBORw": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
_USUAL_IMAGE = "image/png"


class Conversation:
    """Reads the messages of one request; with `goes_on` some came before, and results may answer calls in those."""

    __slots__ = ("_goes_on", "_turns", "_waiting", "system")

    def __init__(self, *, goes_on: bool = False) -> None:
        self._goes_on = goes_on
        self.system: list[Text] = []
        """What the system says, wherever in the conversation."""
        self._turns: list[tuple[Role, list[Part]]] = []
        self._waiting = WaitingCalls()

    def read(self, messages: list[Any]) -> tuple[Message, ...]:
        """The messages but the system's.

        Raises:
            RequestError: one of them is wrong.
        """
        for place, message in enumerate(messages):
            self._read(mapping(message, f"messages[{place}]"), place)
        return tuple(
            Message(role, tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResult))))
            for role, parts in self._turns
        )

    def _read(self, message: dict[str, Any], place: int) -> None:
        at = f"messages[{place}]"
        role = string(message.get("role"), f"{at}.role")
        content = optional_string(message, "content", at) or ""
        match role:
            case "system":
                self.system.append(Text(content))
            case "user":
                self._say(Role.USER, words_and_images(message, content, at))
            case "assistant":
                self._say(Role.ASSISTANT, self._assistant(message, content, place))
            case "tool":
                self._say(Role.USER, [self._result(message, content, at)])
            case _:
                raise invalid(f"{at}.role", f"expected 'system', 'user', 'assistant' or 'tool', but got {shown(role)}.")

    def _say(self, role: Role, parts: list[Part]) -> None:
        if self._turns and self._turns[-1][0] is role:
            self._turns[-1][1].extend(parts)
        else:
            self._turns.append((role, parts))

    def _assistant(self, message: dict[str, Any], content: str, place: int) -> list[Part]:
        at = f"messages[{place}]"
        parts: list[Part] = []
        if thinking := optional_string(message, "thinking", at):
            parts.append(Thinking(thinking))
        if content:
            parts.append(Text(content))
        calls = message.get("tool_calls")
        for index, call in enumerate(() if calls is None else array(calls, f"{at}.tool_calls")):
            made = _call(mapping(call, f"{at}.tool_calls[{index}]"), f"{at}.tool_calls[{index}]", place, index)
            self._waiting.add(made)
            parts.append(made)
        return parts

    def _result(self, message: dict[str, Any], content: str, at: str) -> ToolResult:
        name = optional_string(message, "tool_name", at) or optional_string(message, "name", at)
        given = optional_string(message, "tool_call_id", at)
        call = self._waiting.answered(given, name)
        if call is None and not self._goes_on:
            raise RequestError(
                f"{at} is the result of a tool that was not called: it must follow the message with the call.",
                code="invalid_value",
                param=at,
            )
        images = [part for part in words_and_images(message, "", at) if isinstance(part, Image)]
        said = (*([Text(content)] if content else ()), *images)
        return ToolResult(call.id, said, call.name) if call else ToolResult(given or "", said, name)


def words_and_images(message: dict[str, Any], words: str, at: str) -> list[Part]:
    """What a message says, and the pictures beside it."""
    parts: list[Part] = [Text(words)] if words else []
    images = message.get("images")
    for index, image in enumerate(() if images is None else array(images, f"{at}.images", "strings")):
        data = string(image, f"{at}.images[{index}]")
        kind = next((kind for start, kind in _IMAGES.items() if data.startswith(start)), _USUAL_IMAGE)
        parts.append(Image(media_type=kind, data=data))
    return parts


def _call(call: dict[str, Any], at: str, place: int, index: int) -> ToolCall:
    function = mapping(call.get("function"), f"{at}.function")
    arguments = function.get("arguments")
    try:
        text = "{}" if arguments is None else orjson.dumps(mapping(arguments, f"{at}.function.arguments")).decode()
    except orjson.JSONEncodeError:
        raise invalid(f"{at}.function.arguments", "it is nested too deeply.") from None
    given = optional_string(call, "id", at)
    return ToolCall(given or f"call_{place}_{index}", string(function.get("name"), f"{at}.function.name"), text)
