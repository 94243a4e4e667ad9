"""The `response` object: what was asked told again, and how it stands."""

import time
from collections.abc import Callable
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer, Finish
from understudy_proxy.dialects.openai.responses.output import Item, items_of, new_id
from understudy_proxy.dialects.openai.responses.request import ResponseRequest
from understudy_proxy.dialects.usage import Usage

_TOLD_AGAIN: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""Fields of the request that the response repeats, and what stands there where the request says nothing."""
_INCOMPLETE = {Finish.LENGTH: "max_output_tokens", Finish.CONTENT_FILTER: "content_filter"}


def begun(asked: ResponseRequest, *, now: Callable[[], float] = time.time) -> dict[str, Any]:
    """A response that has said nothing yet."""
    given = {name: asked.asked[name] for name in _TOLD_AGAIN if asked.asked.get(name) is not None}
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(now()),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": asked.model,
        "output": [],
        "service_tier": asked.asked.get("service_tier") or "auto",
        "store": asked.store,
        "usage": None,
        **_TOLD_AGAIN,
        **given,
    }


def ended(
    response: dict[str, Any], output: list[Item], finish: Finish, usage: Usage | None, *, model: str | None
) -> dict[str, Any]:
    """The response as it is when all is said."""
    reason = _INCOMPLETE.get(finish)
    return response | {
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "model": model or response["model"],
        "output": output,
        "usage": None if usage is None else _usage(usage),
    }


def render(answer: Answer, asked: ResponseRequest) -> bytes:
    """The body of an answer; it is kept, too."""
    choice = answer.choices[0]
    response = ended(begun(asked), items_of(choice.parts), choice.finish, answer.usage, model=answer.model)
    asked.kept.response = response
    return orjson.dumps(response)


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
