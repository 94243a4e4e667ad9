"""Encoding what Bedrock's Converse answers: an output in one piece, or the frames of an event stream."""

from typing import Any

import orjson

from understudy.mock.delivery import Stream
from understudy.mock.dialects import event_stream
from understudy.mock.dialects.anthropic_blocks import VENDOR
from understudy.mock.dialects.dialect import Stamp
from understudy.mock.replies import Choice, Finish, Reply, ToolCall, Usage
from understudy.mock.signatures import signature

_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.REFUSAL: "content_filtered",
}
_METRICS = {"latencyMs": 1}
_LONGEST_NAME_IN_ID = 32


def output(reply: Reply, stamp: Stamp) -> dict[str, Any]:
    """Return the whole answer."""
    choice = reply.choices[0]
    content: list[dict[str, Any]] = []
    if choice.thoughts:
        thought = "".join(choice.thoughts)
        content.append(
            {"reasoningContent": {"reasoningText": {"text": thought, "signature": signature(VENDOR, thought)}}}
        )
    if choice.pieces:
        content.append({"text": "".join(choice.pieces)})
    for place, call in enumerate(choice.tool_calls):
        content.append({"toolUse": _start(call, place, stamp) | {"input": orjson.loads("".join(call.arguments))}})
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop_reason(choice),
        "usage": _usage(reply.usage),
        "metrics": _METRICS,
    }


def events(reply: Reply, stamp: Stamp) -> Stream:
    """Return the frames; a block begins together with its first content, and a text without any beginning."""
    choice = reply.choices[0]
    pieces: list[bytes] = []
    before = b""
    for index, (start, deltas, last) in enumerate(_blocks(choice, stamp)):
        if start is not None:
            before += _event("contentBlockStart", contentBlockIndex=index, start=start)
        for delta in deltas:
            pieces.append(before + _event("contentBlockDelta", contentBlockIndex=index, delta=delta))
            before = b""
        if last is not None:
            before += _event("contentBlockDelta", contentBlockIndex=index, delta=last)
        before += _event("contentBlockStop", contentBlockIndex=index)
    return Stream(
        opening=(_event("messageStart", role="assistant"),),
        pieces=tuple(pieces),
        closing=(
            *filter(None, (before,)),
            _event("messageStop", stopReason=_stop_reason(choice)),
            _event("metadata", usage=_usage(reply.usage), metrics=_METRICS),
        ),
    )


_Block = tuple[dict[str, Any] | None, list[dict[str, Any]], dict[str, Any] | None]
"""What begins a block, its content in pieces, and what comes after them."""


def _blocks(choice: Choice, stamp: Stamp) -> list[_Block]:
    blocks: list[_Block] = []
    if choice.thoughts:
        mark = {"reasoningContent": {"signature": signature(VENDOR, "".join(choice.thoughts))}}
        blocks.append((None, [{"reasoningContent": {"text": piece}} for piece in choice.thoughts], mark))
    if choice.pieces:
        blocks.append((None, [{"text": piece} for piece in choice.pieces], None))
    for place, call in enumerate(choice.tool_calls):
        deltas = [{"toolUse": {"input": part}} for part in call.arguments]
        blocks.append(({"toolUse": _start(call, place, stamp)}, deltas, None))
    return blocks


def _start(call: ToolCall, place: int, stamp: Stamp) -> dict[str, Any]:
    # Ids have to differ over a conversation, which several mocks may have part in.
    called = f"tooluse_{stamp.name[:_LONGEST_NAME_IN_ID].replace('.', '_')}_{stamp.number}_{place}"
    return {"toolUseId": called, "name": call.name}


def _stop_reason(choice: Choice) -> str:
    return "stop_sequence" if choice.stopped_at is not None else _STOP_REASONS[choice.finish]


def _event(kind: str, **content: Any) -> bytes:
    return event_stream.event(kind, orjson.dumps(content))


def _usage(usage: Usage) -> dict[str, int]:
    """Return the counts: the input is what no cache had or got; the total is of everything."""
    return {
        "inputTokens": usage.uncached_tokens,
        "outputTokens": usage.completion_tokens,
        "totalTokens": usage.prompt_tokens + usage.completion_tokens,
        "cacheReadInputTokens": usage.cached_tokens,
        "cacheWriteInputTokens": usage.written_tokens,
    }
