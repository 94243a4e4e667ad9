"""Reading OpenAI's request bodies: what a body asks for, or a refusal that names the field at fault.

An explicit null means the same as an absent field, everywhere. Encoding is in `openai`.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from understudy.mock.asks import Chat, Embeddings, Spoke, Tool, rounds_in
from understudy.mock.dialects.openai_fields import (
    as_object,
    as_text,
    field,
    named_model,
    number,
    stops,
    texts_or_tokens,
)
from understudy.mock.dialects.openai_messages import TOOLS, Message, read_messages
from understudy.mock.failures import bad_request
from understudy.mock.replies import tokens_in

# https://platform.openai.com/docs/api-reference/chat/create
_MOST_CHOICES = 128
# The older name is refused by models that think first.
_REASONING_MODELS = ("o1", "o3", "o4", "gpt-5")
# What a chat format adds to the texts, an estimate: a few tokens a message, and a few to begin the answer.
_TOKENS_A_MESSAGE = 4
_TOKENS_TO_BEGIN = 3

_MOST_DIMENSIONS = 4096
_USUAL_DIMENSIONS = 16


def read_chat(content: Any) -> Chat:
    """Read the body of `POST /v1/chat/completions`."""
    body = as_object(content)
    messages = read_messages(body)
    options = field(body, "stream_options", dict) or {}
    stream = bool(field(body, "stream", bool))
    if options and not stream:
        raise bad_request("'stream_options' is only allowed when 'stream' is true.", param="stream_options")
    model = named_model(body)
    return Chat(
        model=model,
        said=next((message.text for message in reversed(messages) if message.role == "user"), ""),
        tool_result=_results(messages),
        rounds=rounds_in(_spoke(message) for message in messages),
        media=tuple(one for message in messages for one in message.media),
        prompt_tokens=_TOKENS_TO_BEGIN + sum(_TOKENS_A_MESSAGE + tokens_in(message.text) for message in messages),
        stream=stream,
        stream_usage=bool(field(options, "include_usage", bool)),
        choices=number(body, "n", least=1, most=_MOST_CHOICES) or 1,
        max_tokens=_max_tokens(body, model),
        stop=stops(body),
        tools=_allowed(body),
        calls=_calls(body),
        parallel=field(body, "parallel_tool_calls", bool) is not False,
        schema=_schema(body),
    )


def read_embeddings(content: Any) -> Embeddings:
    """Read the body of `POST /v1/embeddings`."""
    body = as_object(content)
    many = texts_or_tokens(body, "input")
    encoding = field(body, "encoding_format", str) or "float"
    if encoding not in {"float", "base64"}:
        raise bad_request("'encoding_format' has to be 'float' or 'base64'.", param="encoding_format")
    return Embeddings(
        model=named_model(body),
        inputs=tuple(as_text(one) for one in many),
        dimensions=number(body, "dimensions", least=1, most=_MOST_DIMENSIONS) or _USUAL_DIMENSIONS,
        base64=encoding == "base64",
        prompt_tokens=sum(tokens_in(one) if isinstance(one, str) else len(one) for one in many),
    )


def _results(messages: list[Message]) -> str | None:
    """Return what tools returned since anybody else spoke, if anything."""
    results = list(takewhile(lambda message: message.role in TOOLS, reversed(messages)))
    return ", ".join(message.text for message in reversed(results)) if results else None


def _spoke(message: Message) -> Spoke:
    if message.role == "user":
        return Spoke.USER
    return Spoke.TOOLS if message.role in TOOLS else Spoke.OTHER


def _max_tokens(body: Mapping[str, Any], model: str) -> int | None:
    old = number(body, "max_tokens", least=1)
    if old is not None and model.startswith(_REASONING_MODELS):
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise bad_request(message, param="max_tokens", code="unsupported_parameter")
    longest = number(body, "max_completion_tokens", least=1)
    return longest if longest is not None else old


def _calls(body: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Return the function that has to be called: the one named, or the first if any has to be."""
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        choice = (field(choice, "allowed_tools", dict) or {}).get("mode")
    if choice == "required" and not _tools(body):
        raise bad_request("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    return _allowed(body)[:1] if choice == "required" or isinstance(choice, dict) else ()


def _allowed(body: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Return the functions that may be called."""
    tools = {tool.name: tool for tool in _tools(body)}
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = field(choice, "allowed_tools", dict) or {}
        names = [_function_name(tool) for tool in field(allowed, "tools", list) or []]
        tools = {name: tools[name] for name in names if name in tools}
        choice = allowed.get("mode")
    if isinstance(choice, dict):
        named = _function_name(choice)
        if named not in tools:
            raise bad_request(f"'tool_choice' names the tool '{named}', which 'tools' lacks.", param="tool_choice")
        return (tools[named],)
    if choice is not None and choice not in ("none", "auto", "required"):
        raise bad_request("'tool_choice' has to be none, auto, required, or name a tool.", param="tool_choice")
    return () if choice == "none" else tuple(tools.values())


def _tools(body: Mapping[str, Any]) -> list[Tool]:
    tools = []
    for place, tool in enumerate(field(body, "tools", list) or []):
        name = _function_name(tool)
        if name is None:
            continue  # A custom tool: offered, but nothing a mock would call.
        if not name:
            raise bad_request(f"'tools[{place}].function' has to have a 'name'.", param=f"tools[{place}].function.name")
        parameters = tool["function"].get("parameters")
        tools.append(Tool(name, parameters if isinstance(parameters, dict) else {"type": "object"}))
    return tools


def _function_name(tool: Any) -> str | None:
    """Return the name in `{"type": "function", "function": {"name"}}`; None for another type of tool."""
    if not isinstance(tool, dict) or tool.get("type", "function") != "function":
        return None
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = field(body, "response_format", dict) or {}
    kind = wanted.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return {}
    described = wanted.get("json_schema")
    if kind != "json_schema" or not isinstance(described, dict) or not isinstance(described.get("name"), str):
        raise bad_request(
            "'response_format' has to be text, json_object, or json_schema with a 'json_schema' that has a 'name'.",
            param="response_format",
        )
    schema = described.get("schema")
    return schema if isinstance(schema, dict) else {}
