"""From what an app asks to what goes over the wire. Pure: both clients send exactly this."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from understudy.client._tools import Tool, as_tool

Message = Mapping[str, Any]
Messages = str | Sequence[Message]
"""A conversation in OpenAI's form; a text is one message of the user's."""
AnyTool = Callable[..., Any] | Tool | Mapping[str, Any]
"""A function, a `Tool`, or a declaration in OpenAI's form."""


class ChatOptions(TypedDict, total=False):
    """What may be said of a request beside its conversation.

    Attributes:
        temperature: As the provider takes it.
        max_tokens: The longest answer, in tokens.
        tools: Functions that the model may call: Python functions, or declarations in OpenAI's form.
        response_format: In OpenAI's form, or a pydantic model whose JSON the answer must be.
        extra: Further fields of the request, taken as they are; they win over all others.
    """

    temperature: float
    max_tokens: int
    tools: Sequence[AnyTool]
    response_format: Mapping[str, Any] | type
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a batch that differs from the others in more than its conversation."""

    messages: Messages
    model: str | None = None
    options: ChatOptions = field(default_factory=ChatOptions)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, but for the address of the gateway and who calls."""

    method: Literal["GET", "HEAD", "POST", "DELETE"]
    path: str
    body: Mapping[str, Any] | None = None
    repeatable: bool = True
    """Whether it does no harm if it is made twice."""


MODELS = Call("GET", "/v1/models")
PERSONAS = Call("GET", "/api/v1/personas")
PROVIDERS = Call("GET", "/api/v1/providers")
READY = Call("GET", "/health/ready")


def chat_call(model: str, messages: Messages, options: ChatOptions, *, stream: bool) -> Call:
    """A request for an answer. A stream is asked to tell its usage.

    Raises:
        TypeError: an option that there is not.
    """
    if unknown := options.keys() - ChatOptions.__annotations__.keys():
        known = ", ".join(ChatOptions.__annotations__)
        raise TypeError(f"there is no option {min(unknown)}: there are {known}; extra takes any field")
    body: dict[str, Any] = {"model": model, "messages": as_messages(messages)}
    for name in ("temperature", "max_tokens"):
        if options.get(name) is not None:
            body[name] = options.get(name)
    if tools := options.get("tools"):
        body["tools"] = [_declared(each) for each in tools]
    if (wanted := options.get("response_format")) is not None:
        body["response_format"] = _response_format(wanted)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Call("POST", "/v1/chat/completions", {**body, **options.get("extra", {})})


def as_messages(messages: Messages) -> list[Message]:
    """The conversation as a list."""
    return [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)


def _declared(tool: AnyTool) -> Mapping[str, Any]:
    return tool if isinstance(tool, Mapping) else as_tool(tool).declaration


def _response_format(wanted: Mapping[str, Any] | type) -> Mapping[str, Any]:
    if isinstance(wanted, Mapping):
        return wanted
    from pydantic import TypeAdapter

    schema = {**TypeAdapter(wanted).json_schema(), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": wanted.__name__, "schema": schema}}
