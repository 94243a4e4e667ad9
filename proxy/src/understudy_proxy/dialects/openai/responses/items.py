"""Items of a response's input, as the messages of a chat completion."""

from collections.abc import Callable, Mapping
from typing import Any

from understudy_proxy.dialects.fields import array, invalid, mapping, shown, string
from understudy_proxy.dialects.request_error import RequestError

REDACTED = "redacted."
"""How the sealed content of reasoning begins that nobody but its vendor may read."""
_MESSAGE = "message"


def messages_of(items: list[Any]) -> list[dict[str, Any]]:
    """The conversation that `items` are.

    Raises:
        RequestError: one of them is wrong.
    """
    messages: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        param = f"input[{index}]"
        message = _message(mapping(item, param), param, items[:index])
        last = messages[-1] if messages else None
        if message["role"] == "assistant" and last is not None and last["role"] == "assistant":
            _join(last, message)
        else:
            messages.append(message)
    return messages


def _message(item: Mapping[str, Any], param: str, before: list[Any]) -> dict[str, Any]:
    kind = item.get("type") or (_MESSAGE if "role" in item else None)
    if kind == "item_reference":
        return _message(_referred(string(item.get("id"), f"{param}.id"), before, param), param, [])
    read = _READ.get(kind) if type(kind) is str else None
    if read is None:
        words = ", ".join(repr(name) for name in _READ)
        raise invalid(f"{param}.type", f"expected one of {words}, but got {shown(str(kind))}.")
    return read(item, param)


def _referred(id_: str, before: list[Any], param: str) -> Mapping[str, Any]:
    for item in before:
        if type(item) is dict and item.get("id") == id_ and item.get("type") != "item_reference":
            return item
    raise RequestError(
        f"Item with id {shown(id_)} not found: it is in no response that this request goes on from.",
        status=404,
        code="item_not_found",
        param=f"{param}.id",
    )


def _words(item: Mapping[str, Any], param: str) -> dict[str, Any]:
    role = string(item.get("role"), f"{param}.role")
    content = item.get("content")
    if type(content) is str:
        return {"role": role, "content": content}
    path = f"{param}.content"
    parts = [
        _part(mapping(part, f"{path}[{index}]"), f"{path}[{index}]") for index, part in enumerate(array(content, path))
    ]
    return {"role": role, "content": parts}


def _part(part: Mapping[str, Any], param: str) -> dict[str, Any]:
    kind = part.get("type")
    match kind:
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": part.get("text")}
        case "refusal":
            return {"type": "refusal", "refusal": part.get("refusal")}
        case "input_image":
            if part.get("image_url") is None:
                raise _no_files(param)
            image = {"url": part["image_url"]} | ({"detail": part["detail"]} if part.get("detail") else {})
            return {"type": "image_url", "image_url": image}
        case "input_audio":
            return {"type": "input_audio", "input_audio": part.get("input_audio")}
        case "input_file":
            if part.get("file_data") is None:
                raise _no_files(param)
            return {"type": "file", "file": {name: part[name] for name in ("file_data", "filename") if part.get(name)}}
        case _:
            words = "'input_text', 'input_image', 'input_file', 'input_audio', 'output_text' or 'refusal'"
            raise invalid(f"{param}.type", f"expected {words}, but got {shown(str(kind))}.")


def _no_files(param: str) -> RequestError:
    message = f"Invalid '{param}': the gateway holds no files; send the content itself, as a data URL."
    return RequestError(message, code="unsupported_value", param=param)


def _call(item: Mapping[str, Any], param: str) -> dict[str, Any]:
    function = {
        "name": string(item.get("name"), f"{param}.name"),
        "arguments": string(item.get("arguments"), f"{param}.arguments"),
    }
    call = {"id": string(item.get("call_id"), f"{param}.call_id"), "type": "function", "function": function}
    if type(signature := item.get("thought_signature")) is str:
        call["extra_content"] = {"google": {"thought_signature": signature}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _output(item: Mapping[str, Any], param: str) -> dict[str, Any]:
    output = item.get("output")
    if type(output) is not str:
        path = f"{param}.output"
        output = [
            _part(mapping(part, f"{path}[{index}]"), f"{path}[{index}]")
            for index, part in enumerate(array(output, path))
        ]
    return {"role": "tool", "tool_call_id": string(item.get("call_id"), f"{param}.call_id"), "content": output}


def _reasoning(item: Mapping[str, Any], param: str) -> dict[str, Any]:
    said = [part for name in ("content", "summary") for part in array(item.get(name) or [], f"{param}.{name}")]
    text = "\n".join(part["text"] for part in said if type(part) is dict and type(part.get("text")) is str)
    sealed = item.get("encrypted_content")
    if sealed is not None and type(sealed) is not str:
        raise invalid(f"{param}.encrypted_content", "expected a string.")
    block: dict[str, Any] = {"type": "thinking", "thinking": text}
    if sealed is not None and sealed.startswith(REDACTED):
        block = {"type": "redacted_thinking", "data": sealed.removeprefix(REDACTED)}
    elif sealed:
        block["signature"] = sealed
    return {"role": "assistant", "content": None, "thinking_blocks": [block]}


_READ: dict[str, Callable[[Mapping[str, Any], str], dict[str, Any]]] = {
    _MESSAGE: _words,
    "function_call": _call,
    "function_call_output": _output,
    "reasoning": _reasoning,
}


def _join(message: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put what the model said in several items into one message, as a chat completion has it."""
    for name in ("tool_calls", "thinking_blocks"):
        if name in more:
            message[name] = [*message.get(name, ()), *more[name]]
    if more.get("content") is not None:
        message["content"] = [*_parts(message.get("content")), *_parts(more["content"])]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if type(content) is str else list(content or ())
