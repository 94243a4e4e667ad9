"""The turns of a Gemini conversation, as a request brings them: what each part holds, or why it is refused.

In which order turns may come is in `order`.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy.mock.asks import Media, MediaKind
from understudy.mock.dialects.gemini.fields import Fields, fields
from understudy.mock.failures import bad_request

CONTENT = frozenset({"parts", "role"})
_DATA = (
    "text",
    "inline_data",
    "file_data",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
    "tool_call",
    "tool_response",
)
_PART = frozenset({*_DATA, "thought", "thought_signature", "video_metadata", "media_resolution", "part_metadata"})
_CALL = frozenset({"id", "name", "args"})
_RESPONSE = frozenset({"id", "name", "response", "parts", "will_continue", "scheduling"})
_INLINE = frozenset({"mime_type", "data", "display_name"})
_FILE = frozenset({"mime_type", "file_uri", "display_name"})
_MEDIA = {"image": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a turn.

    Attributes:
        kind: Which of its alternatives it holds, such as `text` or `function_call`.
        text: Its text, or a function's response as JSON.
        name: The function that is called, or that responds.
        media: What it is, if it is no text.
        signature: The thought signature.
    """

    kind: str
    text: str = ""
    name: str = ""
    media: Media | None = None
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one role said."""

    role: str
    parts: tuple[Part, ...]

    def of(self, kind: str) -> list[Part]:
        """Return the parts of one kind."""
        return [part for part in self.parts if part.kind == kind]

    @property
    def text(self) -> str:
        """The texts of the turn, one a line."""
        return "\n".join(part.text for part in self.of("text"))


def read_turn(content: Any, *, at: str) -> Turn:
    """Read one `Content`. One without a role is the user's."""
    given = fields(content, at=at, names=CONTENT)
    role = given.text("role") or "user"
    if role not in {"user", "model"}:
        raise bad_request("Please use a valid role: user, model.")
    return Turn(role, read_parts(given))


def read_parts(content: Fields) -> tuple[Part, ...]:
    """Read the parts of a `Content`; there has to be one."""
    parts = content.messages("parts", _PART)
    if not parts:
        raise bad_request(f"* GenerateContentRequest.{content.at('parts')}: contents.parts must not be empty.")
    return tuple(_part(part) for part in parts)


def _part(part: Fields) -> Part:
    kinds = [name for name in _DATA if part.has(name)]
    if len(kinds) != 1:
        raise bad_request(
            f"* GenerateContentRequest.{part.path}.data: required oneof field 'data' must have one initialized field"
        )
    part.flag("thought")
    kind, signature = kinds[0], part.data("thought_signature")
    if kind == "text":
        return Part(kind, part.text("text") or "", signature=signature)
    if kind == "function_call":
        return Part(kind, name=_call(part.message(kind, _CALL)), signature=signature)
    if kind == "function_response":
        return _response(part.message(kind, _RESPONSE))
    if kind in {"inline_data", "file_data"}:
        return Part(kind, media=_inline(part) if kind == "inline_data" else _file(part))
    return Part(kind)


def _call(call: Fields) -> str:
    name = call.text("name")
    if not name:
        raise bad_request(f"* GenerateContentRequest.{call.at('name')}: Name cannot be empty.")
    call.struct("args")
    call.text("id")
    return name


def _response(response: Fields) -> Part:
    name = response.text("name")
    if not name:
        raise bad_request(f"* GenerateContentRequest.{response.at('name')}: Name cannot be empty.")
    returned = response.struct("response")
    if returned is None:
        raise bad_request(f"* GenerateContentRequest.{response.at('response')}: response must be set.")
    response.text("id")
    return Part("function_response", text=_told(returned), name=name)


def _told(returned: dict[str, Any]) -> str:
    """Return what a function says: its `output` or `result` alone if there is nothing else, as Google advises."""
    for usual in ("output", "result"):
        if returned.keys() == {usual} and isinstance(returned[usual], str):
            return str(returned[usual])
    return orjson.dumps(returned).decode()


def _inline(part: Fields) -> Media:
    blob = part.message("inline_data", _INLINE)
    media_type = blob.text("mime_type")
    if not media_type or not blob.data("data"):
        raise bad_request(f"* GenerateContentRequest.{blob.path}: mime_type and data must not be empty.")
    return _media(media_type)


def _file(part: Fields) -> Media:
    file = part.message("file_data", _FILE)
    if not file.text("file_uri"):
        raise bad_request(f"* GenerateContentRequest.{file.at('file_uri')}: file_uri must not be empty.")
    return _media(file.text("mime_type") or "by URL")


def _media(media_type: str) -> Media:
    return Media(_MEDIA.get(media_type.partition("/")[0], MediaKind.DOCUMENT), media_type)
