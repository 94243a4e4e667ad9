"""Reading the bodies of OpenAI's Responses API: what a body asks for, or a refusal in OpenAI's words.

It differs from chat completions where a gateway may slip, and is refused there: tools are flat, parts are named after
their direction (`input_text`, `output_text`), images are bare URLs, and several fields have other names or none.
Calls and their outputs have to come in pairs, unless the request goes on from an earlier response. Encoding is in
`responses`.
"""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from understudy.mock.asks import Chat, Media, MediaKind, Spoke, rounds_in
from understudy.mock.dialects.openai_fields import as_object, field, named_model, number
from understudy.mock.dialects.responses_tools import missing, read_tools
from understudy.mock.failures import RefusedError, bad_request
from understudy.mock.media import from_url
from understudy.mock.replies import tokens_in
from understudy.mock.signatures import is_signed

VENDOR = "openai"
"""Whose signatures the encrypted content of reasoning is."""

# https://platform.openai.com/docs/guides/migrate-to-responses
_MOVED = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
}
_UNKNOWN = ("n", "stop", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "functions", "function_call")
_ROLES = frozenset({"user", "assistant", "system", "developer"})
_INPUT_PARTS = ("input_text", "input_image", "input_file", "input_audio")
_OUTPUT_PARTS = ("output_text", "refusal")
_OTHER_ITEMS = frozenset(
    {"item_reference", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "compaction"}
)
_TOKENS_AN_ITEM = 4
_TOKENS_TO_BEGIN = 3


def read_response(content: Any) -> Chat:
    """Read the body of `POST /v1/responses`."""
    body = as_object(content)
    _check_names(body)
    items = _items(body)
    goes_on = field(body, "previous_response_id", str)
    if not goes_on and not body.get("conversation"):
        _check_pairs(items)
    texts = [_text(item) for item in items]
    instructions = field(body, "instructions", str) or ""
    offered = read_tools(body)
    return Chat(
        model=named_model(body),
        said=next((t for i, t in zip(reversed(items), reversed(texts), strict=True) if i.get("role") == "user"), ""),
        tool_result=_returned(items, texts),
        rounds=rounds_in(_spoke(item) for item in items),
        media=tuple(_media(items)),
        prompt_tokens=_TOKENS_TO_BEGIN + tokens_in(instructions) + sum(_TOKENS_AN_ITEM + tokens_in(t) for t in texts),
        stream=bool(field(body, "stream", bool)),
        max_tokens=number(body, "max_output_tokens", least=1),
        tools=offered.allowed,
        calls=offered.forced,
        parallel=field(body, "parallel_tool_calls", bool) is not False,
        schema=_schema(body),
        variant=goes_on or "",
    )


def _check_names(body: Mapping[str, Any]) -> None:
    """Refuse the fields of chat completions that are called otherwise here, or that are not there at all."""
    for name, now in _MOVED.items():
        if body.get(name) is not None:
            message = f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{now}'."
            raise bad_request(message, param=name, code="unsupported_parameter")
    for name in _UNKNOWN:
        if body.get(name) is not None:
            raise bad_request(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items of the input; a text alone is a message of the user."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise missing("input")
    return [_item(one, at=f"input[{place}]") for place, one in enumerate(given)]


def _item(item: Any, *, at: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise bad_request(f"Invalid type for '{at}': expected an object.", param=at)
    kind = str(item.get("type", "message"))
    if kind == "message":
        _check_message(item, at=at)
    elif kind == "function_call":
        _check_texts(item, ("call_id", "name", "arguments"), at=at)
    elif kind == "function_call_output":
        _check_texts(item, ("call_id",), at=at)
        if not isinstance(item.get("output"), str | list):
            raise missing(f"{at}.output")
    elif kind == "reasoning":
        _check_reasoning(item, at=at)
    elif kind not in _OTHER_ITEMS and not kind.endswith(("_call", "_output")):
        raise _invalid(kind, ("message", "function_call", "function_call_output", "reasoning"), at=f"{at}.type")
    return {"type": "message", **item}


def _check_message(item: Mapping[str, Any], *, at: str) -> None:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise _invalid(role, tuple(sorted(_ROLES)), at=f"{at}.role")
    content = item.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise missing(f"{at}.content")
    known = _OUTPUT_PARTS if role == "assistant" else _INPUT_PARTS
    for place, part in enumerate(content):
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        if kind not in known:
            raise _invalid(kind, known, at=f"{at}.content[{place}]")
        wanted = {"input_text": "text", "output_text": "text", "refusal": "refusal"}.get(kind)
        if wanted:
            _check_texts(part, (wanted,), at=f"{at}.content[{place}]")


def _check_reasoning(item: Mapping[str, Any], *, at: str) -> None:
    """Encrypted content has to be what this API gave; a summary is a list, if an empty one."""
    if not isinstance(item.get("summary"), list):
        raise missing(f"{at}.summary")
    content = item.get("encrypted_content")
    if content is not None and not is_signed(VENDOR, "", content):
        message = f"The encrypted content for item {item.get('id')} could not be verified."
        raise bad_request(message, param=at, code="invalid_encrypted_content")


def _check_texts(item: Mapping[str, Any], names: tuple[str, ...], *, at: str) -> None:
    for name in names:
        if not isinstance(item.get(name), str):
            raise missing(f"{at}.{name}")


def _check_pairs(items: list[dict[str, Any]]) -> None:
    called: set[str] = set()
    returned: set[str] = set()
    for item in items:
        if item["type"] == "function_call":
            called.add(item["call_id"])
        elif item["type"] == "function_call_output":
            returned.add(item["call_id"])
            if item["call_id"] not in called:
                message = f"No tool call found for function call output with call_id {item['call_id']}."
                raise bad_request(message, param="input")
    for lacking in sorted(called - returned):
        raise bad_request(f"No tool output found for function call {lacking}.", param="input")


def _text(item: Mapping[str, Any]) -> str:
    """Return the text of an item: what was said, or what a tool returned."""
    content = item.get("output") if item["type"] == "function_call_output" else item.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _returned(items: list[dict[str, Any]], texts: list[str]) -> str | None:
    """Return what the tools said with which the input ends."""
    turns = zip(reversed(items), reversed(texts), strict=True)
    last = list(takewhile(lambda turn: turn[0]["type"] == "function_call_output", turns))
    return ", ".join(text for _, text in reversed(last)) if last else None


def _spoke(item: Mapping[str, Any]) -> Spoke:
    if item.get("role") == "user":
        return Spoke.USER
    return Spoke.TOOLS if item["type"] == "function_call_output" else Spoke.OTHER


def _media(items: list[dict[str, Any]]) -> Iterator[Media]:
    for place, item in enumerate(items):
        content = item.get("output") if item["type"] == "function_call_output" else item.get("content")
        for part_place, part in enumerate(content if isinstance(content, list) else []):
            if isinstance(part, dict):
                yield from _media_of(part, at=f"input[{place}].content[{part_place}]")


def _media_of(part: Mapping[str, Any], *, at: str) -> Iterator[Media]:
    if part.get("type") == "input_image":
        url = part.get("image_url")
        if url is None and isinstance(part.get("file_id"), str):
            yield Media(MediaKind.IMAGE, "by file id")
        elif not isinstance(url, str):
            raise bad_request(f"Invalid type for '{at}.image_url': expected an image URL.", param=f"{at}.image_url")
        else:
            yield from_url(MediaKind.IMAGE, url, param=f"{at}.image_url")
    elif part.get("type") == "input_file":
        data = part.get("file_data") or part.get("file_url")
        yield from_url(MediaKind.DOCUMENT, str(data), param=at) if data else Media(MediaKind.DOCUMENT, "by file id")


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = field(field(body, "text", dict) or {}, "format", dict) or {}
    kind = wanted.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return {}
    if kind != "json_schema":
        raise _invalid(kind, ("text", "json_object", "json_schema"), at="text.format.type")
    if not isinstance(wanted.get("name"), str):
        raise missing("text.format.name")
    if not isinstance(wanted.get("schema"), dict):
        raise missing("text.format.schema")
    return dict(wanted["schema"])


def _invalid(value: Any, known: tuple[str, ...], *, at: str) -> RefusedError:
    supported = ", ".join(f"'{one}'" for one in known)
    return bad_request(f"Invalid value: '{value}'. Supported values are: {supported}.", param=at, code="invalid_value")
