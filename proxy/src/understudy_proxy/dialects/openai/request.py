"""A chat completion request, read once: enough of it to route, the rest left as it is.

Only what routing, metering and personas rely on is checked; the provider judges the rest, and its words reach the
client. An explicit null is an absent field, as OpenAI has it.

The estimate of input tokens is a quarter of the body's bytes, media aside, and a flat number for each of those. Bytes
rather than characters, because scripts with longer encodings have fewer characters to a token; the whole body, because
tool schemas and names count as well, and JSON's own marks are about what providers add to each message. It is off by a
third at times, and whoever compares it with a window allows for that.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_api.config import Capability
from understudy_proxy.dialects.fields import described, missing, wrong_type
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.routing.need import BYTES_PER_TOKEN, Need

IMAGE_TOKENS = 1000
"""A picture of usual size in full detail, at any of the large vendors, within a factor of two."""
AUDIO_TOKENS = 500
FILE_TOKENS = 3000
_ESCAPE_SURPLUS = 3
r"""Bytes that a `\uXXXX` escape takes beyond the UTF-8 of what it stands for."""
_MAX_DETAIL = 120

_STREAMING, _TOOLS, _VISION, _AUDIO, _JSON_SCHEMA = (1 << bit for bit in range(5))
_CAPABILITIES = {
    _STREAMING: Capability.STREAMING,
    _TOOLS: Capability.TOOLS,
    _VISION: Capability.VISION,
    _AUDIO: Capability.AUDIO,
    _JSON_SCHEMA: Capability.JSON_SCHEMA,
}
_SETS = tuple(
    frozenset({Capability.CHAT, *(capability for bit, capability in _CAPABILITIES.items() if bits & bit)})
    for bits in range(1 << len(_CAPABILITIES))
)
"""Every combination, made once."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChatRequest(Asked):
    """A chat completion request."""

    include_usage: bool = False
    """The client asked for a usage chunk at the end of the stream."""
    choices: int = 1
    """`n`: how many answers were asked for."""


def read(raw: bytes, *, model: str | None = None) -> ChatRequest:
    """Read the body of a request; `model` stands in the path where the body's does not count.

    Raises:
        RequestError: it is not one.
    """
    body = parse_object(raw)
    model = model or model_in(body)
    messages = _given(body, "messages", list, "an array of objects")
    if not messages:
        raise RequestError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            code="empty_array",
            param="messages",
        )
    stream = _optional(body, "stream", bool, "a boolean") or False
    options = _optional(body, "stream_options", dict, "an object") or {}
    media = _look_through(messages)
    bits = media.bits | _asked_for(body) | (_STREAMING if stream else 0)
    escapes = raw.count(b"\\u") if media.foreign and raw.isascii() else 0
    text_bytes = len(raw) - media.bytes - _ESCAPE_SURPLUS * escapes
    need = Need(
        capabilities=_SETS[bits],
        input_tokens=max(0, text_bytes) // BYTES_PER_TOKEN + media.tokens,
        stream=stream,
        max_output_tokens=max_output(body),
    )
    return ChatRequest(
        body=body,
        model=model,
        need=need,
        stream=stream,
        include_usage=stream and bool(options.get("include_usage")),
        choices=_optional(body, "n", int, "an integer") or 1,
    )


@dataclass(slots=True)
class _Media:
    """What is in messages beside text."""

    bits: int = 0
    bytes: int = 0
    tokens: int = 0
    foreign: bool = False
    """Some of the text is not ASCII."""

    def add(self, bit: int, data: Any, tokens: int) -> None:
        self.bits |= bit
        self.tokens += tokens
        if type(data) is str:
            self.bytes += len(data)


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object that a body is; raises `RequestError` if it is none."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        detail = str(error)[:_MAX_DETAIL]
        raise RequestError(f"We could not parse the JSON body of your request: {detail}.") from None
    if type(body) is not dict:
        raise RequestError(f"The body of the request must be a JSON object, but it is {described(body)}.")
    return body


def model_in(body: dict[str, Any]) -> str:
    """What model a body asks for; raises `RequestError` if it does not say."""
    model: str = _given(body, "model", str, "a string")
    if not model:
        raise missing("model")
    return model


def _given(body: dict[str, Any], name: str, kind: type, expected: str) -> Any:
    value = _optional(body, name, kind, expected)
    if value is None:
        raise missing(name)
    return value


def _optional(body: dict[str, Any], name: str, kind: type, expected: str) -> Any:
    value = body.get(name)
    if value is not None and type(value) is not kind:
        raise wrong_type(name, expected, value)
    return value


def _look_through(messages: list[Any]) -> _Media:
    media = _Media()
    for index, message in enumerate(messages):
        if type(message) is not dict:
            raise wrong_type(f"messages[{index}]", "an object", message)
        role = message.get("role")
        if type(role) is not str:
            param = f"messages[{index}].role"
            if role is None:
                raise missing(param)
            raise wrong_type(param, "a string", role)
        content = message.get("content")
        if type(content) is str:
            media.foreign = media.foreign or not content.isascii()
            continue
        if content is None:
            continue
        if type(content) is not list:
            raise wrong_type(f"messages[{index}].content", "a string or an array of content parts", content)
        _look_through_parts(content, index, media)
    return media


def _look_through_parts(parts: list[Any], message: int, media: _Media) -> None:
    for index, part in enumerate(parts):
        if type(part) is not dict:
            raise wrong_type(f"messages[{message}].content[{index}]", "an object", part)
        kind = part.get("type")
        if kind == "text":
            text = part.get("text")
            media.foreign = media.foreign or (type(text) is str and not text.isascii())
        elif kind == "image_url":
            image = part.get("image_url")
            media.add(_VISION, image.get("url") if type(image) is dict else image, IMAGE_TOKENS)
        elif kind == "input_audio":
            audio = part.get("input_audio")
            media.add(_AUDIO, audio.get("data") if type(audio) is dict else audio, AUDIO_TOKENS)
        elif kind == "file":
            file = part.get("file")
            media.add(0, file.get("file_data") if type(file) is dict else file, FILE_TOKENS)


def _asked_for(body: dict[str, Any]) -> int:
    bits = 0
    tools = _optional(body, "tools", list, "an array of objects")
    if tools or _optional(body, "functions", list, "an array of objects"):
        bits |= _TOOLS
    answer_format = _optional(body, "response_format", dict, "an object")
    if answer_format and answer_format.get("type") == "json_schema":
        bits |= _JSON_SCHEMA
    modalities = _optional(body, "modalities", list, "an array of strings")
    if modalities and "audio" in modalities:
        bits |= _AUDIO
    return bits


def max_output(body: dict[str, Any]) -> int | None:
    """How long the answer may be, in tokens, by either name of the limit."""
    asked = _optional(body, "max_completion_tokens", int, "an integer")
    older = _optional(body, "max_tokens", int, "an integer")
    tokens: int | None = older if asked is None else asked
    return tokens if tokens is None or tokens > 0 else None
