"""How hard a Gemini model is to think: a budget in tokens for its 2.5, a level from 3 on, nothing before."""

from typing import Any

from understudy_proxy.dialects.canonical.chat import Effort, Reasoning
from understudy_proxy.dialects.canonical.effort import budget_of, effort_of
from understudy_proxy.dialects.gemini.generations import Generation

_LEVELS = {
    Effort.NONE: "MINIMAL",
    Effort.MINIMAL: "MINIMAL",
    Effort.LOW: "LOW",
    Effort.MEDIUM: "MEDIUM",
    Effort.HIGH: "HIGH",
    Effort.XHIGH: "XHIGH",
    Effort.MAX: "XHIGH",
}
_EFFORTS = {level: effort for effort, level in reversed(_LEVELS.items())} | {"MINIMAL": Effort.MINIMAL}
_DYNAMIC = -1
# https://ai.google.dev/gemini-api/docs/thinking#set-budget
_LEAST_OF_PRO = 128
_LEAST_OF_LITE = 512


def thinking_config(
    wanted: Reasoning, *, model: str, generation: Generation, warnings: list[str]
) -> dict[str, Any] | None:
    """The `thinkingConfig`; None when the model has none."""
    off = wanted.effort is Effort.NONE or wanted.budget_tokens == 0
    if not (generation.thinks_by_budget or generation.thinks_by_level):
        if not off:
            warnings.append(f"{model} does not think: what was said about reasoning was not sent.")
        return None
    config: dict[str, Any] = {"includeThoughts": wanted.visible is not False and not off}
    if generation.thinks_by_level:
        level = _level(wanted)
        if level is not None:
            config["thinkingLevel"] = level
        if off:
            warnings.append(f"{model} cannot be kept from thinking: it was told to think as little as it can.")
    else:
        config["thinkingBudget"] = _budget(wanted, model=model, warnings=warnings)
    return config


def read_thinking(*, level: str | None, budget: int | None, visible: bool | None) -> Reasoning:
    """What a client's `thinkingConfig` asks for."""
    effort = _EFFORTS.get(level.upper()) if level is not None else None
    return Reasoning(effort, None if budget is not None and budget < 0 else budget, visible)


def _level(wanted: Reasoning) -> str | None:
    if wanted.effort is not None:
        return _LEVELS[wanted.effort]
    if wanted.budget_tokens is None:
        return None
    return _LEVELS[effort_of(wanted.budget_tokens)]


def _budget(wanted: Reasoning, *, model: str, warnings: list[str]) -> int:
    if wanted.budget_tokens is not None:
        budget = wanted.budget_tokens
    elif wanted.effort is not None:
        budget = budget_of(wanted.effort)
    else:
        return _DYNAMIC
    if "pro" in model and budget < _LEAST_OF_PRO:
        if budget == 0:
            warnings.append(f"{model} cannot be kept from thinking: it was told to think as little as it can.")
        return _LEAST_OF_PRO
    if "lite" in model and 0 < budget < _LEAST_OF_LITE:
        return _LEAST_OF_LITE
    return budget
