"""A request for a response, put into the words of a chat completion.

What only OpenAI itself can do (its hosted tools, its conversations, its background mode, its prompts) is refused in
words: nothing here would do it, and to leave it out would change the answer.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from understudy_proxy.dialects.fields import array, invalid, mapping, shown, string
from understudy_proxy.dialects.openai.request import ChatRequest, parse_object, read
from understudy_proxy.dialects.openai.responses.items import messages_of
from understudy_proxy.dialects.request_error import RequestError

_SAME = frozenset(
    {
        "model",
        "stream",
        "temperature",
        "top_p",
        "parallel_tool_calls",
        "user",
        "safety_identifier",
        "service_tier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "session_id",
    }
)
"""Fields that both have under one name."""
_REFUSED = {
    "background": "the gateway answers while the client waits; leave 'background' out.",
    "conversation": "the gateway holds no conversations of OpenAI's; use 'previous_response_id'.",
    "prompt": "the gateway holds no prompts of OpenAI's; use 'instructions', or a Persona as the model.",
}


@dataclass(slots=True)
class Kept:
    """What is to be kept of a response; filled in when it is complete."""

    response: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ResponseRequest(ChatRequest):
    """A request for a response. `body` is that of a chat completion which asks the same."""

    asked: dict[str, Any] = field(repr=False)
    """The body as the client sent it."""
    items: list[Any] = field(repr=False)
    """Its own input, as items."""
    store: bool
    """Whether the response can be asked for again."""
    kept: Kept = field(repr=False)


def parse(raw: bytes) -> dict[str, Any]:
    """The body of a request.

    Raises:
        RequestError: it is none that can be answered.
    """
    body = parse_object(raw)
    for name, why in _REFUSED.items():
        if body.get(name):
            raise RequestError(f"Unsupported value for '{name}': {why}", code="unsupported_value", param=name)
    return body


def read_response(body: dict[str, Any], earlier: list[Any]) -> ResponseRequest:
    """Read a request whose conversation began with the items `earlier`.

    Raises:
        RequestError: it is wrong.
    """
    items = _input_items(body.get("input"))
    messages = messages_of([*earlier, *items])
    instructions = body.get("instructions")
    if instructions is not None:
        messages.insert(0, {"role": "system", "content": string(instructions, "instructions")})
    chat = {name: body[name] for name in _SAME & body.keys()} | _renamed(body) | {"messages": messages}
    same = read(orjson.dumps(chat))
    return ResponseRequest(
        body=same.body,
        model=same.model,
        need=same.need,
        stream=same.stream,
        include_usage=True,
        choices=1,
        asked=body,
        items=items,
        store=body.get("store") is not False,
        kept=Kept(),
    )


def _input_items(given: Any) -> list[Any]:
    if given is None:
        return []
    if type(given) is str:
        return [{"type": "message", "role": "user", "content": given}]
    return array(given, "input")


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    """Fields that a chat completion has under other names."""
    chat: dict[str, Any] = {}
    if body.get("max_output_tokens") is not None:
        chat["max_completion_tokens"] = body["max_output_tokens"]
    if (reasoning := body.get("reasoning")) is not None:
        chat["reasoning_effort"] = mapping(reasoning, "reasoning").get("effort")
    if body.get("top_logprobs"):
        chat |= {"logprobs": True, "top_logprobs": body["top_logprobs"]}
    if (text := body.get("text")) is not None:
        chat |= _text(mapping(text, "text"))
    if tools := body.get("tools"):
        chat["tools"] = [
            _tool(mapping(tool, f"tools[{index}]"), f"tools[{index}]")
            for index, tool in enumerate(array(tools, "tools"))
        ]
    if (choice := body.get("tool_choice")) is not None:
        chat["tool_choice"] = _tool_choice(choice)
    return chat


def _text(text: dict[str, Any]) -> dict[str, Any]:
    chat = {"verbosity": text["verbosity"]} if text.get("verbosity") is not None else {}
    wanted = text.get("format")
    if wanted is None:
        return chat
    wanted = mapping(wanted, "text.format")
    if wanted.get("type") == "json_schema":
        wanted = {"type": "json_schema", "json_schema": {name: wanted[name] for name in wanted if name != "type"}}
    return chat | {"response_format": wanted}


def _tool(tool: dict[str, Any], param: str) -> dict[str, Any]:
    kind = tool.get("type")
    if kind != "function":
        raise invalid(
            f"{param}.type",
            f"only tools of type 'function' are served here, which the client runs itself, not {shown(str(kind))}.",
        )
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _tool_choice(choice: Any) -> Any:
    if type(choice) is str:
        return choice
    stated = mapping(choice, "tool_choice")
    match stated.get("type"):
        case "function":
            return {"type": "function", "function": {"name": stated.get("name")}}
        case "allowed_tools":
            tools = [
                {"type": "function", "function": {"name": mapping(tool, "tool_choice.tools").get("name")}}
                for tool in array(stated.get("tools"), "tool_choice.tools")
            ]
            return {"type": "allowed_tools", "allowed_tools": {"mode": stated.get("mode"), "tools": tools}}
        case kind:
            raise invalid("tool_choice.type", f"expected 'function' or 'allowed_tools', but got {shown(str(kind))}.")
