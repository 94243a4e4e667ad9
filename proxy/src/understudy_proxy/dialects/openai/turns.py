"""Turns of a conversation as messages to a provider."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

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
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.openai.fitting import short_id
from understudy_proxy.dialects.openai.quirks import Quirks
from understudy_proxy.dialects.request_error import Unsupported

_BETWEEN = "\n\n"
"""Texts that stand apart elsewhere stand apart here by an empty line: many servers take a text, but not several."""
_NO_THOUGHT = " "
_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}
_FORMATS = frozenset({"wav", "mp3"})
_ID_CHARACTERS = 24
_LONGEST_ID = 40


class Turns:
    """Makes messages for one request.

    Args:
        quirks: of the provider.
        names: of functions.
    """

    def __init__(self, quirks: Quirks, names: Renaming) -> None:
        self._quirks = quirks
        self._names = names

    def system(self, texts: Sequence[Text]) -> list[dict[str, Any]]:
        """One message for all prompts, since many chat templates take only one."""
        if not texts:
            return []
        return [{"role": "system", "content": self._texts(texts)}]

    def messages(self, turns: Sequence[Message]) -> list[dict[str, Any]]:
        """All turns.

        Raises:
            Unsupported: something in them cannot be said.
        """
        messages: list[dict[str, Any]] = []
        for turn in turns:
            messages += self._user(turn.parts) if turn.role is Role.USER else [self._assistant(turn.parts)]
        return messages

    def _texts(self, texts: Sequence[Text]) -> str | list[dict[str, Any]]:
        if self._quirks.takes_cache_marks and any(text.cache for text in texts):
            return [self._part(text) for text in texts]
        return _BETWEEN.join(text.text for text in texts)

    def _user(self, parts: Sequence[Part]) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        said: list[Part] = []
        for part in parts:
            if isinstance(part, ToolResult):
                messages.append(self._result(part))
                said += _beside(part)
        said += [part for part in parts if not isinstance(part, ToolResult)]
        if said:
            texts = [part for part in said if isinstance(part, Text)]
            alone = len(texts) == len(said)
            content = self._texts(texts) if alone else [self._part(part) for part in said]
            messages.append({"role": "user", "content": content})
        return messages

    def _result(self, result: ToolResult) -> dict[str, Any]:
        """A message with text alone: what else a tool returned follows in the user's name."""
        said = [_words(part) for part in result.content]
        texts = [words for words in said if words is not None]
        if len(texts) < len(said):
            texts.append("(The files that were returned follow in the next message of the user.)")
        text = _BETWEEN.join(texts)
        if result.is_error:
            text = f"Error: {text}" if text else "Error"
        return {"role": "tool", "tool_call_id": self._id(result.call_id), "content": text}

    def _assistant(self, parts: Sequence[Part]) -> dict[str, Any]:
        texts: list[str] = []
        refusals: list[str] = []
        calls: list[dict[str, Any]] = []
        thoughts: list[str] = []
        for part in parts:
            match part:
                case Text():
                    texts.append(part.text)
                case Refusal():
                    (refusals if self._quirks.is_openai else texts).append(part.text)
                case ToolCall():
                    calls.append(self._call(part))
                case Thinking() if part.text:
                    thoughts.append(part.text)
                case _:
                    pass
        message: dict[str, Any] = {"role": "assistant", "content": "".join(texts)}
        if refusals:
            message["refusal"] = "".join(refusals)
        if calls:
            message["tool_calls"] = calls
        if (name := self._quirks.said_thought) is not None:
            thought = _BETWEEN.join(thoughts) or (_NO_THOUGHT if calls and self._quirks.needs_thought else "")
            message |= {name: thought} if thought else {}
        return message

    def _call(self, call: ToolCall) -> dict[str, Any]:
        function = {"name": self._names.given(call.name), "arguments": call.arguments or "{}"}
        return {"id": self._id(call.id), "type": "function", "function": function}

    def _id(self, call_id: str) -> str:
        """The id of a call, or what stands for it where the provider would refuse it, the same everywhere."""
        if self._quirks.short_ids:
            return short_id(call_id)
        if 0 < len(call_id) <= _LONGEST_ID:
            return call_id
        return f"call_{sha256(call_id.encode(errors='replace')).hexdigest()[:_ID_CHARACTERS]}"

    def _part(self, part: Part) -> dict[str, Any]:
        match part:
            case Text():
                made: dict[str, Any] = {"type": "text", "text": part.text}
            case Image():
                made = _image(part)
            case Audio():
                return _audio(part)
            case Document():
                made = self._document(part)
            case _:
                raise Unsupported(f"A {type(part).__name__} cannot be said by a user.", param="messages")
        if part.cache is not None and self._quirks.takes_cache_marks:
            ttl = {} if part.cache.ttl is None else {"ttl": part.cache.ttl}
            made["cache_control"] = {"type": "ephemeral"} | ttl
        return made

    def _document(self, document: Document) -> dict[str, Any]:
        words = _words(document)
        if words is not None:
            return {"type": "text", "text": words}
        if not self._quirks.takes_files or document.data is None:
            what = "by URL" if document.data is None else f"of type {document.media_type[:64]}"
            raise Unsupported(f"This kind of provider takes no documents {what}.", param="messages")
        data = f"data:{document.media_type};base64,{document.data}"
        return {"type": "file", "file": {"filename": document.title or "document.pdf", "file_data": data}}


def _beside(result: ToolResult) -> list[Part]:
    """What of a result is no text, with the words that say where it is from."""
    rest: list[Part] = [part for part in result.content if _words(part) is None]
    return [Text(f"Returned by the tool call {result.call_id}:"), *rest] if rest else []


def _image(image: Image) -> dict[str, Any]:
    url = image.url or f"data:{image.media_type or 'image/jpeg'};base64,{image.data}"
    detail = {} if image.detail is None else {"detail": image.detail}
    return {"type": "image_url", "image_url": {"url": url} | detail}


def _audio(audio: Audio) -> dict[str, Any]:
    kind = audio.media_type.partition("/")[2]
    kind = _AUDIO_FORMATS.get(kind, kind)
    if kind not in _FORMATS:
        raise Unsupported(
            f"Providers of OpenAI's dialect take sound as wav or mp3, not {audio.media_type[:64]}.", param="messages"
        )
    return {"type": "input_audio", "input_audio": {"data": audio.data, "format": kind}}


def _words(part: Text | Image | Document) -> str | None:
    """What can be said in words: a text, or a document that is one, with its name; None for anything else."""
    match part:
        case Text():
            return part.text
        case Image():
            return None
        case Document():
            text = part.text if part.text is not None else _decoded(part)
            return f"{part.title}{_BETWEEN}{text}" if part.title and text is not None else text


def _decoded(document: Document) -> str | None:
    if not document.media_type.startswith("text/") or document.data is None:
        return None
    try:
        return b64decode(document.data).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
