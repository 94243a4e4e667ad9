"""A client's request, read once: enough of it to route, the rest left as it is.

What only the vendor can judge is left to whoever answers, but for the rules by which the two versions of the API
differ: a client of the newer one is told of its mistake whoever answers.

How input tokens are estimated is said in `dialects/openai/request.py`.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from understudy_api.config import Capability
from understudy_proxy.dialects.anthropic.fields import objects, optional, required, wrong
from understudy_proxy.dialects.anthropic.names import SAMPLING, VERSION, VERSION_HEADER, VERSION_WITHOUT_SAMPLING
from understudy_proxy.dialects.canonical.signatures import MARK
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.routing.need import BYTES_PER_TOKEN, Need

_IMAGE_TOKENS = 1000
_DOCUMENT_TOKENS = 3000
_MAX_DETAIL = 120
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_BETAS = re.compile(r"[!-~][ -~]{0,4095}")
_MARK = MARK.encode()
_ROLES = frozenset({"user", "assistant", "system"})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MessagesRequest(Asked):
    """A request for a message, or for the count of one."""

    version: str
    """Of the API, as the client speaks it."""
    betas: str | None
    """What it wants beyond that."""
    tagged: bool
    """Signatures of other vendors may be in it."""


def read(raw: bytes, *, version: str | None, betas: str | None) -> MessagesRequest:
    """Read the body of a request for a message, with the headers that say how it is meant.

    Raises:
        RequestError: it is none.
    """
    body = _object(raw)
    longest: int = required(body, "max_tokens", int)
    if longest < 0:
        raise wrong("max_tokens", "Input should be greater than or equal to 0")
    return _read(raw, body, version=version, betas=betas)


def read_count(raw: bytes, *, version: str | None, betas: str | None) -> MessagesRequest:
    """As `read`, of a request for a count, which says nothing of an answer."""
    return _read(raw, _object(raw), version=version, betas=betas)


def _read(raw: bytes, body: dict[str, Any], *, version: str | None, betas: str | None) -> MessagesRequest:
    version = VERSION if version is None else version
    if not _VERSION.fullmatch(version):
        raise wrong(VERSION_HEADER, f'"{version[:_MAX_DETAIL]}" is not a valid version')
    model = required(body, "model", str)
    if not model:
        raise wrong("model", "String should have at least 1 character")
    messages = objects(body, "messages")
    if not messages:
        raise wrong("messages", "at least one message is required" if "messages" in body else "Field required")
    newer = version >= VERSION_WITHOUT_SAMPLING
    if newer and (sampling := next((name for name in SAMPLING if name in body), None)) is not None:
        raise wrong(sampling, "Extra inputs are not permitted")
    stream = optional(body, "stream", bool) or False
    look = _Look(newer=newer)
    for place, message in enumerate(messages):
        look.message(message, f"messages.{place}.")
    return MessagesRequest(
        body=body,
        model=model,
        need=Need(
            capabilities=_capabilities(body, look, prefilled=messages[-1]["role"] == "assistant"),
            input_tokens=max(0, len(raw) - look.bytes) // BYTES_PER_TOKEN + look.tokens,
            stream=stream,
            max_output_tokens=optional(body, "max_tokens", int) or None,
        ),
        stream=stream,
        version=version,
        betas=betas if betas is not None and _BETAS.fullmatch(betas) else None,
        tagged=_MARK in raw,
    )


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"The request body is not valid JSON: {str(error)[:_MAX_DETAIL]}") from None
    if type(body) is not dict:
        raise RequestError("The request body must be a JSON object.")
    return body


def _capabilities(body: dict[str, Any], look: "_Look", *, prefilled: bool) -> frozenset[Capability]:
    needed = {Capability.CHAT}
    if optional(body, "stream", bool):
        needed.add(Capability.STREAMING)
    if objects(body, "tools"):
        needed.add(Capability.TOOLS)
    if look.images:
        needed.add(Capability.VISION)
    if (optional(body, "output_config", dict) or {}).get("format") is not None:
        needed.add(Capability.JSON_SCHEMA)
    if prefilled:
        needed.add(Capability.PREFILL)
    return frozenset(needed)


class _Look:
    """What is in messages beside text; and that each is one."""

    def __init__(self, *, newer: bool) -> None:
        self._newer = newer
        self.bytes = 0
        self.tokens = 0
        self.images = False

    def message(self, message: dict[str, Any], at: str) -> None:
        role = required(message, "role", str, at=at)
        if role not in _ROLES:
            raise wrong(f"{at}role", "Input should be 'user', 'assistant' or 'system'")
        if type(message.get("content")) is str:
            return
        if message.get("content") is None:
            raise wrong(f"{at}content", "Field required")
        for place, block in enumerate(objects(message, "content", at=at)):
            self._block(block, role, f"{at}content.{place}")

    def _block(self, block: dict[str, Any], role: str, at: str) -> None:
        match required(block, "type", str, at=f"{at}."):
            case "image":
                self.images = True
                self._media(block, _IMAGE_TOKENS)
            case "document":
                if self._newer and role == "assistant":
                    raise wrong(at, "`document` blocks are not permitted in assistant messages")
                self._media(block, _DOCUMENT_TOKENS)
            case "text":
                if self._newer and role == "user" and block.get("citations"):
                    raise wrong(f"{at}.text.citations", "Extra inputs are not permitted")
            case "tool_result" if type(block.get("content")) is list:
                for place, inner in enumerate(objects(block, "content", at=f"{at}.")):
                    self._block(inner, role, f"{at}.content.{place}")
            case _:
                pass

    def _media(self, block: dict[str, Any], tokens: int) -> None:
        source = block.get("source")
        if type(source) is dict and source.get("type") != "text":
            self.tokens += tokens
            data = source.get("data")
            self.bytes += len(data) if type(data) is str else 0
