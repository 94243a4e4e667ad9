"""A whole answer as OpenAI's clients get it."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import Issuer, Refusal, Signature, Text, Thinking, ToolCall
from understudy_proxy.dialects.canonical.signatures import tagged
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.openai.usage import stated

_ID_BYTES = 12


def new_id(prefix: str = "chatcmpl-") -> str:
    """An id for an answer whose provider gave it none."""
    return prefix + secrets.token_hex(_ID_BYTES)


def uses_functions(asked: ChatRequest) -> bool:
    """Whether the client speaks of `functions`, as before there were tools."""
    return bool(asked.body.get("functions")) and not asked.body.get("tools")


def render(answer: Answer, asked: ChatRequest, *, now: Callable[[], float] = time.time) -> bytes:
    """The body of an answer."""
    older = uses_functions(asked)
    body = {
        "id": answer.id or new_id(),
        "object": "chat.completion",
        "created": int(now()),
        "model": answer.model or asked.model,
        "choices": [_choice(index, choice, older=older) for index, choice in enumerate(answer.choices)],
        "usage": stated(answer.usage) if answer.usage is not None else None,
        "system_fingerprint": None,
    }
    if answer.service_tier is not None:
        body["service_tier"] = answer.service_tier
    return orjson.dumps(body)


def call_of(call: ToolCall) -> dict[str, Any]:
    """A tool call; what Gemini needs back with it goes where Google put it in this dialect."""
    made: dict[str, Any] = {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }
    return made | extra_content(call.signature)


def extra_content(signature: Signature | None) -> dict[str, Any]:
    """The field of a tool call in which its signature travels."""
    if signature is None:
        return {}
    return {"extra_content": {"google": {"thought_signature": tagged(signature, own=Issuer.GEMINI)}}}


def thinking_block(part: Thinking) -> dict[str, Any]:
    """Reasoning with what its vendor knows it by again, as LiteLLM's clients have it.

    The marks carry the issuer's name: by that they are known, and left out, when they come back for another vendor.
    """
    if part.redacted is not None:
        data = tagged(Signature(part.redacted, Issuer.ANTHROPIC), own=Issuer.OPENAI)
        return {"type": "redacted_thinking", "data": data}
    signature = "" if part.signature is None else tagged(part.signature, own=Issuer.OPENAI)
    return {"type": "thinking", "thinking": part.text, "signature": signature}


def _choice(index: int, choice: Choice, *, older: bool) -> dict[str, Any]:
    message = _message(choice, older=older)
    finish = choice.finish.value
    if older and choice.finish is Finish.TOOL_CALLS:
        finish = "function_call"
    logprobs = dict(choice.logprobs) if choice.logprobs is not None else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}


def _message(choice: Choice, *, older: bool) -> dict[str, Any]:
    words: list[str] = []
    refusals: list[str] = []
    thoughts: list[Thinking] = []
    calls: list[ToolCall] = []
    for part in choice.parts:
        match part:
            case Text():
                words.append(part.text)
            case Refusal():
                refusals.append(part.text)
            case Thinking():
                thoughts.append(part)
            case ToolCall():
                calls.append(part)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(words) if words or not (calls or refusals) else None,
        "refusal": "".join(refusals) or None,
    }
    if reasoning := "".join(thought.text for thought in thoughts):
        message["reasoning_content"] = reasoning
    if any(thought.signature or thought.redacted is not None for thought in thoughts):
        message["thinking_blocks"] = [thinking_block(thought) for thought in thoughts]
    if calls and older:
        message["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments or "{}"}
    elif calls:
        message["tool_calls"] = [call_of(call) for call in calls]
    return message
