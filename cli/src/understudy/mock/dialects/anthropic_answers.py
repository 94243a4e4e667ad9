"""Encoding what Anthropic's Messages API answers: a message in one piece, or as named events.

A block begins in the write that brings its first content, so that a stream is cut inside of blocks.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy.mock.asks import Chat
from understudy.mock.delivery import Stream
from understudy.mock.dialects.anthropic_blocks import VENDOR
from understudy.mock.dialects.dialect import Stamp
from understudy.mock.replies import Choice, Finish, Reply, Usage
from understudy.mock.signatures import signature

_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.REFUSAL: "refusal",
}
# What the first event counts: the vendor begins with one token.
_NOTHING_YET = {"output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of content in both forms.

    Attributes:
        whole: As a message has it.
        start: As it begins in a stream.
        deltas: Its content in pieces.
        first: A delta without content that goes before them.
        last: A delta without content that goes after them.
    """

    whole: dict[str, Any]
    start: dict[str, Any]
    deltas: tuple[dict[str, Any], ...]
    first: dict[str, Any] | None = None
    last: dict[str, Any] | None = None


def message(chat: Chat, reply: Reply, stamp: Stamp) -> dict[str, Any]:
    """Return a `message`."""
    choice = reply.choices[0]
    content = [block.whole for block in _blocks(choice, stamp)]
    return {**_head(chat, stamp), "content": content, **_ending(choice), "usage": _usage(reply.usage)}


def events(chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
    """Return the events that put together are the same `message`."""
    choice = reply.choices[0]
    usage = _usage(reply.usage)
    begun = {**_head(chat, stamp), "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    pieces: list[bytes] = []
    before = b""
    for index, block in enumerate(_blocks(choice, stamp)):
        before += _event("content_block_start", index=index, content_block=block.start) + _delta(index, block.first)
        for delta in block.deltas:
            pieces.append(before + _delta(index, delta))
            before = b""
        before += _delta(index, block.last) + _event("content_block_stop", index=index)
    return Stream(
        opening=(_event("message_start", message=begun | {"usage": usage | _NOTHING_YET}), _event("ping")),
        pieces=tuple(pieces),
        closing=(
            *filter(None, (before,)),
            _event("message_delta", delta=_ending(choice), usage=usage),
            _event("message_stop"),
        ),
    )


def named(name: str, data: bytes) -> bytes:
    """Frame an event; without its name an SDK would not see it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _event(kind: str, **fields: Any) -> bytes:
    return named(kind, orjson.dumps({"type": kind, **fields}))


def _delta(index: int, delta: dict[str, Any] | None) -> bytes:
    return b"" if delta is None else _event("content_block_delta", index=index, delta=delta)


def _head(chat: Chat, stamp: Stamp) -> dict[str, Any]:
    return {"id": f"msg_{stamp.name}_{stamp.number}", "type": "message", "role": "assistant", "model": chat.model}


def _ending(choice: Choice) -> dict[str, Any]:
    """Return why the answer ends."""
    reason = "stop_sequence" if choice.stopped_at is not None else _STOP_REASONS[choice.finish]
    details = None
    if choice.finish is Finish.REFUSAL:
        details = {"type": "refusal", "category": None, "explanation": "".join(choice.pieces)}
    return {"stop_reason": reason, "stop_sequence": choice.stopped_at, "stop_details": details}


def _blocks(choice: Choice, stamp: Stamp) -> list[_Block]:
    blocks = []
    if choice.thoughts:
        blocks.append(_thinking(choice.thoughts))
    if choice.pieces:
        whole = {"type": "text", "text": "".join(choice.pieces)}
        deltas = tuple({"type": "text_delta", "text": piece} for piece in choice.pieces)
        blocks.append(_Block(whole, whole | {"text": ""}, deltas))
    for place, call in enumerate(choice.tool_calls):
        # Ids have to differ over a conversation, which several mocks may have part in.
        called = f"toolu_{stamp.name.replace('.', '_')}_{stamp.number}_{place}"
        whole = {"type": "tool_use", "id": called, "name": call.name, "input": orjson.loads("".join(call.arguments))}
        deltas = tuple({"type": "input_json_delta", "partial_json": part} for part in call.arguments)
        # The vendor, too, begins with a piece that is empty.
        first = {"type": "input_json_delta", "partial_json": ""}
        blocks.append(_Block(whole, whole | {"input": {}}, deltas, first=first))
    return blocks


def _thinking(thoughts: tuple[str, ...]) -> _Block:
    text = "".join(thoughts)
    mark = signature(VENDOR, text)
    return _Block(
        whole={"type": "thinking", "thinking": text, "signature": mark},
        start={"type": "thinking", "thinking": "", "signature": ""},
        deltas=tuple({"type": "thinking_delta", "thinking": piece} for piece in thoughts),
        last={"type": "signature_delta", "signature": mark},
    )


def _usage(usage: Usage) -> dict[str, Any]:
    """Return the counts: the input is what no cache had or got, thoughts are part of the output."""
    return {
        "input_tokens": usage.uncached_tokens,
        "cache_creation_input_tokens": usage.written_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.written_tokens, "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
        "service_tier": "standard",
    }
