"""Whole answers as providers of this dialect give them, in canonical form."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.anthropic.encode import Encoded
from understudy_proxy.dialects.anthropic.names import finish_of, tier_of
from understudy_proxy.dialects.anthropic.usage import read_usage
from understudy_proxy.dialects.bodies import string
from understudy_proxy.dialects.canonical.answer import Answer, Choice, joined
from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    Issuer,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from understudy_proxy.dialects.claude.calls import MAX_BLOCKS, whole_call
from understudy_proxy.dialects.failures.kinds import failure_of, is_success, no_answer, parsed, refused
from understudy_proxy.dialects.failures.shapes import said_in
from understudy_proxy.failure import UpstreamFailure


def failure_in(answer: Any, body: bytes, *, status: int, headers: Mapping[str, str]) -> UpstreamFailure | None:
    """What is wrong with the body of a success: an error in it, or no answer in it."""
    if isinstance(answer, dict):
        error = said_in(answer)
        if error is not None:
            return failure_of(error, status=None, headers=headers)
        content = answer.get("content")
        if isinstance(content, list) and len(content) <= MAX_BLOCKS:
            return None
    return no_answer(body, answer, status=status)


def read(status: int, headers: Mapping[str, str], body: bytes, encoded: Encoded) -> Answer | UpstreamFailure:
    """What a response that is not a stream says. Header names are lower case."""
    if not is_success(status):
        return refused(status, headers, body)
    answer = parsed(body)
    failure = failure_in(answer, body, status=status, headers=headers)
    if failure is not None:
        return failure
    parts = [part for block in answer["content"] if (part := _part(block, encoded)) is not None]
    if explanation := refusal_of(answer):
        parts.append(Refusal(explanation))
    usage = answer.get("usage")
    return Answer(
        choices=(
            Choice(
                parts=joined(parts),
                finish=finish_of(answer.get("stop_reason"), calls=any(isinstance(part, ToolCall) for part in parts)),
                stop_sequence=string(answer.get("stop_sequence")),
            ),
        ),
        usage=read_usage(usage),
        id=string(answer.get("id")),
        model=string(answer.get("model")),
        service_tier=tier_of(usage),
    )


def read_count(status: int, headers: Mapping[str, str], body: bytes) -> int | UpstreamFailure:
    """What a response to a request for a count says: `{"input_tokens": N}`."""
    if not is_success(status):
        return refused(status, headers, body)
    answer = parsed(body)
    tokens = answer.get("input_tokens") if isinstance(answer, dict) else None
    return tokens if type(tokens) is int and tokens >= 0 else no_answer(body, answer, status=status)


def refusal_of(ending: Mapping[str, Any]) -> str | None:
    """Why the model declined, where it says so: `stop_details` beside a stop reason."""
    details = ending.get("stop_details")
    if ending.get("stop_reason") != "refusal" or not isinstance(details, Mapping):
        return None
    return string(details.get("explanation"))


def _part(block: Any, encoded: Encoded) -> AssistantPart | None:
    """A block's part; None for one that is empty, or that only this dialect knows."""
    if not isinstance(block, dict):
        return None
    match block.get("type"):
        case "text":
            text = string(block.get("text"))
            return Text(text) if text else None
        case "thinking":
            signature = string(block.get("signature"))
            return Thinking(
                string(block.get("thinking")) or "", Signature(signature, Issuer.ANTHROPIC) if signature else None
            )
        case "redacted_thinking":
            return Thinking(redacted=string(block.get("data")) or "")
        case "tool_use":
            return whole_call(encoded, block.get("id"), block.get("name"), block.get("input"))
        case _:
            return None
