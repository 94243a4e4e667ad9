"""A conversation as Gemini takes it: contents of parts, in turns of user and model."""

from collections.abc import Iterator, Sequence
from typing import Any

from understudy_proxy.dialects.canonical.arguments import arguments_of
from understudy_proxy.dialects.canonical.content import (
    Document,
    Image,
    Issuer,
    Message,
    Part,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.media import part_of
from understudy_proxy.dialects.gemini.results import response_of
from understudy_proxy.dialects.gemini.thoughts import ESCAPE
from understudy_proxy.dialects.request_error import Unsupported

_PLACEHOLDER = "."
"""For a user's turn with nothing in it, which Gemini refuses."""


class ContentsWriter:
    """Writes the conversation of one request.

    Args:
        names: of the request's functions.
        wants_signatures: the model refuses function calls without one.
    """

    __slots__ = ("_called", "_names", "_wants_signatures")

    def __init__(self, names: FunctionNames, *, wants_signatures: bool) -> None:
        self._names = names
        self._wants_signatures = wants_signatures
        self._called: dict[str, str] = {}
        """Names of functions by the ids of their calls."""

    def write(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """The contents; the first is the user's, and neighbors differ.

        Raises:
            RequestError: arguments of a call are no JSON object.
            Unsupported: something in it cannot be said.
        """
        contents: list[dict[str, Any]] = []
        for message in messages:
            role, parts = self._turn(message)
            if not parts and role == "model":
                continue
            if contents and contents[-1]["role"] == role:
                contents[-1]["parts"] += parts
            else:
                contents.append({"role": role, "parts": parts})
        for content in contents:
            content["parts"] = content["parts"] or [{"text": _PLACEHOLDER}]
        if not contents or contents[0]["role"] == "model":
            contents.insert(0, {"role": "user", "parts": [{"text": _PLACEHOLDER}]})
        return contents

    def _turn(self, message: Message) -> tuple[str, list[dict[str, Any]]]:
        if message.role is Role.ASSISTANT:
            return "model", self._model_parts(message.parts)
        return "user", [part for one in message.parts for part in self._user_parts(one)]

    def _user_parts(self, part: Part) -> Iterator[dict[str, Any]]:
        match part:
            case ToolResult():
                yield from self._result(part)
            case Text():
                if part.text:
                    yield {"text": part.text}
            case Thinking() | Refusal() | ToolCall():
                raise Unsupported("A user's turn cannot hold what a model says.")
            case _:
                yield part_of(part)

    def _result(self, result: ToolResult) -> Iterator[dict[str, Any]]:
        name = result.name or self._called.get(result.call_id)
        if name is None:
            raise Unsupported(
                f"The result for the tool call '{result.call_id[:64]}' answers no call in the conversation; Gemini "
                "wants the name of the function.",
                param="messages",
            )
        given = self._names.given(name)
        yield {"functionResponse": {"id": result.call_id, "name": given, "response": response_of(result)}}
        for part in result.content:
            if isinstance(part, (Image, Document)) and not _is_text(part):
                yield part_of(part)

    def _model_parts(self, parts: Sequence[Part]) -> list[dict[str, Any]]:
        written: list[dict[str, Any]] = []
        called = False
        for part in parts:
            match part:
                case ToolCall():
                    mark = _own(part.signature) or _taken_off(written)
                    if mark is None and not called and self._wants_signatures:
                        mark = ESCAPE
                    called = True
                    written.append(self._call(part, mark))
                case Text() | Refusal():
                    if part.text:
                        written.append({"text": part.text})
                case Thinking():
                    mark = _own(part.signature)
                    if mark is not None:
                        written.append(_thought(part.text, mark))
                case _:
                    raise Unsupported("Pictures and files of a model's own turn cannot be sent to Gemini.")
        return written

    def _call(self, call: ToolCall, mark: str | None) -> dict[str, Any]:
        self._called[call.id] = call.name
        name = self._names.given(call.name)
        part: dict[str, Any] = {"functionCall": {"id": call.id, "name": name, "args": arguments_of(call)}}
        if mark is not None:
            part["thoughtSignature"] = mark
        return part


def _thought(text: str, mark: str) -> dict[str, Any]:
    """Reasoning as it came, or, without words, the empty text with which a signed answer ends."""
    return {"text": text, "thought": True, "thoughtSignature": mark} if text else {"text": "", "thoughtSignature": mark}


def _taken_off(written: list[dict[str, Any]]) -> str | None:
    """A signature that stands by itself right before a call belongs to it: some clients have no other place for it."""
    if written and written[-1].get("text") == "" and "thought" not in written[-1]:
        mark: str = written.pop()["thoughtSignature"]
        return mark
    return None


def _own(signature: Signature | None) -> str | None:
    """A signature that Gemini can read; others' are dropped, it refuses them."""
    return signature.value if signature is not None and signature.issuer is Issuer.GEMINI else None


def _is_text(part: Image | Document) -> bool:
    return isinstance(part, Document) and part.text is not None
