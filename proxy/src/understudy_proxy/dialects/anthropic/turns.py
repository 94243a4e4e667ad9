"""A client's messages in canonical form.

Every kind of block that other vendors have a word for is one here. What only this vendor can do (search results, tools
that it runs itself, files it keeps) is `Unsupported`: it can still be passed on to it as it is.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from understudy_proxy.dialects.anthropic.fields import objects, optional, required, wrong
from understudy_proxy.dialects.anthropic.names import PDF
from understudy_proxy.dialects.canonical.content import (
    CacheMark,
    Document,
    Image,
    Issuer,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.signatures import untagged
from understudy_proxy.dialects.request_error import Unsupported

Block = dict[str, Any]


class Turns:
    """The conversation of one request."""

    def __init__(self) -> None:
        self.system: list[Text] = []
        self.extra: dict[str, Any] = {}
        """What has no place in canonical form and changes nothing."""
        self._turns: list[tuple[Role, list[Part]]] = []
        self._names: dict[str, str] = {}
        """Of tools, by the ids of their calls."""

    def add_system(self, body: Block) -> None:
        """Take the system prompt, a text or blocks of it."""
        said = body.get("system")
        if type(said) is str:
            self.system.append(Text(said))
        else:
            self.system += self._texts(objects(body, "system"), "system")

    def add(self, message: Block, at: str) -> None:
        """Take the next message; `at` is its path with a trailing dot."""
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if type(content) is str else content
        if message["role"] == "system":
            self.system += self._texts(blocks, f"{at}content")
            return
        role = Role(message["role"])
        parts = [part for place, block in enumerate(blocks) for part in self._parts(block, f"{at}content.{place}.")]
        _check_roles(role, parts, at)
        if self._turns and self._turns[-1][0] is role:
            self._turns[-1][1].extend(parts)
        else:
            self._turns.append((role, parts))

    def messages(self) -> tuple[Message, ...]:
        """The turns; of a user's, results of tools first."""
        return tuple(
            Message(role, tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResult))))
            for role, parts in self._turns
        )

    def mark_end(self, mark: CacheMark) -> None:
        """All there is may be cached: the last part that can carry a mark gets it."""
        if self._turns:
            parts = self._turns[-1][1]
            if parts and isinstance(last := parts[-1], (Text, Image, Document, ToolCall, ToolResult)):
                parts[-1] = replace(last, cache=last.cache or mark)

    def _texts(self, blocks: Iterable[Block], at: str) -> list[Text]:
        texts = []
        for place, block in enumerate(blocks):
            if block.get("type") != "text":
                raise wrong(f"{at}.{place}.type", "Input should be 'text'")
            texts.append(Text(required(block, "text", str, at=f"{at}.{place}."), cache_mark(block)))
        return texts

    def _parts(self, block: Block, at: str) -> list[Part]:
        match required(block, "type", str, at=at):
            case "text":
                return [Text(required(block, "text", str, at=at), cache_mark(block))]
            case "tool_use":
                return [self._call(block, at)]
            case "tool_result":
                return [self._result(block, at)]
            case "thinking" | "redacted_thinking" as kind:
                return [_thinking(block, at) if kind == "thinking" else _redacted(block, at)]
            case "image":
                return [_image(block, at)]
            case "document":
                return self._document(block, at)
            case kind:
                raise Unsupported(f"Only Anthropic knows content of the type {kind[:64]!r}.", param="messages")

    def _document(self, block: Block, at: str) -> list[Part]:
        source = required(block, "source", dict, at=at)
        if (optional(block, "citations", dict, at=at) or {}).get("enabled"):
            self.extra["citations"] = True
        context = optional(block, "context", str, at=at)
        before: list[Part] = [Text(context)] if context else []
        return before + self._document_of(source, optional(block, "title", str, at=at), cache_mark(block), at)

    def _document_of(self, source: Block, title: str | None, mark: CacheMark | None, at: str) -> list[Part]:
        at = f"{at}source."
        match required(source, "type", str, at=at):
            case "base64":
                kind, data = optional(source, "media_type", str, at=at) or PDF, required(source, "data", str, at=at)
                return [Document(kind, data=data, title=title, cache=mark)]
            case "text":
                return [Document("text/plain", text=required(source, "data", str, at=at), title=title, cache=mark)]
            case "url":
                return [Document(PDF, url=required(source, "url", str, at=at), title=title, cache=mark)]
            case "content":
                content = source.get("content")
                if type(content) is str:
                    return [Document("text/plain", text=content, title=title, cache=mark)]
                blocks = objects(source, "content", at=at)
                return [part for place, one in enumerate(blocks) for part in self._parts(one, f"{at}content.{place}.")]
            case kind:
                raise _not_here(f"documents from a {kind[:64]!r}")

    def _call(self, block: Block, at: str) -> ToolCall:
        called, name = required(block, "id", str, at=at), required(block, "name", str, at=at)
        self._names[called] = name
        try:
            arguments = orjson.dumps(required(block, "input", dict, at=at)).decode()
        except orjson.JSONEncodeError:
            raise wrong(f"{at}input", "Input is nested too deeply") from None
        return ToolCall(called, name, arguments, cache=cache_mark(block))

    def _result(self, block: Block, at: str) -> ToolResult:
        called = required(block, "tool_use_id", str, at=at)
        content = block.get("content")
        parts: list[Part] = []
        if type(content) is str:
            parts.append(Text(content))
        else:
            for place, inner in enumerate(objects(block, "content", at=at)):
                parts += self._parts(inner, f"{at}content.{place}.")
        return ToolResult(
            called,
            tuple(part for part in parts if isinstance(part, (Text, Image, Document))),
            self._names.get(called),
            optional(block, "is_error", bool, at=at) or False,
            cache_mark(block),
        )


def _check_roles(role: Role, parts: list[Part], at: str) -> None:
    """Nobody speaks for the other.

    Raises:
        RequestError: the user calls tools or thinks, or the model answers its own calls.
        Unsupported: the model shows something.
    """
    for part in parts:
        if role is Role.USER and isinstance(part, (ToolCall, Thinking)):
            raise wrong(f"{at}content", "`tool_use` and `thinking` blocks can only be in `assistant` messages")
        if role is Role.ASSISTANT and isinstance(part, ToolResult):
            raise wrong(f"{at}content", "`tool_result` blocks can only be in `user` messages")
        if role is Role.ASSISTANT and isinstance(part, (Image, Document)):
            raise Unsupported("Only Anthropic takes images and documents from an assistant.", param="messages")


def _thinking(block: Block, at: str) -> Thinking:
    text, signature = optional(block, "thinking", str, at=at) or "", optional(block, "signature", str, at=at)
    known = untagged(signature, own=Issuer.ANTHROPIC) if signature else None
    return Thinking(text, known if known is not None and known.value else None)


def _redacted(block: Block, at: str) -> Thinking:
    return Thinking(redacted=required(block, "data", str, at=at))


def _image(block: Block, at: str) -> Image:
    source = required(block, "source", dict, at=at)
    at = f"{at}source."
    match required(source, "type", str, at=at):
        case "base64":
            kind, data = required(source, "media_type", str, at=at), required(source, "data", str, at=at)
            return Image(kind, data, cache=cache_mark(block))
        case "url":
            return Image(url=required(source, "url", str, at=at), cache=cache_mark(block))
        case kind:
            raise _not_here(f"images from a {kind[:64]!r}")


def cache_mark(block: Block) -> CacheMark | None:
    """The mark on a block up to which a prompt may be cached."""
    control = block.get("cache_control")
    if type(control) is not dict:
        return None
    ttl = control.get("ttl")
    return CacheMark(ttl if type(ttl) is str else None)


def _not_here(what: str) -> Unsupported:
    return Unsupported(f"Only Anthropic can take {what} source: send the data, or a URL.", param="messages")
