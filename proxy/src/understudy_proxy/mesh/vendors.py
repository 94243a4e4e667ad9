"""Whose model it is, in the words that agents of a mesh use: they choose by it, and fit their requests to it.

A vendor that serves its own models tells it; who serves others' models tells it by the model's name.
"""

import re
from typing import NamedTuple


class Vendor(NamedTuple):
    """A maker of models."""

    name: str
    family: str
    """How its models are called in general."""


UNKNOWN = Vendor("unknown", "")
"""What agents say of a provider that does not tell."""

_OPENAI = Vendor("openai", "gpt")
_ANTHROPIC = Vendor("anthropic", "claude")
_GEMINI = Vendor("gemini", "google")
_MISTRAL = Vendor("mistral", "mistral")
_DEEPSEEK = Vendor("deepseek", "deepseek")

_MAKERS = {
    "openai": _OPENAI,
    "azure.ai.openai": _OPENAI,
    "anthropic": _ANTHROPIC,
    "gcp.gemini": _GEMINI,
    "mistral_ai": _MISTRAL,
    "deepseek": _DEEPSEEK,
}
"""By `gen_ai.provider.name` of the OpenTelemetry conventions: those that serve what they made."""

_FAMILIES = (
    (re.compile(r"\bclaude"), _ANTHROPIC),
    (re.compile(r"\b(chat)?gpt|\bo[1-9]\b"), _OPENAI),
    (re.compile(r"\b(gemini|gemma)"), _GEMINI),
    (re.compile(r"\b(mis|minis|mix|codes|devs)tral"), _MISTRAL),
    (re.compile(r"\bdeepseek"), _DEEPSEEK),
    (re.compile(r"\bllama"), Vendor("meta", "llama")),
    (re.compile(r"\bqw(en|q)"), Vendor("qwen", "qwen")),
)


def vendor_of(system: str, model: str) -> Vendor:
    """Whose `model` is, as the provider calls it; `system` names the provider's kind."""
    if (maker := _MAKERS.get(system)) is not None:
        return maker
    lowered = model.lower()
    return next((vendor for family, vendor in _FAMILIES if family.search(lowered)), UNKNOWN)
