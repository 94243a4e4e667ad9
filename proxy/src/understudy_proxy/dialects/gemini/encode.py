"""A canonical request in Gemini's words."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Image, Text, ToolCall, ToolResult
from understudy_proxy.dialects.gemini.config import generation_config
from understudy_proxy.dialects.gemini.contents import ContentsWriter
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.generations import generation_of
from understudy_proxy.dialects.gemini.tools import write_tools
from understudy_proxy.dialects.request_error import RequestError

_DETAILS = frozenset({None, "auto"})


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request, ready but for where it goes."""

    body: dict[str, Any]
    names: FunctionNames
    warnings: tuple[str, ...]


def encode(chat: Chat, candidate: Candidate) -> Encoded:
    """The body for `candidate`.

    Raises:
        RequestError: the request is wrong.
        Unsupported: Gemini cannot do what it asks for.
    """
    model = candidate.upstream_model
    generation = generation_of(model)
    warnings = _unsaid(chat)
    names = FunctionNames(tool.name for tool in chat.tools)
    contents = ContentsWriter(names, wants_signatures=generation.wants_signatures).write(chat.messages)
    body: dict[str, Any] = {"contents": contents}
    if system := [{"text": text.text} for text in chat.system if text.text]:
        body["systemInstruction"] = {"parts": system}
    write_tools(chat, body, names=names, generation=generation, warnings=warnings)
    if config := generation_config(chat, model=model, generation=generation, warnings=warnings):
        body["generationConfig"] = config
    return Encoded(body, names, tuple(warnings))


def path_of(candidate: Candidate, method: str) -> str:
    """Where a method of the candidate's model is, below the base URL."""
    return f"/models/{quote(named(candidate), safe='')}:{method}"


def named(candidate: Candidate) -> str:
    """The model without the `models/` that Google's own lists put before it."""
    return candidate.upstream_model.removeprefix("models/")


def dumped(body: dict[str, Any]) -> bytes:
    """The bytes of a body.

    Raises:
        RequestError: it is nested too deeply to be written.
    """
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise RequestError("The body of the request is nested too deeply: at most 254 levels can be sent on.") from None


def _unsaid(chat: Chat) -> list[str]:
    """What of a request Gemini has no word for, and changes nothing in the answer's meaning."""
    missing = [f"Gemini has no '{name[:64]}': it was not sent." for name in chat.extra]
    if chat.user is not None:
        missing.append("Gemini is not told whom an answer is for: user was not sent.")
    if chat.service_tier is not None:
        missing.append("Gemini has other service tiers: service_tier was not sent.")
    if _has_cache_marks(chat):
        missing.append("Gemini caches by itself: cache marks were not sent.")
    if any(isinstance(part, Image) and part.detail not in _DETAILS for turn in chat.messages for part in turn.parts):
        missing.append("Gemini has no detail of an image: it was not sent.")
    return missing


def _has_cache_marks(chat: Chat) -> bool:
    parts = (part for message in chat.messages for part in message.parts)
    return (
        any(text.cache for text in chat.system)
        or any(tool.cache for tool in chat.tools)
        or any(isinstance(part, (Text, Image, ToolCall, ToolResult)) and part.cache for part in parts)
    )
