"""Whole answers of providers, in canonical form."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from understudy_proxy.dialects.bodies import json_text, string
from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    Issuer,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.canonical.signatures import untagged
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed, refused
from understudy_proxy.dialects.openai.answers import failure_in
from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

MAX_CHOICES = 128
MAX_CALLS = 256
_ID_BYTES = 12
_FINISHES = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "content_filter": Finish.CONTENT_FILTER,
}
_FAILURES = {"error": FailureKind.SERVER_ERROR, "insufficient_system_resource": FailureKind.OVERLOADED}
"""Mistral's and DeepSeek's words for an answer that was given up."""
_THOUGHTS = ("reasoning_content", "reasoning")


def new_call_id() -> str:
    """An id for a call that its provider gave none."""
    return f"call_{secrets.token_hex(_ID_BYTES)}"


def read(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    names: Renaming,
    call_id: Callable[[], str] = new_call_id,
) -> Answer | UpstreamFailure:
    """What a response that is not a stream says."""
    if not is_success(status):
        return refused(status, headers, body)
    answer = parsed(body)
    failure = failure_in(answer, body, status=status, headers=headers)
    if failure is not None:
        return failure
    stated = [choice for choice in answer["choices"][:MAX_CHOICES] if isinstance(choice, dict)]
    choices: list[Choice] = []
    for choice in sorted(stated, key=_index):
        message = choice.get("message")
        if not isinstance(message, dict):
            return no_answer(body, answer, status=status)
        if (kind := failure_of_finish(choice.get("finish_reason"))) is not None:
            return kind
        choices.append(_choice(choice, message, names=names, call_id=call_id))
    if not choices:
        return no_answer(body, answer, status=status)
    return Answer(
        choices=tuple(choices),
        usage=read_usage(answer),
        id=string(answer.get("id")),
        model=string(answer.get("model")),
        service_tier=string(answer.get("service_tier")),
    )


def finish_of(reason: Any, *, calls: bool) -> Finish:
    """Why an answer ends: a word that nobody knows, or none, is a stop, and a stop after calls is for them."""
    finish = _FINISHES.get(reason, Finish.STOP) if isinstance(reason, str) else Finish.STOP
    return Finish.TOOL_CALLS if calls and finish is Finish.STOP else finish


def failure_of_finish(reason: Any) -> UpstreamFailure | None:
    """The failure that a provider gives for the end of an answer."""
    kind = _FAILURES.get(reason) if isinstance(reason, str) else None
    return None if kind is None else UpstreamFailure(kind, f"the answer ended with {reason!r}")


def thought_in(message: Mapping[str, Any]) -> str:
    """Reasoning in a message or a delta, under either of its names."""
    for name in _THOUGHTS:
        if isinstance(text := message.get(name), str) and text:
            return text
    return ""


def said_in(content: Any) -> list[Text | Thinking]:
    """Words of a message or a delta; Mistral's models that reason have a list of parts."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    said: list[Text | Thinking] = []
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        if part.get("type") == "thinking":
            said += [Thinking(text) for text in _texts(part.get("thinking"))]
        else:
            said += [Text(text) for text in _texts([part])]
    return said


def _texts(parts: Any) -> list[str]:
    if isinstance(parts, str):
        return [parts] if parts else []
    stated = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return [text for text in stated if isinstance(text, str) and text]


def arguments_in(function: Mapping[str, Any]) -> str:
    """A call's arguments as JSON text; some servers give the object itself."""
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return arguments
    return json_text(arguments) if isinstance(arguments, dict) else ""


def signature_in(call: Mapping[str, Any]) -> Signature | None:
    """Gemini's, from Google's own endpoint of this dialect."""
    extra = call.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    value = string(google.get("thought_signature")) if isinstance(google, dict) else None
    return None if value is None else untagged(value, own=Issuer.GEMINI)


def logprobs_in(choice: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Logprobs, where there are any."""
    stated = choice.get("logprobs")
    return stated if isinstance(stated, dict) and isinstance(stated.get("content"), list) else None


def _index(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _choice(
    choice: Mapping[str, Any], message: Mapping[str, Any], *, names: Renaming, call_id: Callable[[], str]
) -> Choice:
    parts: list[AssistantPart] = []
    if thought := thought_in(message):
        parts.append(Thinking(thought))
    parts += said_in(message.get("content"))
    if refusal := string(message.get("refusal")):
        parts.append(Refusal(refusal))
    calls = _calls(message, names=names, call_id=call_id)
    return Choice(
        parts=(*parts, *calls),
        finish=finish_of(choice.get("finish_reason"), calls=bool(calls)),
        stop_sequence=string(choice.get("stop_reason")),
        logprobs=logprobs_in(choice),
    )


def _calls(message: Mapping[str, Any], *, names: Renaming, call_id: Callable[[], str]) -> list[ToolCall]:
    stated = message.get("tool_calls")
    calls: list[ToolCall] = []
    for call in stated[:MAX_CALLS] if isinstance(stated, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and (name := string(function.get("name"))) is not None:
            calls.append(
                ToolCall(
                    id=string(call.get("id")) or call_id(),
                    name=names.back(name),
                    arguments=arguments_in(function) or "{}",
                    signature=signature_in(call),
                )
            )
    older = message.get("function_call")
    if not calls and isinstance(older, dict) and (name := string(older.get("name"))) is not None:
        calls.append(ToolCall(call_id(), names.back(name), arguments_in(older) or "{}"))
    return calls
