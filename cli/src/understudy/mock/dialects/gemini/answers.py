"""What a Gemini model answers with: candidates of parts, and how many tokens they took.

A function call is never cut into pieces, and an answer with one ends with STOP like any other. Tokens of thoughts are
counted beside those of the candidates, not among them, and zero is left out, as protobuf does.
"""

from typing import Any

import orjson

from understudy.mock.asks import Chat
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Stamp
from understudy.mock.dialects.gemini.order import signed, wants_signatures
from understudy.mock.dialects.gemini.requests import THOUGHTS
from understudy.mock.replies import Choice, Finish, Reply, Usage

_FINISH = {Finish.STOP: "STOP", Finish.LENGTH: "MAX_TOKENS", Finish.TOOL_CALLS: "STOP", Finish.REFUSAL: "SAFETY"}


def answered(chat: Chat, reply: Reply, stamp: Stamp) -> dict[str, Any]:
    """Return the whole answer as one `GenerateContentResponse`."""
    candidates = [_candidate(index, _parts(chat, choice, stamp), choice) for index, choice in enumerate(reply.choices)]
    return {"candidates": candidates, "usageMetadata": _usage(reply.usage), **named(chat.model, stamp)}


def streamed(chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
    """Return the answer in several `GenerateContentResponse`, not framed yet; several candidates take turns."""
    so_far = {"promptTokenCount": reply.usage.prompt_tokens, "totalTokenCount": reply.usage.prompt_tokens}
    end = {"usageMetadata": so_far, **named(chat.model, stamp)}
    deltas = [_deltas(chat, choice, stamp) for choice in reply.choices]
    pieces = [
        orjson.dumps({"candidates": [_candidate(index, [part])], **end})
        for turn in zip(*deltas, strict=True)
        for index, part in enumerate(turn)
    ]
    end["usageMetadata"] = _usage(reply.usage)
    closing = [
        orjson.dumps({"candidates": [_candidate(index, _last_part(chat, choice), choice)], **end})
        for index, choice in enumerate(reply.choices)
    ]
    return Stream((), tuple(pieces), tuple(closing))


def blocked(model: str, stamp: Stamp) -> dict[str, Any]:
    """Return the answer to a prompt that Google does not let through to the model."""
    return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **named(model, stamp)}


def named(model: str, stamp: Stamp) -> dict[str, Any]:
    """Return what every part of an answer says of where it comes from."""
    return {"modelVersion": model, "responseId": f"{stamp.name}-{stamp.number}"}


def _candidate(index: int, parts: list[dict[str, Any]], ended: Choice | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": index}
    if parts:
        candidate["content"] = {"parts": parts, "role": "model"}
    if ended:
        candidate["finishReason"] = _FINISH[ended.finish]
        if ended.finish is Finish.REFUSAL:
            rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
            candidate["safetyRatings"] = [rating]
    return candidate


def _parts(chat: Chat, choice: Choice, stamp: Stamp) -> list[dict[str, Any]]:
    """Return a whole candidate's parts: thoughts if they are to be seen, one text, calls. What is unsafe has none."""
    if choice.finish is Finish.REFUSAL:
        return []
    parts: list[dict[str, Any]] = []
    if choice.thoughts and _shows_thoughts(chat):
        parts.append({"text": "".join(choice.thoughts), "thought": True})
    if choice.pieces or not choice.tool_calls:
        parts.append({"text": "".join(choice.pieces), **_text_signature(chat, choice)})
    return parts + _calls(chat, choice, stamp)


def _deltas(chat: Chat, choice: Choice, stamp: Stamp) -> list[dict[str, Any]]:
    """Return the parts that a stream brings before its last chunk, one a chunk."""
    if choice.finish is Finish.REFUSAL:
        return []
    thoughts = choice.thoughts if _shows_thoughts(chat) else ()
    texts = [{"text": piece, "thought": True} for piece in thoughts] + [{"text": piece} for piece in choice.pieces]
    return texts + _calls(chat, choice, stamp)


def _last_part(chat: Chat, choice: Choice) -> list[dict[str, Any]]:
    """Return the empty text with which a stream ends, and which may bring a signature."""
    return [] if choice.finish is Finish.REFUSAL else [{"text": "", **_text_signature(chat, choice)}]


def _calls(chat: Chat, choice: Choice, stamp: Stamp) -> list[dict[str, Any]]:
    """Return the parts that call functions, of which the first is signed."""
    parts: list[dict[str, Any]] = []
    for place, call in enumerate(choice.tool_calls):
        function = {"name": call.name, "args": orjson.loads("".join(call.arguments))}
        if wants_signatures(chat.model):
            function["id"] = f"call-{stamp.number}-{place}"
        part: dict[str, Any] = {"functionCall": function}
        if not place and _signs(chat, choice):
            part["thoughtSignature"] = signed(call.name)
        parts.append(part)
    return parts


def _text_signature(chat: Chat, choice: Choice) -> dict[str, str]:
    return {"thoughtSignature": signed("")} if _signs(chat, choice) and not choice.tool_calls else {}


def _signs(chat: Chat, choice: Choice) -> bool:
    return wants_signatures(chat.model) or bool(choice.thoughts)


def _shows_thoughts(chat: Chat) -> bool:
    """Whether the request has `includeThoughts`: without it they are only counted."""
    return chat.variant.endswith(THOUGHTS)


def _usage(usage: Usage) -> dict[str, Any]:
    said = usage.completion_tokens - usage.reasoning_tokens
    counts = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": said,
        "totalTokenCount": usage.prompt_tokens + usage.completion_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
    }
    details = [{"modality": "TEXT", "tokenCount": usage.prompt_tokens}]
    return {name: count for name, count in counts.items() if count} | {"promptTokensDetails": details}
