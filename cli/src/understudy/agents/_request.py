"""What an agent is asked. Pure: the arguments of a tool call go in, a checked request comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

from understudy.client._requests import ChatOptions, Message

REQUEST_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "request": {
            "type": "object",
            "properties": {
                "messages": {"type": "array", "items": {"type": "object"}},
                "tools": {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "null"}]},
                "model_params": {"anyOf": [{"type": "object"}, {"type": "null"}]},
                "context": {"anyOf": [{"type": "object"}, {"type": "null"}]},
                "request_id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "caller_agent": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["messages"],
        }
    },
    "required": ["request"],
}
"""What a registry shows of a function, and calls are made by."""
_OF_THE_MESH = frozenset({"model", "output_schema", "output_type_name", "output_mode", "max_iterations"})
"""Parameters that no model knows."""
_OPTIONS = ("temperature", "max_tokens", "response_format")


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """What somebody asks an agent.

    Attributes:
        messages: The conversation, in OpenAI's form.
        tools: Functions that may be called, in OpenAI's form.
        model_params: Such as `temperature`, `max_tokens` and `response_format`.
        context: What the caller tells beside the conversation.
        request_id: The caller's; "" for none.
        caller_agent: Who asks; "" where nobody says.
    """

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    model_params: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    caller_agent: str = ""

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """The request in the arguments of a call.

        Raises:
            ValueError: there is none; the message says what is wrong.
        """
        raw = arguments.get("request")
        if not isinstance(raw, Mapping):
            raise ValueError("the arguments must hold an object 'request'")  # noqa: TRY004 - the caller's, not a type's
        messages, tools = raw.get("messages"), raw.get("tools") or []
        if not (isinstance(messages, list) and all(isinstance(each, dict) for each in messages)):
            raise ValueError("'request.messages' must be a list of objects")
        if not (isinstance(tools, list) and all(isinstance(each, dict) for each in tools)):
            raise ValueError("'request.tools' must be a list of objects")
        return cls(
            messages=tuple(messages),
            tools=tuple(_declared(each) for each in tools),
            model_params=_object(raw, "model_params"),
            context=_object(raw, "context"),
            request_id=_text(raw.get("request_id")),
            caller_agent=_text(raw.get("caller_agent")),
        )

    @property
    def text(self) -> str:
        """What the user said last; "" where that is no text."""
        said = [each.get("content") for each in self.messages if each.get("role") == "user"]
        return said[-1] if said and isinstance(said[-1], str) else ""

    @property
    def options(self) -> ChatOptions:
        """The tools and the parameters as a client takes them, without those that only a mesh knows."""
        params = {name: value for name, value in self.model_params.items() if value is not None}
        schema, name = params.get("output_schema"), params.get("output_type_name")
        if isinstance(schema, dict) and "response_format" not in params:
            named = {"name": name if isinstance(name, str) else "answer", "schema": schema}
            params["response_format"] = {"type": "json_schema", "json_schema": named}
        options: dict[str, Any] = {name: params[name] for name in _OPTIONS if name in params}
        options["extra"] = {name: value for name, value in params.items() if name not in {*_OPTIONS, *_OF_THE_MESH}}
        if self.tools:
            options["tools"] = self.tools
        return cast("ChatOptions", options)


def _declared(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Without where it is run: whoever asks runs it."""
    function = tool.get("function")
    if not isinstance(function, dict):
        return dict(tool)
    return {**tool, "function": {name: value for name, value in function.items() if not name.startswith("_mesh_")}}


def _object(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"'request.{name}' must be an object")
    return value or {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
