"""A client's contents in canonical form.

Function calls of most clients have no ids. They get some that are the same whenever the same conversation comes, so
that providers which cache prompts know it again.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.content import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.waiting import WaitingCalls
from understudy_proxy.dialects.fields import invalid, missing, shown
from understudy_proxy.dialects.gemini.messages import Fields
from understudy_proxy.dialects.gemini.results import result_of
from understudy_proxy.dialects.gemini.thoughts import read_redacted, read_signature, thinking_of
from understudy_proxy.dialects.request_error import RequestError, Unsupported

_ROLES = {"user": Role.USER, "function": Role.USER, "tool": Role.USER, "model": Role.ASSISTANT}
_GOOGLES_OWN = (
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
_GOOGLES_FILES = "https://generativelanguage.googleapis.com/"
_WEB = ("https://", "http://")


class Conversation:
    """Reads the contents of one request; with `goes_on` some came before, and responses may answer calls in those."""

    __slots__ = ("_goes_on", "_waiting", "extra")

    def __init__(self, *, goes_on: bool = False) -> None:
        self._goes_on = goes_on
        self.extra: dict[str, Any] = {}
        """Fields of parts that have no place in the canonical form, by path."""
        self._waiting = WaitingCalls()

    def read(self, contents: Sequence[Fields]) -> tuple[Message, ...]:
        """The messages.

        Raises:
            RequestError: one of them is wrong.
            Unsupported: only Google's models can read it.
        """
        turns: list[tuple[Role, list[Part]]] = []
        for place, content in enumerate(contents):
            role = self._role(content)
            if not turns or turns[-1][0] is not role:
                turns.append((role, []))
            for index, part in enumerate(content.messages("parts")):
                turns[-1][1].extend(self._part(part, role, made_up=f"call_{place}_{index}"))
        return tuple(_turn(role, parts) for role, parts in turns)

    def _role(self, content: Fields) -> Role:
        role = content.text("role") or "user"
        if role not in _ROLES:
            raise invalid(content.at("role"), f"expected 'user' or 'model', but got {shown(role)}.")
        return _ROLES[role]

    def _part(self, part: Fields, role: Role, *, made_up: str) -> list[Part]:
        """What a part holds; `made_up` is the id of a call that has none."""
        for name in _GOOGLES_OWN:
            if name in part:
                raise Unsupported(
                    f"'{name}' is of a tool that only Google's models have; ask a Gemini model.", param=part.at(name)
                )
        mark = part.text("thoughtSignature")
        read: list[Part]
        if (call := part.message("functionCall")) is not None:
            read = [self._call(call, mark, made_up)]
        elif (response := part.message("functionResponse")) is not None:
            read = [self._result(response)]
        elif (blob := part.message("inlineData")) is not None:
            read = [_inline(blob)]
        elif (file := part.message("fileData")) is not None:
            read = [_file(file)]
        else:
            read = _words(part, mark, role)
        self.extra |= {part.at(name): value for name, value in part.unread().items()}
        return read

    def _call(self, call: Fields, mark: str | None, made_up: str) -> ToolCall:
        arguments = call.struct("args") or {}
        made = ToolCall(
            id=call.text("id") or made_up,
            name=call.required("name"),
            arguments=_json(arguments, call.at("args")),
            signature=None if mark is None else read_signature(mark),
        )
        self._waiting.add(made)
        return made

    def _result(self, response: Fields) -> ToolResult:
        name = response.required("name")
        given = response.text("id")
        call = self._waiting.answered(given, name)
        if call is None and not self._goes_on:
            raise RequestError(
                f"{response.path} answers no function call: ensure that the function response turn comes right after "
                "the function call turn.",
                code="invalid_value",
                param=response.path,
            )
        text, is_error = result_of(response.struct("response") or {})
        content: list[Text | Image | Document] = [Text(text)] if text else []
        for part in response.messages("parts"):
            medium = _medium(part)
            if isinstance(medium, Audio):
                raise Unsupported("Sound in the result of a function can be sent to Gemini only.", param=part.path)
            content.append(medium)
        return ToolResult(call.id if call else given or "", tuple(content), name, is_error)


def _turn(role: Role, parts: list[Part]) -> Message:
    """A turn; results of functions come first in a user's, and what a stream had in pieces is whole in a model's."""
    if role is Role.ASSISTANT:
        return Message(role, tuple(_joined(parts)))
    return Message(role, tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResult))))


def _joined(parts: list[Part]) -> list[Part]:
    """Clients send the parts of a stream back as they came: thoughts in pieces, of which the last one is signed."""
    joined: list[Part] = []
    for kind, alike in groupby(parts, key=_kind()):
        if kind is None:
            joined += alike
            continue
        pieces = [part for part in alike if isinstance(part, (Text, Thinking))]
        words, last = "".join(piece.text for piece in pieces), pieces[-1]
        joined.append(Text(words) if isinstance(last, Text) else Thinking(words, last.signature))
    return joined


def _kind() -> Callable[[Part], tuple[type, int] | None]:
    """What a part is a piece of; None for what is whole. A signature ends the thought that it signs."""
    signed = 0

    def kind(part: Part) -> tuple[type, int] | None:
        nonlocal signed
        match part:
            case Text():
                return Text, 0
            case Thinking(redacted=None):
                thought = (Thinking, signed)
                signed += part.signature is not None
                return thought
            case _:
                return None

    return kind


def _words(part: Fields, mark: str | None, role: Role) -> list[Part]:
    text = part.text("text") or ""
    if part.flag("thought"):
        return [thinking_of(text, mark)]
    if mark is None or role is Role.USER:
        return [Text(text)] if text else []
    # The signature of a text stands for itself, so that those whom it means nothing can leave it out.
    redacted = read_redacted(mark)
    signed = Thinking(signature=read_signature(mark)) if redacted is None else Thinking(redacted=redacted)
    return [Text(text), signed] if text else [signed]


def _medium(part: Fields) -> Image | Audio | Document:
    if (blob := part.message("inlineData")) is not None:
        return _inline(blob)
    if (file := part.message("fileData")) is not None:
        return _file(file)
    raise missing(part.at("inlineData"))


def _inline(blob: Fields) -> Image | Audio | Document:
    kind, data = blob.required("mimeType"), blob.required("data")
    # Base64 in the alphabet for URLs is as good to Google, and to nobody else.
    data = data.replace("-", "+").replace("_", "/")
    data += "=" * (-len(data) % 4)
    if kind.startswith("image/"):
        return Image(media_type=kind, data=data)
    if kind.startswith("audio/"):
        return Audio(kind, data)
    return Document(kind, data=data, title=blob.text("displayName"))


def _file(file: Fields) -> Image | Document:
    uri, kind = file.required("fileUri"), file.text("mimeType") or ""
    if not uri.startswith(_WEB) or uri.startswith(_GOOGLES_FILES):
        raise Unsupported(
            "A file that is kept at Google can be read by Gemini models only; send it in the request, as 'inlineData'.",
            param=file.at("fileUri"),
        )
    if kind.startswith("audio/"):
        raise Unsupported("Sound at an address can be sent to Gemini only; send it as 'inlineData'.", param=file.path)
    if kind.startswith("image/"):
        return Image(media_type=kind, url=uri)
    return Document(kind or "application/pdf", url=uri, title=file.text("displayName"))


def _json(value: dict[str, Any], param: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        raise invalid(param, "it is nested too deeply.") from None
