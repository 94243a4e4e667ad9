"""Canonical messages to content blocks.

Roles alternate strictly, empty texts are refused, and media travel inside of the request.
"""

import base64
import re
from typing import Any

from understudy_proxy.dialects.bedrock.names import (
    AUDIO_FORMATS,
    DOCUMENT_FORMATS,
    ID_CHARACTERS,
    IMAGE_FORMATS,
    LONGEST,
    NAME_CHARACTERS,
    cache_point,
)
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

_PLACEHOLDER: Block = {"text": "."}
"""Said where something has to be said and there are no words; an empty text is refused."""
_NOT_IN_TITLES = re.compile(r"[^A-Za-z0-9\s()\[\]-]+")
_SPACES = re.compile(r"\s+")
_MAX_TITLE = 200
_PDF = "application/pdf"


class Blocks:
    """The messages of one request.

    Args:
        is_claude: the model knows Anthropic's signatures.
        caches: it takes cache points.
    """

    def __init__(self, *, is_claude: bool, caches: bool) -> None:
        self.names = Renaming(NAME_CHARACTERS, LONGEST)
        """Of tools."""
        self.ids = Renaming(ID_CHARACTERS, LONGEST)
        """Of tool calls."""
        self.called: dict[str, None] = {}
        """Names of the tools that the conversation speaks of, as Bedrock gets them."""
        self.warnings: dict[str, None] = {}
        self._is_claude = is_claude
        self._caches = caches

    def messages(self, messages: tuple[Message, ...]) -> list[Block]:
        """All turns, the user's first."""
        turns: list[Block] = []
        for message in messages:
            content = self._content(message)
            if turns and turns[-1]["role"] == message.role.value:
                turns[-1]["content"] += content
            elif content:
                turns.append({"role": message.role.value, "content": content})
        if not turns:
            raise RequestError("The conversation has no message that says something.", param="messages")
        if turns[0]["role"] != Role.USER.value:
            self.warn("A user's turn was put before the first: Bedrock's conversations begin with the user.")
            turns.insert(0, {"role": Role.USER.value, "content": [_PLACEHOLDER]})
        _trim_end(turns[-1])
        return turns

    def texts(self, texts: tuple[Text, ...]) -> list[Block]:
        """What a system prompt consists of."""
        return [block for text in texts for block in self._text(text)]

    def mark(self, mark: CacheMark | None) -> list[Block]:
        """What follows a block up to which a prompt may be cached."""
        if mark is None:
            return []
        if not self._caches:
            self.warn("Cache marks were left out: this model takes none.")
            return []
        return [cache_point(mark)]

    def warn(self, sentence: str) -> None:
        """Tell the client, once."""
        self.warnings[sentence] = None

    def _content(self, message: Message) -> list[Block]:
        content = [block for part in message.parts for block in self._blocks(part)]
        if message.role is Role.ASSISTANT:
            return content
        if not content:
            self.warn("An empty message of the user was sent as '.': Bedrock takes no empty ones.")
            return [_PLACEHOLDER]
        kinds = {kind for block in content for kind in block}
        if "document" in kinds and kinds.isdisjoint({"text", "toolResult"}):
            # A document has to come with words about it.
            return [*content, _PLACEHOLDER]
        return content

    def _blocks(self, part: Part) -> list[Block]:
        match part:
            case Text():
                return self._text(part)
            case ToolCall():
                return [self._call(part), *self.mark(part.cache)]
            case ToolResult():
                return [self._result(part), *self.mark(part.cache)]
            case Thinking():
                return self._thinking(part)
            case Image():
                return [self._image(part), *self.mark(part.cache)]
            case Document():
                return [_document(part), *self.mark(part.cache)]
            case Refusal():
                return self._text(Text(part.text))
            case Audio():
                return [_audio(part)]

    def _text(self, part: Text) -> list[Block]:
        return [{"text": part.text}, *self.mark(part.cache)] if part.text.strip() else []

    def _call(self, call: ToolCall) -> Block:
        name = self.names.given(call.name)
        self.called[name] = None
        return {"toolUse": {"toolUseId": self.ids.given(call.id), "name": name, "input": arguments_of(call)}}

    def _result(self, result: ToolResult) -> Block:
        if result.name is not None:
            self.called[self.names.given(result.name)] = None
        # Cache points go between blocks of a message, not into one.
        content = [self._blocks(part)[0] for part in result.content if not isinstance(part, Text) or part.text.strip()]
        said: Block = {"toolUseId": self.ids.given(result.call_id), "content": content or [_PLACEHOLDER]}
        if result.is_error:
            said["status"] = "error"
        return {"toolResult": said}

    def _thinking(self, thinking: Thinking) -> list[Block]:
        signature = thinking.signature
        if not self._is_claude or not is_claudes(thinking):
            self.warn("Reasoning in the conversation that this model does not know as its own was left out.")
            return []
        if thinking.redacted is not None or signature is None:
            return [{"reasoningContent": {"redactedContent": thinking.redacted}}]
        return [{"reasoningContent": {"reasoningText": {"text": thinking.text, "signature": signature.value}}}]

    def _image(self, image: Image) -> Block:
        if image.url is not None:
            raise Unsupported(
                "Bedrock takes no URLs of images: send the image itself, as a data URL.", param="messages"
            )
        if image.media_type == _PDF:
            return _document(Document(_PDF, data=image.data))
        if image.detail not in {None, "auto"}:
            self.warn("The 'detail' of images was left out: Bedrock has no word for it.")
        known = IMAGE_FORMATS.get(image.media_type or "")
        if known is None:
            raise Unsupported(
                f"Bedrock takes images of the types {', '.join(IMAGE_FORMATS)}, not {image.media_type!r}."
            )
        return {"image": {"format": known, "source": {"bytes": image.data}}}


def _document(document: Document) -> Block:
    if document.url is not None:
        raise Unsupported("Bedrock takes no URLs of documents: send the document itself.", param="messages")
    known = DOCUMENT_FORMATS.get(document.media_type)
    if known is None:
        raise Unsupported(
            f"Bedrock takes documents of the types {', '.join(DOCUMENT_FORMATS)}, not {document.media_type!r}."
        )
    data = document.data if document.text is None else base64.b64encode(document.text.encode()).decode()
    return {"document": {"format": known, "name": _title(document.title), "source": {"bytes": data}}}


def _title(title: str | None) -> str:
    """A name of the letters that are allowed, each white space one space."""
    plain = _SPACES.sub(" ", _NOT_IN_TITLES.sub("-", title or "")).strip()[:_MAX_TITLE]
    return plain or "document"


def _audio(audio: Audio) -> Block:
    known = AUDIO_FORMATS.get(audio.media_type)
    if known is None:
        raise Unsupported(f"Bedrock takes no sound of the type {audio.media_type!r}.", param="messages")
    return {"audio": {"format": known, "source": {"bytes": audio.data}}}


def _trim_end(turn: Block) -> None:
    """What the model is to go on from may not end in white space."""
    last = turn["content"][-1]
    if turn["role"] == Role.ASSISTANT.value and "text" in last:
        turn["content"][-1] = {"text": last["text"].rstrip()}
