"""A canonical answer as Google's clients get it."""

from typing import Any

import orjson

from understudy_proxy.dialects.calls import object_in
from understudy_proxy.dialects.canonical.answer import Answer, Choice
from understudy_proxy.dialects.canonical.content import AssistantPart, Refusal, Text, Thinking, ToolCall
from understudy_proxy.dialects.gemini.finish import MALFORMED, reason_of
from understudy_proxy.dialects.gemini.logprobs import written as written_logprobs
from understudy_proxy.dialects.gemini.request import GenerateRequest
from understudy_proxy.dialects.gemini.thoughts import redacted_text, signature_text
from understudy_proxy.dialects.gemini.usage import written as written_usage


def write_answer(answer: Answer, asked: GenerateRequest) -> bytes:
    """The body of a whole answer."""
    response: dict[str, Any] = {
        "candidates": [_candidate(index, choice, asked) for index, choice in enumerate(answer.choices)]
    }
    if answer.usage is not None:
        response["usageMetadata"] = written_usage(answer.usage)
    response["modelVersion"] = answer.model or asked.model
    if answer.id is not None:
        response["responseId"] = answer.id
    return orjson.dumps(response)


def call_part(call: ToolCall) -> dict[str, Any] | None:
    """The part that calls a function; None when its arguments are no object, which Gemini's clients cannot be given."""
    if (arguments := object_in(call.arguments)) is None:
        return None
    part: dict[str, Any] = {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}
    if call.signature is not None:
        part["thoughtSignature"] = signature_text(call.signature)
    return part


def thinking_part(thinking: Thinking) -> dict[str, Any]:
    """The part that shows reasoning, or carries it where nobody can read it."""
    part: dict[str, Any] = {"text": thinking.text, "thought": True}
    if thinking.redacted is not None:
        part["thoughtSignature"] = redacted_text(thinking.redacted)
    elif thinking.signature is not None:
        part["thoughtSignature"] = signature_text(thinking.signature)
    return part


def _candidate(index: int, choice: Choice, asked: GenerateRequest) -> dict[str, Any]:
    shown = [part for part in choice.parts if asked.thoughts or not isinstance(part, Thinking)]
    message = ""
    if any(isinstance(part, Text) for part in shown):
        # What is said of an answer that had begun is no part of it.
        message = "".join(part.text for part in shown if isinstance(part, Refusal))
        shown = [part for part in shown if not isinstance(part, Refusal)]
    parts = [_part(part) for part in shown]
    whole = [part for part in parts if part is not None]
    candidate: dict[str, Any] = {"index": index}
    if whole:
        candidate["content"] = {"role": "model", "parts": whole}
    candidate["finishReason"] = reason_of(choice.finish) if len(whole) == len(parts) else MALFORMED
    if message:
        candidate["finishMessage"] = message
    if (logprobs := written_logprobs(choice.logprobs)) is not None:
        candidate["logprobsResult"] = logprobs
    return candidate


def _part(part: AssistantPart) -> dict[str, Any] | None:
    match part:
        case Text() | Refusal():
            return {"text": part.text}
        case Thinking():
            return thinking_part(part)
        case ToolCall():
            return call_part(part)
