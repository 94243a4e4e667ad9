"""A client's request, read once: enough of it to route, the rest left as it is.

The estimate of input tokens is that of `dialects/openai/request.py`: a quarter of the body's bytes, media aside, and a
flat number for each of those.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_api.config import Capability
from understudy_proxy.dialects.fields import array, mapping, missing
from understudy_proxy.dialects.gemini.messages import Fields, field_of
from understudy_proxy.dialects.gemini.thoughts import FOREIGN
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.routing.need import BYTES_PER_TOKEN, Need

_MAX_DETAIL = 120
_IMAGE_TOKENS, _AUDIO_TOKENS, _FILE_TOKENS = 1000, 500, 3000
_FOREIGN = FOREIGN.encode()
_SCHEMAS = ("responseSchema", "responseJsonSchema")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GenerateRequest(Asked):
    """A request to generate, or to count what would be read."""

    array: bool = False
    """A stream is to be a JSON array, not server-sent events."""
    foreign: bool = False
    """There are signatures of other vendors in it."""
    thoughts: bool = False
    """The client wants to read the reasoning."""

    @property
    def request(self) -> dict[str, Any]:
        """The `GenerateContentRequest`, which a request to count may have inside."""
        inner = field_of(self.body, "generateContentRequest")
        return inner if isinstance(inner, dict) else self.body


def read(raw: bytes, *, model: str, stream: bool = False, array: bool = False) -> GenerateRequest:
    """Read the body of a request; the model's name is in its path.

    Raises:
        RequestError: it is not one.
    """
    body = read_object(raw)
    inner = field_of(body, "generateContentRequest")
    request = body if inner is None else mapping(inner, "generateContentRequest")
    contents = _listed(field_of(request, "contents"))
    if not contents:
        raise missing("contents")
    media = _Media()
    media.look_through(contents)
    capabilities = {Capability.CHAT, *media.capabilities, *_asked_for(request)}
    if stream:
        capabilities.add(Capability.STREAMING)
    return GenerateRequest(
        body=body,
        model=model,
        need=Need(
            capabilities=frozenset(capabilities),
            input_tokens=max(0, len(raw) - media.bytes) // BYTES_PER_TOKEN + media.tokens,
            stream=stream,
            max_output_tokens=_max_output(request),
        ),
        stream=stream,
        array=array,
        foreign=_FOREIGN in raw,
        thoughts=_wants_thoughts(request),
    )


def read_object(raw: bytes) -> dict[str, Any]:
    """The object that a body is.

    Raises:
        RequestError: it is none.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        detail = str(error)[:_MAX_DETAIL]
        raise RequestError(f"Invalid JSON payload received: {detail}.") from None
    return mapping(body, "body")


class _Media:
    """What is in contents beside text."""

    def __init__(self) -> None:
        self.capabilities: set[Capability] = set()
        self.bytes = 0
        self.tokens = 0

    def look_through(self, contents: list[Any]) -> None:
        """Find them."""
        for content in contents:
            parts = field_of(content, "parts") if isinstance(content, dict) else None
            for part in _listed(parts):
                if isinstance(part, dict):
                    self._note(part)

    def _note(self, part: dict[str, Any]) -> None:
        medium = field_of(part, "inlineData") or field_of(part, "fileData")
        if not isinstance(medium, dict):
            return
        data, kind = medium.get("data"), field_of(medium, "mimeType")
        self.bytes += len(data) if isinstance(data, str) else 0
        if isinstance(kind, str) and kind.startswith("image/"):
            self.capabilities.add(Capability.VISION)
            self.tokens += _IMAGE_TOKENS
        elif isinstance(kind, str) and kind.startswith("audio/"):
            self.capabilities.add(Capability.AUDIO)
            self.tokens += _AUDIO_TOKENS
        else:
            self.tokens += _FILE_TOKENS


def _asked_for(request: dict[str, Any]) -> set[Capability]:
    asked: set[Capability] = set()
    tools = _listed(field_of(request, "tools"))
    if any(isinstance(tool, dict) and field_of(tool, "functionDeclarations") for tool in tools):
        asked.add(Capability.TOOLS)
    config = field_of(request, "generationConfig")
    if isinstance(config, dict) and any(field_of(config, name) for name in _SCHEMAS):
        asked.add(Capability.JSON_SCHEMA)
    return asked


def _max_output(request: dict[str, Any]) -> int | None:
    config = field_of(request, "generationConfig")
    if config is None:
        return None
    tokens = Fields(config, "generationConfig").whole("maxOutputTokens")
    return tokens if tokens is None or tokens > 0 else None


def _wants_thoughts(request: dict[str, Any]) -> bool:
    """Whether thoughts were asked for, or thinking was and nothing said against seeing it."""
    config = field_of(request, "generationConfig")
    thinking = field_of(config, "thinkingConfig") if isinstance(config, dict) else None
    if not isinstance(thinking, dict):
        return False
    visible = field_of(thinking, "includeThoughts")
    return field_of(thinking, "thinkingBudget") != 0 if visible is None else visible is True


def _listed(value: Any) -> list[Any]:
    """A list, also where one thing stands for itself."""
    if isinstance(value, dict):
        return [value]
    return [] if value is None else array(value, "contents")
