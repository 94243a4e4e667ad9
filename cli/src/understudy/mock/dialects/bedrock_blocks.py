"""Reading the messages of Bedrock's Converse: turns, and the blocks they are made of.

Each block is checked by itself here, in AWS's words where they are known; what may follow what is in `bedrock_order`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from understudy.mock.asks import Media, MediaKind
from understudy.mock.dialects.anthropic_blocks import VENDOR
from understudy.mock.dialects.fields import as_object, objects, optional, required, wrong
from understudy.mock.failures import bad_request
from understudy.mock.media import check_base64
from understudy.mock.signatures import is_signed

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html"""

_CALL_ID = re.compile(r"[a-zA-Z0-9_.:-]+")
_LONGEST_CALL_ID = 64
_FORMATS = {
    MediaKind.IMAGE: frozenset({"png", "jpeg", "gif", "webp"}),
    MediaKind.DOCUMENT: frozenset({"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}),
    MediaKind.VIDEO: frozenset({"mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"}),
    MediaKind.AUDIO: frozenset(
        {"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "webm", "m4a", "mpeg"}
    ),
}
_TYPES = {"pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html"}
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
_DOCUMENT_NAME = re.compile(r"[a-zA-Z0-9\s()\[\]-]{1,200}")


@dataclass(slots=True)
class Turn:
    """One message, read: its texts and media, the ids of the tools it calls, and what tools returned, by id."""

    role: str
    texts: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    result_count: int = 0

    @property
    def text(self) -> str:
        """What is said in it."""
        return "\n".join(self.texts)


def read_turns(body: Mapping[str, Any]) -> list[Turn]:
    """Read the messages of a body; there is at least one."""
    messages = objects(body, "messages")
    if not messages:
        raise wrong("messages", "Member must have length greater than or equal to 1")
    return [_turn(message, f"messages.{place}.") for place, message in enumerate(messages)]


def read_system(body: Mapping[str, Any]) -> str:
    """Return the text of the system blocks."""
    turn = Turn("system")
    for place, block in enumerate(objects(body, "system")):
        at = f"system.{place}"
        kind = _only_key(block, at)
        if kind == "text":
            _read_text(turn, block, at)
        elif kind not in {"cachePoint", "guardContent"}:
            raise wrong(at, f"{kind} is not supported in system")
    return turn.text


def _turn(message: Mapping[str, Any], at: str) -> Turn:
    turn = Turn(required(message, "role", str, at=at))
    if turn.role not in {"user", "assistant"}:
        _constraint(turn.role, f"{at}role", "Member must satisfy enum value set: [user, assistant]")
    required(message, "content", list, at=at)
    blocks = objects(message, "content", at=at)
    if not blocks:
        where = at.rstrip(".")
        message_text = f"The content field in the Message object at {where} is empty. Add a ContentBlock object to the "
        raise bad_request(f"{message_text}content field and try again.", param=f"{at}content")
    for place, block in enumerate(blocks):
        where = f"{at}content.{place}"
        kind = _only_key(block, where)
        reader = _READERS.get(kind)
        if reader is None:
            raise wrong(where, f"{kind} is not supported in a ContentBlock")
        reader(turn, block, where)
    if any("document" in block for block in blocks) and not turn.texts and not turn.results:
        message_text = "A text block is required in a message that has a document. Add one and try again."
        raise bad_request(message_text, param=f"{at}content")
    return turn


def _only_key(block: Mapping[str, Any], at: str) -> str:
    """Return which of the members of a union is set: exactly one has to be."""
    keys = [name for name, value in block.items() if value is not None]
    if len(keys) != 1:
        raise wrong(at, "exactly one member of the union has to be set")
    return keys[0]


def _read_text(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    text = required(block, "text", str, at=f"{at}.")
    if not text.strip():
        message = (
            f"The text field in the ContentBlock object at {at} is blank. Add text to the text field, and try again."
        )
        raise bad_request(message, param=at)
    turn.texts.append(text)


def _reader_of(kind: MediaKind) -> Callable[[Turn, Mapping[str, Any], str], None]:
    def read(turn: Turn, block: Mapping[str, Any], at: str) -> None:
        given = as_object(block[kind], at=f"{at}.{kind}")
        at = f"{at}.{kind}."
        form = required(given, "format", str, at=at)
        if form not in _FORMATS[kind]:
            _constraint(form, f"{at}format", f"Member must satisfy enum value set: {sorted(_FORMATS[kind])}")
        if kind is MediaKind.DOCUMENT and not _DOCUMENT_NAME.fullmatch(required(given, "name", str, at=at)):
            raise wrong(f"{at}name", "The file name contains characters that are not allowed")
        source = required(given, "source", dict, at=at)
        origin = _only_key(source, f"{at}source")
        if origin == "bytes":
            check_base64(source["bytes"], param=f"{at}source.bytes", message=f"{at}source.bytes: no valid base64")
        elif origin not in {"s3Location", *({"text", "content"} if kind is MediaKind.DOCUMENT else ())}:
            raise wrong(f"{at}source", f"{origin} is not supported")
        turn.media.append(Media(kind, _TYPES.get(form, f"{kind}/{form}")))

    return read


def _read_call(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    if turn.role != "assistant":
        raise wrong(at, "toolUse blocks are only allowed in assistant messages")
    call = as_object(block["toolUse"], at=f"{at}.toolUse")
    at = f"{at}.toolUse."
    turn.calls.append(_call_id(call, at))
    name = required(call, "name", str, at=at)
    if not TOOL_NAME.fullmatch(name):
        _constraint(name, f"{at}name", f"Member must satisfy regular expression pattern: {TOOL_NAME.pattern}")
    if not isinstance(call.get("input"), dict):
        message = f"The format of the value at {at}input is invalid. Provide a json object for the field and try again."
        raise bad_request(message, param=f"{at}input")


def _read_result(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    if turn.role != "user":
        raise wrong(at, "toolResult blocks are only allowed in user messages")
    given = as_object(block["toolResult"], at=f"{at}.toolResult")
    at = f"{at}.toolResult."
    called = _call_id(given, at)
    status = optional(given, "status", str, at=at)
    if status not in {None, "success", "error"}:
        _constraint(str(status), f"{at}status", "Member must satisfy enum value set: [success, error]")
    required(given, "content", list, at=at)
    result = Turn("user")
    for place, part in enumerate(objects(given, "content", at=at)):
        where = f"{at}content.{place}"
        kind = _only_key(part, where)
        if kind == "json":
            result.texts.append(orjson.dumps(part["json"]).decode())
        elif kind in {"text", "image", "document", "video"}:
            _READERS[kind](result, part, where)
        else:
            raise wrong(where, f"{kind} is not supported in a toolResult")
    turn.media += result.media
    turn.results[called] = result.text
    turn.result_count += 1


def _call_id(given: Mapping[str, Any], at: str) -> str:
    called = required(given, "toolUseId", str, at=at)
    if len(called) > _LONGEST_CALL_ID:
        _constraint(called, f"{at}toolUseId", f"Member must have length less than or equal to {_LONGEST_CALL_ID}")
    if not _CALL_ID.fullmatch(called):
        _constraint(called, f"{at}toolUseId", f"Member must satisfy regular expression pattern: {_CALL_ID.pattern}")
    return called


def _read_reasoning(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    if turn.role != "assistant":
        raise wrong(at, "reasoningContent blocks are only allowed in assistant messages")
    given = as_object(block["reasoningContent"], at=f"{at}.reasoningContent")
    thought = required(given, "reasoningText", dict, at=f"{at}.reasoningContent.")
    text = required(thought, "text", str, at=f"{at}.reasoningContent.reasoningText.")
    if not is_signed(VENDOR, text, thought.get("signature")):
        message = f"The model returned the following errors: {at}: Invalid `signature` in `thinking` block"
        raise bad_request(message, param=at)


def _read_nothing(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    """Let through what changes nothing here."""


def _constraint(value: str, at: str, rule: str) -> None:
    """Refuse a value as AWS does that breaks a rule of its model."""
    message = f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {rule}"
    raise bad_request(message, param=at)


_READERS: dict[str, Callable[[Turn, Mapping[str, Any], str], None]] = {
    "text": _read_text,
    "toolUse": _read_call,
    "toolResult": _read_result,
    "reasoningContent": _read_reasoning,
    "cachePoint": _read_nothing,
    "guardContent": _read_nothing,
    **{kind.value: _reader_of(kind) for kind in MediaKind},
}
