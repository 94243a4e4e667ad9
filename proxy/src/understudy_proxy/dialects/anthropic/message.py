"""Canonical answers to whole messages, and what messages and streams of them have in common."""

from collections.abc import Iterable
from secrets import token_hex
from typing import Any

import orjson

from understudy_proxy.dialects.anthropic.names import stop_reason_of
from understudy_proxy.dialects.anthropic.request import MessagesRequest
from understudy_proxy.dialects.anthropic.usage import usage_fields
from understudy_proxy.dialects.canonical.answer import Answer, Finish
from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    Issuer,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from understudy_proxy.dialects.canonical.signatures import tagged
from understudy_proxy.dialects.usage import Usage

_TIERS = {"default": "standard", "priority": "priority", "batch": "batch"}


UNSIGNED = Signature("", Issuer.OPENAI)
"""Of reasoning that nobody has signed. Tagged it is never taken for this vendor's own, which has to be signed."""


def render(answer: Answer, asked: MessagesRequest) -> bytes:
    """The body of an answer: its first choice, because nobody asks for more in this dialect."""
    choice = answer.choices[0]
    refusal = "".join(part.text for part in choice.parts if isinstance(part, Refusal))
    return orjson.dumps(
        head(answer.id, answer.model or asked.model)
        | {"content": [block for part in choice.parts for block in _blocks(part)]}
        | ending(choice.finish, choice.stop_sequence, refusal)
        | {"usage": usage(answer.usage, answer.service_tier)}
    )


def head(identity: str | None, model: str) -> dict[str, Any]:
    """What a message begins with."""
    return {"id": identity or f"msg_{token_hex(12)}", "type": "message", "role": "assistant", "model": model}


def ending(finish: Finish, stop_sequence: str | None, refusal: str) -> dict[str, Any]:
    """Why it ends; `refusal` is what the model said as it declined."""
    declined = bool(refusal) or finish is Finish.CONTENT_FILTER
    details = {"type": "refusal", "category": None, "explanation": refusal or None} if declined else None
    return {
        "stop_reason": stop_reason_of(finish, stop_sequence=stop_sequence, refused=bool(refusal)),
        "stop_sequence": stop_sequence,
        "stop_details": details,
    }


def usage(counted: Usage | None, service_tier: str | None) -> dict[str, Any]:
    """What it took."""
    return usage_fields(counted) | {"service_tier": _TIERS.get(service_tier or "", "standard")}


def signature_block(thinking: Thinking) -> dict[str, Any]:
    """Reasoning; another vendor's signature says so."""
    if thinking.redacted is not None:
        return {"type": "redacted_thinking", "data": thinking.redacted}
    return {
        "type": "thinking",
        "thinking": thinking.text,
        "signature": tagged(thinking.signature or UNSIGNED, own=Issuer.ANTHROPIC),
    }


def _blocks(part: AssistantPart) -> Iterable[dict[str, Any]]:
    match part:
        case Text() | Refusal():
            if part.text:
                yield {"type": "text", "text": part.text}
        case Thinking():
            yield signature_block(part)
        case ToolCall():
            if part.signature is not None:
                # A call has no field for it, so it goes before, in a thought without words.
                yield signature_block(Thinking(signature=part.signature))
            yield {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part.arguments)}


def _input(arguments: str) -> dict[str, Any]:
    """The arguments as an object. What is none is kept in one, as the vendor advises.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
    """
    try:
        given = orjson.loads(arguments or "{}")
        orjson.dumps(given)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        given = None
    return given if isinstance(given, dict) else {"INVALID_JSON": arguments}
