"""Reading the messages of Anthropic's Messages API: turns, and the blocks they are made of.

Each block is checked by itself here, in the vendor's words; what may follow what is in `anthropic_order`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.mock.asks import Media, MediaKind
from understudy.mock.dialects.fields import as_object, objects, only, optional, required, wrong
from understudy.mock.failures import bad_request
from understudy.mock.media import check_base64
from understudy.mock.signatures import is_signed

VENDOR = "anthropic"
"""Whose signatures the thoughts of Claude have, wherever it runs."""

_ROLES = frozenset({"user", "assistant", "system"})
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_USERS = frozenset({"text", "image", "document", "search_result", "tool_result", "container_upload"})
_ASSISTANTS = frozenset({"text", "document", "thinking", "redacted_thinking", "tool_use", "server_tool_use"})
_FIELDS = {
    "text": frozenset({"type", "text", "citations", "cache_control"}),
    "image": frozenset({"type", "source", "cache_control"}),
    "document": frozenset({"type", "source", "title", "context", "citations", "cache_control"}),
    "tool_use": frozenset({"type", "id", "name", "input", "caller", "cache_control"}),
    "tool_result": frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "redacted_thinking": frozenset({"type", "data"}),
}
_MOST_CACHE_MARKS = 4
_DEEPEST = 6


@dataclass(slots=True)
class Turn:
    """One message, read.

    Attributes:
        role: Who speaks.
        kinds: The types of its blocks, in order.
        texts: Its own texts.
        media: What it holds besides text, results of tools included.
        calls: The ids of the tools it calls.
        results: The text of each tool's result, by the id of the call.
        result_ids: Those ids in order, doubled ones included.
    """

    role: str
    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    result_ids: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is said in it."""
        return "\n".join(self.texts)

    @property
    def results_text(self) -> str | None:
        """What the tools returned; None if there is no result in it."""
        return ", ".join(self.results.values()) if self.results else None

    @property
    def all_text(self) -> str:
        """Everything in it that costs tokens."""
        return "\n".join([*self.texts, *self.results.values()])


def read_turns(body: Mapping[str, Any], *, newer: bool) -> list[Turn]:
    """Read the messages of a body; `newer` is the stricter version of the API."""
    messages = required(body, "messages", list)
    if not messages:
        raise bad_request("messages: at least one message is required", param="messages")
    turns = [_turn(as_object(message, at=f"messages.{n}"), f"messages.{n}.") for n, message in enumerate(messages)]
    if newer:
        _check_newer(objects(body, "messages"))
    for place, turn in enumerate(turns):
        if not turn.kinds and not (turn.role == "assistant" and place == len(turns) - 1):
            message = f"messages.{place}: all messages must have non-empty content except for the optional final "
            raise bad_request(f"{message}assistant message", param=f"messages.{place}")
    last = turns[-1]
    if last.role == "assistant" and last.text != last.text.rstrip():
        raise bad_request("messages: final assistant content cannot end with trailing whitespace", param="messages")
    return turns


def read_texts(body: Mapping[str, Any], name: str) -> str:
    """Return the text of a field that is a string or text blocks, such as `system`."""
    if body.get(name) is None or isinstance(body[name], str):
        return body.get(name) or ""
    turn = Turn(role="")
    for place, block in enumerate(objects(body, name)):
        at = f"{name}.{place}."
        if required(block, "type", str, at=at) != "text":
            raise wrong(f"{at}type", "Input should be 'text'")
        _read(turn, "text", block, at)
    return turn.text


def check_cache_marks(content: Any) -> None:
    """Refuse more cache marks than the API takes, wherever they are."""
    found = sum(1 for _ in _cache_marks(content, 0))
    if found > _MOST_CACHE_MARKS:
        message = f"A maximum of {_MOST_CACHE_MARKS} blocks with cache_control may be provided. Found {found}."
        raise bad_request(message, param="cache_control")


def _cache_marks(content: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        return
    if isinstance(content, dict):
        if content.get("cache_control") is not None:
            yield content["cache_control"]
        content = [value for name, value in content.items() if name not in {"input", "input_schema"}]
    if isinstance(content, list):
        for one in content:
            yield from _cache_marks(one, depth + 1)


def _turn(message: Mapping[str, Any], at: str) -> Turn:
    only(message, ("role", "content"), at=at)
    turn = Turn(required(message, "role", str, at=at))
    if turn.role not in _ROLES:
        raise wrong(f"{at}role", "Input should be 'user', 'assistant' or 'system'")
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    for place, block in enumerate(
        objects({"content": content}, "content", at=at) if content is not None else _none(at)
    ):
        _read_block(turn, block, f"{at}content.{place}.")
    return turn


def _none(at: str) -> list[dict[str, Any]]:
    raise wrong(f"{at}content", "Field required")


def _read_block(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    kind = required(block, "type", str, at=at)
    known = _ASSISTANTS if turn.role == "assistant" else _USERS
    if kind not in known and not kind.endswith("_tool_result"):
        if kind in _USERS | _ASSISTANTS:
            raise wrong(at.rstrip("."), f"`{kind}` blocks are not permitted in {turn.role} messages")
        raise wrong(f"{at}type", f"Input tag '{kind}' does not match any of the expected tags")
    turn.kinds.append(kind)
    if kind in _READERS:
        _read(turn, kind, block, at)


def _read(turn: Turn, kind: str, block: Mapping[str, Any], at: str) -> None:
    only(block, _FIELDS[kind], at=f"{at}{kind}.")
    _READERS[kind](turn, block, at)


def _read_text(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    text = required(block, "text", str, at=f"{at}text.")
    if not text:
        raise bad_request("messages: text content blocks must be non-empty", param=f"{at}text")
    if not text.strip():
        raise bad_request("messages: text content blocks must contain non-whitespace text", param=f"{at}text")
    turn.texts.append(text)


def _read_image(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    turn.media.append(_source(block, MediaKind.IMAGE, f"{at}image.source."))


def _read_document(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    turn.media.append(_source(block, MediaKind.DOCUMENT, f"{at}document.source."))


def _source(block: Mapping[str, Any], kind: MediaKind, at: str) -> Media:
    source = required(block, "source", dict, at=at.removesuffix("source."))
    match required(source, "type", str, at=at):
        case "base64":
            media_type = required(source, "media_type", str, at=f"{at}base64.")
            known = _IMAGES if kind is MediaKind.IMAGE else {"application/pdf"}
            if media_type not in known:
                raise wrong(f"{at}base64.media_type", f"Input should be one of {', '.join(sorted(known))}")
            check_base64(source.get("data"), param=f"{at}base64.data", message=f"{at}base64.data: Invalid base64 data")
            return Media(kind, media_type)
        case "url":
            url = required(source, "url", str, at=f"{at}url.")
            if not url.startswith(("https://", "http://")):
                raise wrong(f"{at}url.url", "Only HTTPS URLs are supported.")
            return Media(kind, "by URL")
        case "file":
            required(source, "file_id", str, at=f"{at}file.")
            return Media(kind, "by file id")
        case "text" | "content" if kind is MediaKind.DOCUMENT:
            return Media(kind, "text/plain")
        case other:
            raise wrong(f"{at}type", f"Input tag '{other}' does not match any of the expected tags")


def _read_tool_use(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    at = f"{at}tool_use."
    called = required(block, "id", str, at=at)
    if not called or not all(c.isascii() and (c.isalnum() or c in "_-") for c in called):
        raise wrong(f"{at}id", "String should match pattern '^[a-zA-Z0-9_-]+$'")
    required(block, "name", str, at=at)
    required(block, "input", dict, at=at)
    turn.calls.append(called)


def _read_tool_result(turn: Turn, block: Mapping[str, Any], at: str) -> None:
    at = f"{at}tool_result."
    called = required(block, "tool_use_id", str, at=at)
    optional(block, "is_error", bool, at=at)
    result = Turn("user")
    content = block.get("content")
    if isinstance(content, str):
        result.texts.append(content)
    else:
        for place, part in enumerate(objects(block, "content", at=at)):
            kind = required(part, "type", str, at=f"{at}content.{place}.")
            if kind in {"text", "image", "document"}:
                _read(result, kind, part, f"{at}content.{place}.")
            elif kind not in {"search_result", "tool_reference"}:
                raise wrong(f"{at}content.{place}.type", f"Input tag '{kind}' does not match any of the expected tags")
    turn.media += result.media
    turn.results[called] = result.text
    turn.result_ids.append(called)


def _read_thinking(turn: Turn, block: Mapping[str, Any], at: str) -> None:  # noqa: ARG001 - one shape for all readers
    thought = required(block, "thinking", str, at=f"{at}thinking.")
    mark = required(block, "signature", str, at=f"{at}thinking.")
    if not is_signed(VENDOR, thought, mark):
        raise wrong(at.rstrip("."), "Invalid `signature` in `thinking` block")


def _read_redacted(turn: Turn, block: Mapping[str, Any], at: str) -> None:  # noqa: ARG001 - one shape for all readers
    """A mock never hides a thought, so none that comes back can be its own."""
    required(block, "data", str, at=f"{at}redacted_thinking.")
    raise wrong(at.rstrip("."), "Invalid `data` in `redacted_thinking` block")


_READERS = {
    "text": _read_text,
    "image": _read_image,
    "document": _read_document,
    "tool_use": _read_tool_use,
    "tool_result": _read_tool_result,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
}


def _check_newer(messages: list[dict[str, Any]]) -> None:
    """Refuse what the newer version no longer takes."""
    for place, message in enumerate(messages):
        for number, block in enumerate(message["content"] if isinstance(message["content"], list) else []):
            at = f"messages.{place}.content.{number}"
            if message["role"] == "assistant" and block["type"] == "document":
                raise wrong(at, "`document` blocks are not permitted in assistant messages")
            if message["role"] == "user" and block["type"] == "text" and block.get("citations"):
                raise wrong(f"{at}.text.citations", "Extra inputs are not permitted")
