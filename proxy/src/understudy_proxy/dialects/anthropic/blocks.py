"""Canonical messages to content blocks.

Empty texts are left out, because the vendor refuses them; so is reasoning that it has not signed.
"""

import base64
import binascii
from typing import Any

from understudy_proxy.dialects.anthropic.names import IMAGE_TYPES, MAX_NAME, NAME_CHARACTERS, PDF, cache_control
from understudy_proxy.dialects.canonical.arguments import arguments_of
from understudy_proxy.dialects.canonical.content import (
    Audio,
    CacheMark,
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
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.claude.thinking import is_claudes
from understudy_proxy.dialects.request_error import RequestError, Unsupported

Block = dict[str, Any]

_MAX_ID = 256
_PLACEHOLDER = "."
"""Said where a turn has to be and has no words; an empty text is refused."""


class Blocks:
    """The messages of one request."""

    def __init__(self) -> None:
        self.names = Renaming(NAME_CHARACTERS, MAX_NAME)
        """Of tools."""
        self.ids = Renaming(NAME_CHARACTERS, _MAX_ID)
        """Of tool calls."""
        self.warnings: dict[str, None] = {}

    def messages(self, messages: tuple[Message, ...]) -> list[Block]:
        """All turns, the user's first."""
        turns = [turn for message in messages if (turn := self._turn(message)) is not None]
        if not turns:
            raise RequestError("The conversation has no message that says something.", param="messages")
        if turns[0]["role"] != "user":
            self.warn("A user's turn was put before the first: Anthropic's conversations begin with the user.")
            turns.insert(0, {"role": "user", "content": [{"type": "text", "text": _PLACEHOLDER}]})
        _trim_end(turns[-1])
        return turns

    def texts(self, texts: tuple[Text, ...]) -> list[Block]:
        """What a system prompt consists of."""
        return [block for text in texts if (block := self._text(text)) is not None]

    def warn(self, sentence: str) -> None:
        """Tell the client, once."""
        self.warnings[sentence] = None

    def _turn(self, message: Message) -> Block | None:
        content = [block for part in message.parts if (block := self._block(part)) is not None]
        if not content and message.role is Role.ASSISTANT:
            return None
        if not content:
            self.warn(f"An empty message of the user was sent as '{_PLACEHOLDER}': Anthropic takes no empty ones.")
            content = [{"type": "text", "text": _PLACEHOLDER}]
        return {"role": message.role.value, "content": content}

    def _block(self, part: Part) -> Block | None:
        match part:
            case Text():
                return self._text(part)
            case ToolCall():
                return _marked(self._call(part), part.cache)
            case ToolResult():
                return _marked(self._result(part), part.cache)
            case Thinking():
                return self._thinking(part)
            case Image():
                return self._image(part)
            case Document():
                return _document(part)
            case Refusal():
                return self._text(Text(part.text))
            case Audio():
                raise Unsupported("Anthropic's models take no audio. Send text, or name a model that hears.")

    @staticmethod
    def _text(part: Text) -> Block | None:
        if not part.text.strip():
            return None
        return _marked({"type": "text", "text": part.text}, part.cache)

    def _call(self, call: ToolCall) -> Block:
        return {
            "type": "tool_use",
            "id": self.ids.given(call.id),
            "name": self.names.given(call.name),
            "input": arguments_of(call),
        }

    def _result(self, result: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": self.ids.given(result.call_id)}
        content = [inner for part in result.content if (inner := self._block(part)) is not None]
        if content:
            block["content"] = content
        if result.is_error:
            block["is_error"] = True
        return block

    def _thinking(self, thinking: Thinking) -> Block | None:
        if thinking.redacted is not None:
            return {"type": "redacted_thinking", "data": thinking.redacted}
        signature = thinking.signature
        if signature is None or not is_claudes(thinking):
            self.warn("Reasoning in the conversation that Anthropic has not signed was left out.")
            return None
        return {"type": "thinking", "thinking": thinking.text, "signature": signature.value}

    def _image(self, image: Image) -> Block:
        if image.detail not in {None, "auto"}:
            self.warn("The 'detail' of images was left out: Anthropic looks at all of them closely.")
        if image.url is not None:
            return _marked({"type": "image", "source": {"type": "url", "url": image.url}}, image.cache)
        if image.media_type == PDF:
            return _document(Document(PDF, data=image.data, cache=image.cache))
        if image.media_type not in IMAGE_TYPES:
            raise Unsupported(
                f"Anthropic takes images of the types {', '.join(sorted(IMAGE_TYPES))}, not {image.media_type!r}."
            )
        source = {"type": "base64", "media_type": image.media_type, "data": image.data}
        return _marked({"type": "image", "source": source}, image.cache)


def _document(document: Document) -> Block:
    block: Block = {"type": "document", "source": _source(document)}
    if document.title:
        block["title"] = document.title
    return _marked(block, document.cache)


def _source(document: Document) -> Block:
    if document.url is not None:
        return {"type": "url", "url": document.url}
    if document.text is not None:
        return {"type": "text", "media_type": "text/plain", "data": document.text}
    if document.media_type == PDF:
        return {"type": "base64", "media_type": PDF, "data": document.data}
    if document.media_type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _decoded(document.data or "")}
    raise Unsupported(f"Anthropic takes PDF and plain text as documents, not {document.media_type!r}.")


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise RequestError("A document of text is not UTF-8 in base64.", param="messages") from None


def _marked(block: Block, mark: CacheMark | None) -> Block:
    if mark is not None:
        block["cache_control"] = cache_control(mark)
    return block


def _trim_end(turn: Block) -> None:
    """What the model is to go on from may not end in white space."""
    last = turn["content"][-1]
    if turn["role"] == "assistant" and last["type"] == "text":
        last["text"] = last["text"].rstrip()
