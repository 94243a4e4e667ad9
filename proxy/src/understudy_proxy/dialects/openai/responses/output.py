"""What a model said, as the items of a response."""

import secrets
from typing import Any

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
from understudy_proxy.dialects.openai.responses.items import REDACTED

Item = dict[str, Any]
_ID_BYTES = 24


def new_id(prefix: str) -> str:
    """An id nobody can guess: whoever has that of a response may go on from it."""
    return f"{prefix}_{secrets.token_hex(_ID_BYTES)}"


def items_of(parts: tuple[AssistantPart, ...]) -> list[Item]:
    """The items that an answer is made of; words that follow one another are one message."""
    items: list[Item] = []
    for part in parts:
        match part:
            case Text() | Refusal():
                content = text_part(part.text) if isinstance(part, Text) else refusal_part(part.text)
                if items and items[-1]["type"] == "message":
                    items[-1]["content"].append(content)
                else:
                    items.append(message_item(new_id("msg"), [content]))
            case Thinking():
                items.append(reasoning_item(new_id("rs"), part))
            case ToolCall():
                items.append(call_item(new_id("fc"), part))
    return items


def text_part(text: str) -> Item:
    """Words within a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(text: str) -> Item:
    """Words with which the model declines."""
    return {"type": "refusal", "refusal": text}


def message_item(id_: str, content: list[Item], *, status: str = "completed") -> Item:
    """What the model says."""
    return {"type": "message", "id": id_, "status": status, "role": "assistant", "content": content}


def reasoning_item(id_: str, thinking: Thinking) -> Item:
    """What the model thought; sealed with what its vendor knows it by again."""
    summary = [{"type": "summary_text", "text": thinking.text}] if thinking.text else []
    return {"type": "reasoning", "id": id_, "summary": summary, "encrypted_content": _sealed(thinking)}


def call_item(id_: str, call: ToolCall, *, status: str = "completed") -> Item:
    """A function that the model wants called."""
    item = {
        "type": "function_call",
        "id": id_,
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": status,
    }
    if call.signature is not None:
        item["thought_signature"] = tagged(call.signature, own=Issuer.GEMINI)
    return item


def _sealed(thinking: Thinking) -> str | None:
    if thinking.redacted is not None:
        return REDACTED + tagged(Signature(thinking.redacted, Issuer.ANTHROPIC), own=Issuer.OPENAI)
    return None if thinking.signature is None else tagged(thinking.signature, own=Issuer.OPENAI)
