"""Reasoning as a Claude model is asked for it, and what else a request may then not say.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from understudy_proxy.dialects.canonical.chat import Chat, Effort, Reasoning
from understudy_proxy.dialects.canonical.content import Issuer, Message, Part, Role, Thinking, ToolResult
from understudy_proxy.dialects.canonical.effort import budget_of, effort_of
from understudy_proxy.dialects.claude.models import Claude

LEAST_BUDGET = 1024
_DEFAULT_EFFORT = Effort.MEDIUM
_EFFORTS = {Effort.MINIMAL: Effort.LOW}
"""Words that this vendor does not have."""

Warn = Callable[[str], None]
"""Takes a sentence for the client."""


@dataclass(frozen=True, slots=True)
class Thought:
    """How much is to be thought."""

    thinking: dict[str, Any] | None = None
    """The request's field."""
    effort: str | None = None
    """Of `output_config`."""
    budget: int = 0
    """Tokens of it; 0 where the model decides."""

    @property
    def on(self) -> bool:
        """Whether the model thinks."""
        return self.thinking is not None and self.thinking["type"] != "disabled"


NOT_AT_ALL = Thought()


def thought(chat: Chat, model: Claude, *, forced: bool, warn: Warn) -> Thought:
    """How much is thought: what the client wants, unless the rest of the request forbids it.

    Args:
        chat: the request.
        model: who is to answer.
        forced: a tool must be called.
        warn: told what is left out.
    """
    thinks = _wanted(chat.reasoning, model, max_tokens=chat.max_tokens, warn=warn)
    if not thinks.on:
        return thinks
    if forced:
        warn("The model was not asked to think: it cannot while a tool must be called.")
        return NOT_AT_ALL
    if chat.messages and chat.messages[-1].role is Role.ASSISTANT:
        warn("The model was not asked to think: it cannot before it goes on with what was said.")
        return NOT_AT_ALL
    if thinks.budget and _is_missing(chat.messages):
        warn("The model was not asked to think: it can go on after a tool call only with its own reasoning.")
        return NOT_AT_ALL
    return thinks


def is_claudes(part: Part) -> bool:
    """Whether a part is reasoning that Claude models know again."""
    if not isinstance(part, Thinking):
        return False
    return part.redacted is not None or (part.signature is not None and part.signature.issuer is Issuer.ANTHROPIC)


def _is_missing(messages: tuple[Message, ...]) -> bool:
    """Whether the tool calls that are being answered came without the reasoning that led to them."""
    if len(messages) < 2 or not any(isinstance(part, ToolResult) for part in messages[-1].parts):
        return False
    return not any(is_claudes(part) for part in messages[-2].parts)


def _wanted(reasoning: Reasoning | None, model: Claude, *, max_tokens: int | None, warn: Warn) -> Thought:
    if reasoning is None:
        return NOT_AT_ALL
    display = {} if reasoning.visible is None else {"display": "summarized" if reasoning.visible else "omitted"}
    if model.adaptive_thinking:
        effort = reasoning.effort
        if effort is None and reasoning.budget_tokens is not None:
            effort = effort_of(reasoning.budget_tokens)
        if effort is Effort.NONE or reasoning.budget_tokens == 0:
            return Thought({"type": "disabled"})
        return Thought({"type": "adaptive", **display}, _EFFORTS.get(effort, effort) if effort else None)
    budget = reasoning.budget_tokens
    if budget is None:
        budget = budget_of(reasoning.effort or _DEFAULT_EFFORT)
    if budget == 0:
        return NOT_AT_ALL
    budget = _within(max(budget, LEAST_BUDGET), max_tokens)
    if budget < LEAST_BUDGET:
        warn(f"The model was not asked to think: within {max_tokens} tokens there is no room for it.")
        return NOT_AT_ALL
    return Thought({"type": "enabled", "budget_tokens": budget, **display}, budget=budget)


def _within(budget: int, max_tokens: int | None) -> int:
    """A budget that leaves room for an answer: it must be less than all that may be written."""
    if max_tokens is None or budget < max_tokens:
        return budget
    return max(max_tokens // 2, min(LEAST_BUDGET, max_tokens - 1))
