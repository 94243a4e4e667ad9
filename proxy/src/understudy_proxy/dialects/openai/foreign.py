"""What other vendors' answers brought into a conversation, taken out before it goes on to one who knows nothing of it.

A client sends back what it got: reasoning with the signatures of Claude, calls with those of Gemini. They are in fields
that OpenAI does not have. Who refuses unknown fields gets none of them, and nobody gets a signature that is marked as
another vendor's.
"""

from typing import Any

from understudy_proxy.dialects.canonical.signatures import MARK
from understudy_proxy.dialects.openai.quirks import Quirks

_MARK = MARK.encode()
_BLOCKS = "thinking_blocks"
_IN_MESSAGES = frozenset({_BLOCKS, "reasoning_content"})
_IN_CALLS = "extra_content"
_NAMES = tuple(f'"{name}"'.encode() for name in (*sorted(_IN_MESSAGES), _IN_CALLS))


def is_in(written: bytes, quirks: Quirks) -> bool:
    """Whether a body may hold something that has to be taken out."""
    return _MARK in written or (quirks.is_strict and any(name in written for name in _NAMES))


def without(body: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    """A body without it; `body` stays as it is."""
    messages = body.get("messages")
    if type(messages) is not list:
        return body
    return body | {"messages": [_message(message, quirks) for message in messages]}


def _message(message: Any, quirks: Quirks) -> Any:
    if type(message) is not dict or message.get("role") != "assistant":
        return message
    kept = {name: value for name, value in message.items() if not (quirks.is_strict and name in _IN_MESSAGES)}
    blocks = kept.get(_BLOCKS)
    if type(blocks) is list and any(_is_marked(block) for block in blocks):
        # All of them: whoever gets only some of an answer's reasoning refuses it, or misunderstands.
        del kept[_BLOCKS]
    calls = kept.get("tool_calls")
    if type(calls) is list:
        kept["tool_calls"] = [_call(call, quirks) for call in calls]
    return kept


def _call(call: Any, quirks: Quirks) -> Any:
    if type(call) is not dict or _IN_CALLS not in call:
        return call
    if quirks.is_strict or _holds_mark(call[_IN_CALLS]):
        return {name: value for name, value in call.items() if name != _IN_CALLS}
    return call


def _is_marked(block: Any) -> bool:
    return type(block) is dict and any(_holds_mark(block.get(name)) for name in ("signature", "data"))


def _holds_mark(value: Any) -> bool:
    """Whether a signature, or an object with one, is another vendor's."""
    if type(value) is dict:
        google = value.get("google")
        value = google.get("thought_signature") if type(google) is dict else None
    return type(value) is str and value.startswith(MARK)
