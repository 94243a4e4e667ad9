"""Reasoning as a Claude model is asked for it, and what else a request may then not say.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from understudy_proxy.dialects.canonical.chat import Effort, Reasoning
from understudy_proxy.dialects.canonical.effort import budget_of, effort_of
from understudy_proxy.dialects.claude import Claude

LEAST_BUDGET = 1024
_DEFAULT_EFFORT = Effort.MEDIUM
_EFFORTS = {Effort.MINIMAL: Effort.LOW}
"""Words that this vendor does not have."""


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


def thought(
    reasoning: Reasoning | None, model: Claude, *, max_tokens: int | None, warn: Callable[[str], None]
) -> Thought:
    """What to send for `reasoning`.

    Args:
        reasoning: what the client wants.
        model: who is to do it.
        max_tokens: the client's bound, of which thinking is a part.
        warn: takes a sentence for the client.
    """
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
