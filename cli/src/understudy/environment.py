"""A gateway out of thin air: objects made from the provider keys that are found in the environment.

This is what `understudy serve` runs when it is given no files: one LLMProvider for each vendor whose key is there, with
a model that suits most chats, and one route `chat` that asks them in turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy_api.v1alpha1 import API_VERSION

ROUTE = "chat"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor by the variable in which its own SDK looks for the key."""

    variable: str
    name: str
    type: str
    models: tuple[str, ...]
    """The first one answers the route; all are reachable as `NAME/MODEL`."""


VENDORS = (
    Vendor("OPENAI_API_KEY", "openai", "OpenAI", ("gpt-4.1-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini")),
    Vendor("MISTRAL_API_KEY", "mistral", "Mistral", ("mistral-small-latest", "mistral-large-latest")),
    Vendor("DEEPSEEK_API_KEY", "deepseek", "DeepSeek", ("deepseek-chat", "deepseek-reasoner")),
    Vendor("GROQ_API_KEY", "groq", "Groq", ("llama-3.3-70b-versatile", "llama-3.1-8b-instant")),
    Vendor("OPENROUTER_API_KEY", "openrouter", "OpenRouter", ("openai/gpt-4.1-mini",)),
)
"""In the order in which the route asks them."""


def objects_from(environment: Mapping[str, str], *, namespace: str) -> tuple[dict[str, Any], ...]:
    """Secrets, LLMProviders and one LLMRoute for the keys in `environment`; nothing when there is none."""
    found = [vendor for vendor in VENDORS if environment.get(vendor.variable, "").strip()]
    if not found:
        return ()
    return (
        *(_secret(vendor, environment[vendor.variable], namespace) for vendor in found),
        *(_provider(vendor, namespace) for vendor in found),
        _route(found, namespace),
    )


def _secret(vendor: Vendor, key: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": vendor.name, "namespace": namespace},
        "stringData": {"api-key": key.strip()},
    }


def _provider(vendor: Vendor, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "LLMProvider",
        "metadata": {"name": vendor.name, "namespace": namespace},
        "spec": {
            "type": vendor.type,
            "auth": {"apiKey": {"secretKeyRef": {"name": vendor.name, "key": "api-key"}}},
            "models": [{"name": model} for model in vendor.models],
        },
    }


def _route(found: list[Vendor], namespace: str) -> dict[str, Any]:
    backends = [
        {"providerRef": {"name": vendor.name}, "model": vendor.models[0], "priority": place}
        for place, vendor in enumerate(found)
    ]
    return {
        "apiVersion": API_VERSION,
        "kind": "LLMRoute",
        "metadata": {"name": ROUTE, "namespace": namespace},
        "spec": {"rules": [{"backends": backends}]},
    }
