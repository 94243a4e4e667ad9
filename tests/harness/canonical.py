"""Canonical answers as plain data, to be compared with what a readable file says."""

import re
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer, Choice
from understudy_proxy.dialects.canonical.content import AssistantPart, Refusal, Signature, Text, Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.provider import Decoder
from understudy_proxy.dialects.usage import Usage

_MADE_UP = re.compile("call_[0-9a-f]{24}")


def plain(answer: Answer) -> dict[str, Any]:
    """An answer; an id that the gateway made up is `made up`."""
    return _given(
        id=answer.id,
        model=answer.model,
        choices=[_choice(choice) for choice in answer.choices],
        usage=_usage(answer.usage) if answer.usage else None,
    )


def decoded(decoder: Decoder, *chunks: bytes) -> list[Event]:
    """All events of a stream that comes in these chunks and then ends."""
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events + decoder.close()


def folded(events: list[Event]) -> dict[str, Any]:
    """What events amount to."""
    return plain(fold(events))


def _choice(choice: Choice) -> dict[str, Any]:
    return _given(
        parts=[_part(part) for part in choice.parts],
        finish=choice.finish.value,
        stop_sequence=choice.stop_sequence,
        logprobs=choice.logprobs,
    )


def _part(part: AssistantPart) -> dict[str, Any]:
    match part:
        case Text():
            return {"text": part.text}
        case Refusal():
            return {"refusal": part.text}
        case Thinking():
            return _given(thinking=part.text, signature=_signature(part.signature), redacted=part.redacted)
        case ToolCall():
            return _given(
                call=part.name,
                id="made up" if _MADE_UP.fullmatch(part.id) else part.id,
                arguments=orjson.loads(part.arguments),
                signature=_signature(part.signature),
            )


def _signature(signature: Signature | None) -> str | None:
    return None if signature is None else f"{signature.issuer.value}: {signature.value}"


def _usage(usage: Usage) -> dict[str, int]:
    counts = {
        "cached_input": usage.cached_input,
        "cache_write": usage.cache_write,
        "reasoning": usage.reasoning,
    }
    return {"input": usage.input, "output": usage.output} | {name: count for name, count in counts.items() if count}


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
