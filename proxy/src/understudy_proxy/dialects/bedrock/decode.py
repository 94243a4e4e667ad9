"""Whole answers as Bedrock gives them, in canonical form."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.bedrock.encode import Encoded
from understudy_proxy.dialects.bedrock.failures import refused
from understudy_proxy.dialects.bedrock.names import STOP_SEQUENCE, finish_of, read_usage
from understudy_proxy.dialects.bodies import string
from understudy_proxy.dialects.canonical.answer import Answer, Choice, joined
from understudy_proxy.dialects.canonical.content import AssistantPart, Issuer, Signature, Text, Thinking, ToolCall
from understudy_proxy.dialects.claude.calls import MAX_BLOCKS, whole_call
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.failure import UpstreamFailure


def read(status: int, headers: Mapping[str, str], body: bytes, encoded: Encoded) -> Answer | UpstreamFailure:
    """What a response that is not a stream says. Header names are lower case."""
    if not is_success(status):
        return refused(status, headers, body)
    answer = parsed(body)
    content = _content(answer)
    if content is None:
        return no_answer(body, answer, status=status)
    parts = joined([part for block in content if (part := _part(block, encoded)) is not None])
    calls = any(isinstance(part, ToolCall) for part in parts)
    reason = answer.get("stopReason")
    return Answer(
        choices=(Choice(parts, finish_of(reason, calls=calls), stop_sequence=stop_sequence_of(reason, encoded)),),
        usage=read_usage(answer.get("usage")),
        service_tier=tier_in(answer),
    )


def tier_in(answer: Mapping[str, Any]) -> str | None:
    """The service tier of an answer, or of the metadata of a stream."""
    tier = answer.get("serviceTier")
    return string(tier.get("type")) if isinstance(tier, dict) else None


def signature_of(value: Any, encoded: Encoded) -> Signature | None:
    """A signature, if its issuer is known: Claude's is Anthropic's."""
    text = string(value)
    return Signature(text, Issuer.ANTHROPIC) if text and encoded.is_claude else None


def stop_sequence_of(stop_reason: Any, encoded: Encoded) -> str | None:
    """At which sequence an answer ended: Bedrock says that it was one, but not which of several."""
    return encoded.stop[0] if stop_reason == STOP_SEQUENCE and len(encoded.stop) == 1 else None


def _content(answer: Any) -> list[Any] | None:
    """The blocks of an answer; None where there is none, which happens with a success too."""
    output = answer.get("output") if isinstance(answer, dict) else None
    message = output.get("message") if isinstance(output, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, list) and len(content) <= MAX_BLOCKS else None


def _part(block: Any, encoded: Encoded) -> AssistantPart | None:
    if not isinstance(block, dict):
        return None
    if text := string(block.get("text")):
        return Text(text)
    if isinstance(use := block.get("toolUse"), dict):
        return whole_call(encoded, use.get("toolUseId"), use.get("name"), use.get("input"))
    reasoning = block.get("reasoningContent")
    if not isinstance(reasoning, dict):
        return None
    if isinstance(said := reasoning.get("reasoningText"), dict):
        return Thinking(string(said.get("text")) or "", signature_of(said.get("signature"), encoded))
    redacted = string(reasoning.get("redactedContent"))
    return Thinking(redacted=redacted) if redacted else None
