"""Reading the bodies of Ollama's own API: what a body asks for, or a refusal in Ollama's words.

Go reads these bodies: a wrong type is refused, an unknown field is not even noticed, and an explicit null is an
absent field. An answer is a stream unless `stream` is false. Encoding is in `ollama`.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, TypeVar

from understudy.mock.asks import Call, Chat, Embeddings, Media, MediaKind, Spoke, Tool, rounds_in
from understudy.mock.failures import bad_request
from understudy.mock.media import check_base64
from understudy.mock.replies import tokens_in

T = TypeVar("T", str, bool, int, list[Any], dict[str, Any])

LOAD = " load"
"""Follows the variant of a call, in `Chat.variant`, that has nothing to answer: it only loads the model."""
STILL = " still"
"""Follows it for a call whose model is not to think."""

_TYPES: dict[type, str] = {str: "string", bool: "bool", int: "int", list: "slice", dict: "map"}
_EFFORTS = frozenset({"low", "medium", "high", "max"})
# How images of each type begin, in base64.
_IMAGES = {"iVBORw": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
_SPOKE = {"user": Spoke.USER, "tool": Spoke.TOOLS}
_DURATION = re.compile(r"-?[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))*|-?[0-9]+")
_TOKENS_A_MESSAGE = 4
_USUAL_DIMENSIONS = 16
_MOST_DIMENSIONS = 4096


def read_chat(call: Call, content: Any) -> Chat:
    """Read the body of `POST /api/chat`."""
    body = _body(content)
    messages = [_message(one) for one in _field(body, "messages", list) or []]
    texts = [_field(message, "content", str) or "" for message in messages]
    roles = [_field(message, "role", str) or "" for message in messages]
    tools = tuple(_tools(body))
    return _chat(
        call,
        body,
        said=next((text for role, text in zip(reversed(roles), reversed(texts), strict=True) if role == "user"), ""),
        tool_result=_returned(roles, texts),
        rounds=rounds_in(_SPOKE.get(role, Spoke.OTHER) for role in roles),
        media=tuple(medium for message in messages for medium in _images(message)),
        texts=texts,
        tools=tools,
    )


def read_generate(call: Call, content: Any) -> Chat:
    """Read the body of `POST /api/generate`."""
    body = _body(content)
    prompt = _field(body, "prompt", str) or ""
    texts = [_field(body, "system", str) or "", prompt] if prompt else []
    return _chat(call, body, said=prompt, tool_result=None, media=tuple(_images(body)), texts=texts, tools=())


def read_embed(call: Call, content: Any) -> Embeddings:
    """Read the body of `POST /api/embed`, or of the older `/api/embeddings`."""
    body = _body(content)
    given = body.get("input") if call.variant == "embed" else _field(body, "prompt", str) or ""
    many = [given] if isinstance(given, str) else [] if given is None else given
    if not isinstance(many, list) or not all(isinstance(one, str) for one in many):
        raise bad_request("invalid input type")
    dimensions = _field(body, "dimensions", int) or _USUAL_DIMENSIONS
    return Embeddings(
        model=read_model(body),
        inputs=tuple(many),
        dimensions=min(max(dimensions, 1), _MOST_DIMENSIONS),
        base64=False,
        prompt_tokens=sum(map(tokens_in, many)),
        variant=call.variant,
    )


def read_model(content: Any) -> str:
    """Return the model that a body names, as any of Ollama's bodies does."""
    body = _body(content)
    model = _field(body, "model", str) or _field(body, "name", str)
    if not model:
        raise bad_request("model is required")
    return model


def _chat(
    call: Call,
    body: Mapping[str, Any],
    *,
    said: str,
    tool_result: str | None,
    rounds: int = 0,
    media: tuple[Media, ...],
    texts: list[str],
    tools: tuple[Tool, ...],
) -> Chat:
    options = _field(body, "options", dict) or {}
    _check_keep_alive(body)
    longest = _option(options, "num_predict")
    variant = call.variant + ("" if _thinks(body) else STILL) + ("" if texts else LOAD)
    return Chat(
        model=read_model(body),
        said=said,
        tool_result=tool_result,
        rounds=rounds,
        media=media,
        prompt_tokens=sum(_TOKENS_A_MESSAGE + tokens_in(text) for text in texts),
        stream=_field(body, "stream", bool) is not False and bool(texts),
        # Zero and the negative numbers stand for no bound.
        max_tokens=longest if longest is not None and longest > 0 else None,
        stop=_stops(options),
        tools=tools,
        schema=_schema(body),
        variant=variant,
    )


def _body(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise bad_request("json: cannot unmarshal the body into Go value of type api.ChatRequest")
    return content


def _message(content: Any) -> dict[str, Any]:
    """Check a message: a text that is a string, and tool calls whose arguments are objects."""
    if not isinstance(content, dict):
        raise bad_request("json: cannot unmarshal into Go struct field ChatRequest.messages of type api.Message")
    for call in _field(content, "tool_calls", list) or []:
        function = _field(call if isinstance(call, dict) else {}, "function", dict) or {}
        if not _field(function, "name", str):
            raise bad_request("json: Go struct field ChatRequest.messages.tool_calls.function.name is empty")
        _field(function, "arguments", dict)
    return content


def _returned(roles: list[str], texts: list[str]) -> str | None:
    """Return what the tools said with which the conversation ends."""
    last = list(takewhile(lambda turn: turn[0] == "tool", zip(reversed(roles), reversed(texts), strict=True)))
    return ", ".join(text for _, text in reversed(last)) if last else None


def _images(message: Mapping[str, Any]) -> Iterator[Media]:
    """Ollama takes bare base64 alone: neither data URLs nor other ones."""
    for image in _field(message, "images", list) or []:
        check_base64(image, param="images", message="illegal base64 data at input byte 4")
        yield Media(MediaKind.IMAGE, next((kind for start, kind in _IMAGES.items() if image.startswith(start)), ""))


def _tools(body: Mapping[str, Any]) -> Iterator[Tool]:
    for tool in _field(body, "tools", list) or []:
        function = _field(tool if isinstance(tool, dict) else {}, "function", dict) or {}
        yield Tool(_field(function, "name", str) or "", _field(function, "parameters", dict) or {"type": "object"})


def _thinks(body: Mapping[str, Any]) -> bool:
    think = body.get("think")
    if think is not None and not isinstance(think, bool) and not (isinstance(think, str) and think in _EFFORTS):
        raise bad_request(f'invalid think value: "{think}" (must be "high", "medium", "low", "max", true, or false)')
    return think is not False


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = body.get("format")
    if wanted in (None, ""):
        return None
    if wanted == "json":
        return {}
    if isinstance(wanted, dict):
        return wanted
    raise bad_request(f'invalid format: "{wanted}"; expected "json" or a valid JSON Schema object')


def _check_keep_alive(body: Mapping[str, Any]) -> None:
    keep = body.get("keep_alive")
    if isinstance(keep, bool) or not isinstance(keep, int | float | str | None):
        raise bad_request("keep_alive has to be a duration such as 5m, or a number of seconds")
    if isinstance(keep, str) and not _DURATION.fullmatch(keep):
        raise bad_request(f'time: invalid duration "{keep}"')


def _option(options: Mapping[str, Any], name: str) -> int | None:
    value = options.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise bad_request(f'option "{name}" must be of type integer')
    return None if value is None else int(value)


def _stops(options: Mapping[str, Any]) -> tuple[str, ...]:
    stops = options.get("stop") or []
    if not isinstance(stops, list) or not all(isinstance(one, str) for one in stops):
        raise bad_request('option "stop" must be of an array of strings')
    return tuple(stops)


def _field(body: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise bad_request(f"json: cannot unmarshal into Go struct field .{name} of type {_TYPES[kind]}")
    return value
