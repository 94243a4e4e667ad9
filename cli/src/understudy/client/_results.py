"""What a gateway answers, as frozen values. Unknown fields stay in `raw`; a field that is missing is never an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.client._errors import InvalidAnswer

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called; `arguments` are JSON as the model wrote it."""

    id: str
    name: str
    arguments: str

    def parsed(self) -> dict[str, Any]:
        """The arguments as an object.

        Raises:
            InvalidAnswer: the model wrote something else.
        """
        try:
            value = json.loads(self.arguments or "{}")
        except ValueError as error:
            raise InvalidAnswer(f"the arguments of {self.name} are not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InvalidAnswer(f"the arguments of {self.name} are no JSON object")
        return value


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the provider counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Served:
    """Who answered, as the headers tell it; "" and 0 where they do not."""

    route: str = ""
    provider: str = ""
    model: str = ""
    attempts: int = 0
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatResult:
    """An answer.

    Attributes:
        text: What the model said; "" where it only calls tools.
        tool_calls: What it wants called.
        finish_reason: Why it ended, such as `stop`, `length` or `tool_calls`; None where it broke off.
        usage: Tokens; None where nobody counted.
        refusal: What the model said instead, where it refuses.
        reasoning: What it thought, where the provider shows it.
        provider: Who answered, `NAMESPACE/NAME`.
        model: By its name at that provider.
        route: The route or persona, as in `docs/failover.md`.
        attempts: How many attempts it took.
        request_id: For the gateway's logs.
        raw: The answer as it came; of a stream, its last piece.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    refusal: str = ""
    reasoning: str = ""
    provider: str = ""
    model: str = ""
    route: str = ""
    attempts: int = 0
    request_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def message(self) -> dict[str, Any]:
        """The answer as a message, to go on with the conversation."""
        said: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.tool_calls:
            said["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.tool_calls
            ]
        elif not self.text:
            said["content"] = self.refusal
        return said


@dataclass(frozen=True, slots=True)
class Model:
    """A name that this caller may ask for."""

    id: str
    owned_by: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def chat_result(raw: Any, headers: Headers) -> ChatResult:
    """A whole answer.

    Raises:
        InvalidAnswer: it is no chat completion.
    """
    choices = raw.get("choices") if isinstance(raw, dict) else None
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        raise InvalidAnswer("the answer holds no choices, so it is no chat completion: is the address a gateway's?")
    message = _object(choices[0].get("message"))
    served = served_by(headers)
    return ChatResult(
        text=_text(message.get("content")),
        tool_calls=tuple(_tool_call(each) for each in _list(message.get("tool_calls"))),
        finish_reason=_text(choices[0].get("finish_reason")) or None,
        usage=usage(raw.get("usage")),
        refusal=_text(message.get("refusal")),
        reasoning=_text(message.get("reasoning_content")),
        provider=served.provider,
        model=served.model or _text(raw.get("model")),
        route=served.route,
        attempts=served.attempts,
        request_id=served.request_id,
        raw=raw,
    )


def model_list(raw: Any) -> tuple[Model, ...]:
    """The models of a list.

    Raises:
        InvalidAnswer: it is no list of models.
    """
    data = raw.get("data") if isinstance(raw, dict) else None
    if not isinstance(data, list):
        raise InvalidAnswer("the answer is no list of models: is the address a gateway's?")
    known = [each for each in data if isinstance(each, dict)]
    return tuple(Model(id=_text(each.get("id")), owned_by=_text(each.get("owned_by")), raw=each) for each in known)


def usage(raw: Any) -> Usage | None:
    """Tokens in OpenAI's words."""
    if not isinstance(raw, dict):
        return None
    return Usage(
        input_tokens=_count(raw.get("prompt_tokens")),
        output_tokens=_count(raw.get("completion_tokens")),
        cached_input_tokens=_count(_object(raw.get("prompt_tokens_details")).get("cached_tokens")),
        reasoning_tokens=_count(_object(raw.get("completion_tokens_details")).get("reasoning_tokens")),
    )


def served_by(headers: Headers) -> Served:
    """Who answered."""
    attempts = headers.get("x-understudy-attempts", "")
    return Served(
        route=headers.get("x-understudy-route", ""),
        provider=headers.get("x-understudy-provider", ""),
        model=headers.get("x-understudy-model", ""),
        attempts=int(attempts) if attempts.isdecimal() else 0,
        request_id=headers.get("x-request-id", ""),
    )


def _tool_call(raw: Any) -> ToolCall:
    call = _object(raw)
    function = _object(call.get("function"))
    return ToolCall(_text(call.get("id")), _text(function.get("name")), _text(function.get("arguments")))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
