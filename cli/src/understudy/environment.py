"""A gateway out of thin air: objects made from the provider keys that are found in the environment.

This is what `understudy serve` runs when it is given no files: one LLMProvider for each vendor whose key is there, with
a model that suits most chats, and one route `chat` that asks them in turn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy_api.v1alpha1 import API_VERSION

ROUTE = "chat"
_KEY = "api-key"

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignIn:
    """What an environment says of a vendor: a part of its spec, and what its Secret holds."""

    spec: Mapping[str, Any]
    secret: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor, found by the variables in which its own SDK looks."""

    variables: tuple[str, ...]
    """The first one is what people are told to set; all that is looked at are here."""
    name: str
    type: str
    models: tuple[str, ...]
    """The first one answers the route; all are reachable as `NAME/MODEL`."""
    find: Callable[["Vendor", Environment], SignIn | None]


def _value(environment: Environment, *variables: str) -> str:
    """The first of these that says something."""
    return next((value for name in variables if (value := environment.get(name, "").strip())), "")


def _with_key(vendor: Vendor, environment: Environment) -> SignIn | None:
    """Any of the variables holds the key."""
    key = _value(environment, *vendor.variables)
    return _signed_with(vendor, key) if key else None


def _signed_with(vendor: Vendor, key: str, **spec: str) -> SignIn:
    auth = {"apiKey": {"secretKeyRef": {"name": vendor.name, "key": _KEY}}}
    return SignIn({**spec, "auth": auth}, {_KEY: key})


def _azure(vendor: Vendor, environment: Environment) -> SignIn | None:
    """A key belongs to a resource, which has an address of its own."""
    key, endpoint = (_value(environment, variable) for variable in vendor.variables)
    return _signed_with(vendor, key, baseURL=endpoint) if key and endpoint else None


def _bedrock(vendor: Vendor, environment: Environment) -> SignIn | None:
    """A key of Bedrock's own, else access keys; either for one region."""
    region = _value(environment, "AWS_REGION", "AWS_DEFAULT_REGION")
    if not region:
        return None
    if key := _value(environment, "AWS_BEARER_TOKEN_BEDROCK"):
        return _signed_with(vendor, key, baseURL=f"https://bedrock-runtime.{region}.amazonaws.com")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    keys = {name: value for name in names if (value := _value(environment, name))}
    if not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= keys.keys():
        return None
    return SignIn({"auth": {"aws": {"region": region, "secretRef": {"name": vendor.name}}}}, keys)


_GPT = ("gpt-4.1-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini")
_CLAUDE = ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5")
_CLAUDE_AT_BEDROCK = (
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
)

VENDORS = (
    Vendor(("OPENAI_API_KEY",), "openai", "OpenAI", _GPT, _with_key),
    Vendor(("ANTHROPIC_API_KEY",), "anthropic", "Anthropic", _CLAUDE, _with_key),
    Vendor(
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "gemini",
        "Gemini",
        ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-lite"),
        _with_key,
    ),
    Vendor(("MISTRAL_API_KEY",), "mistral", "Mistral", ("mistral-small-latest", "mistral-large-latest"), _with_key),
    Vendor(("DEEPSEEK_API_KEY",), "deepseek", "DeepSeek", ("deepseek-chat", "deepseek-reasoner"), _with_key),
    Vendor(("GROQ_API_KEY",), "groq", "Groq", ("llama-3.3-70b-versatile", "llama-3.1-8b-instant"), _with_key),
    Vendor(("OPENROUTER_API_KEY",), "openrouter", "OpenRouter", ("openai/gpt-4.1-mini",), _with_key),
    Vendor(("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"), "azure", "AzureOpenAI", _GPT, _azure),
    Vendor(
        (
            "AWS_BEARER_TOKEN_BEDROCK",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ),
        "bedrock",
        "Bedrock",
        _CLAUDE_AT_BEDROCK,
        _bedrock,
    ),
)
"""In the order in which the route asks them: those last whose keys may be there for something else."""


def objects_from(environment: Environment, *, namespace: str) -> tuple[dict[str, Any], ...]:
    """Secrets, LLMProviders and one LLMRoute for the keys in `environment`; nothing when there is none."""
    found = [(vendor, sign_in) for vendor in VENDORS if (sign_in := vendor.find(vendor, environment))]
    if not found:
        return ()
    return (
        *(_secret(vendor, sign_in, namespace) for vendor, sign_in in found),
        *(_provider(vendor, sign_in, namespace) for vendor, sign_in in found),
        _route([vendor for vendor, _ in found], namespace),
    )


def _secret(vendor: Vendor, sign_in: SignIn, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": vendor.name, "namespace": namespace},
        "stringData": dict(sign_in.secret),
    }


def _provider(vendor: Vendor, sign_in: SignIn, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "LLMProvider",
        "metadata": {"name": vendor.name, "namespace": namespace},
        "spec": {"type": vendor.type, **sign_in.spec, "models": [{"name": model} for model in vendor.models]},
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
