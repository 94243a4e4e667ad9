"""How hard to think, said to each provider in its words."""

import re
from typing import Any

from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Effort, Reasoning
from understudy_proxy.dialects.canonical.effort import effort_of
from understudy_proxy.dialects.openai.quirks import Quirks, Thought

_REASONS = re.compile(r"(?:^|/)(?:o[1-9](?:$|[^a-z0-9])|gpt-[5-9](?!\S*-chat))")
"""OpenAI's models that think before they answer."""
_FIRST_ONES = re.compile(r"(?:^|/)o[1-9]")
_GPT_5 = re.compile(r"(?:^|/)gpt-5(?![.\d])")
_THREE_WORDS = {
    Effort.NONE: Effort.LOW,
    Effort.MINIMAL: Effort.LOW,
    Effort.XHIGH: Effort.HIGH,
    Effort.MAX: Effort.HIGH,
}
_FOUR_WORDS = {Effort.NONE: Effort.MINIMAL, Effort.XHIGH: Effort.HIGH, Effort.MAX: Effort.HIGH}


def reasons(candidate: Candidate, quirks: Quirks) -> bool:
    """Whether it is one of OpenAI's models that think."""
    return quirks.is_openai and _REASONS.search(candidate.upstream_model) is not None


def said(reasoning: Reasoning, candidate: Candidate, quirks: Quirks) -> dict[str, Any] | None:
    """The fields of a request that say it; None for a model that is not known to think."""
    match quirks.thought:
        case Thought.OBJECT:
            return {quirks.thought.value: _object(reasoning)}
        case Thought.SWITCH:
            return {quirks.thought.value: {"type": "disabled" if _is_off(reasoning) else "enabled"}}
        case Thought.EFFORT:
            if Capability.REASONING not in candidate.capabilities and not reasons(candidate, quirks):
                return None
            effort = _effort(reasoning)
            return {} if effort is None else {quirks.thought.value: _known(effort, candidate, quirks).value}


def _is_off(reasoning: Reasoning) -> bool:
    return reasoning.effort is Effort.NONE or reasoning.budget_tokens == 0


def _effort(reasoning: Reasoning) -> Effort | None:
    if reasoning.effort is not None or reasoning.budget_tokens is None:
        return reasoning.effort
    return effort_of(reasoning.budget_tokens)


def _object(reasoning: Reasoning) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if _is_off(reasoning):
        stated["enabled"] = False
    elif reasoning.effort is not None:
        stated["effort"] = _THREE_WORDS.get(reasoning.effort, reasoning.effort).value
    elif reasoning.budget_tokens is not None:
        stated["max_tokens"] = reasoning.budget_tokens
    else:
        stated["enabled"] = True
    if reasoning.visible is False:
        stated["exclude"] = True
    return stated


def _known(effort: Effort, candidate: Candidate, quirks: Quirks) -> Effort:
    """The nearest word that the model takes."""
    if quirks.is_openai and not _FIRST_ONES.search(candidate.upstream_model):
        return _FOUR_WORDS.get(effort, effort) if _GPT_5.search(candidate.upstream_model) else effort
    return _THREE_WORDS.get(effort, effort)
