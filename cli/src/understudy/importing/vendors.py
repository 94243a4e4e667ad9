"""Whom the names in foreign files mean."""

import re
from dataclasses import dataclass

from understudy.environment import VENDORS

_DEFAULT_KEYS = {vendor.type: vendor.variables[0] for vendor in VENDORS}
_DEFAULT_MODELS = {vendor.type: vendor.models for vendor in VENDORS}

COMPATIBLE = "OpenAICompatible"
SELF_HOSTED = frozenset({"Ollama", "VLLM", "LlamaCpp", COMPATIBLE})
"""Types that have no address of their own, and seldom want a key."""

_TYPES = {
    "openai": "OpenAI", "gpt": "OpenAI", "chatgpt": "OpenAI",
    "anthropic": "Anthropic", "claude": "Anthropic", "claudeagent": "Anthropic",
    "gemini": "Gemini", "google": "Gemini", "googleaistudio": "Gemini",
    "vertex": "VertexAI", "vertexai": "VertexAI",
    "azure": "AzureOpenAI", "azureopenai": "AzureOpenAI",
    "bedrock": "Bedrock", "aws": "Bedrock", "awsbedrock": "Bedrock",
    "deepseek": "DeepSeek", "mistral": "Mistral", "mistralai": "Mistral", "groq": "Groq", "openrouter": "OpenRouter",
    "ollama": "Ollama", "ollamachat": "Ollama",
    "vllm": "VLLM", "hostedvllm": "VLLM",
    "llamacpp": "LlamaCpp",
    "openaicompatible": COMPATIBLE, "openailike": COMPATIBLE, "customopenai": COMPATIBLE, "lmstudio": COMPATIBLE,
    "llamafile": COMPATIBLE, "local": COMPATIBLE, "xinference": COMPATIBLE, "litellmproxy": COMPATIBLE,
}  # fmt: skip

_ELSEWHERE = {
    "xai": "https://api.x.ai/v1",
    "togetherai": "https://api.together.xyz/v1",
    "fireworksai": "https://api.fireworks.ai/inference/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "perplexity": "https://api.perplexity.ai",
}
"""Vendors that speak OpenAI's format at an address of their own."""

_CAPABILITIES = {
    "chat": "Chat", "text": "Chat", "completion": "Chat", "completions": "Chat", "chatcompletion": "Chat",
    "stream": "Streaming", "streaming": "Streaming",
    "tools": "Tools", "tooluse": "Tools", "toolcalling": "Tools", "functions": "Tools", "functioncalling": "Tools",
    "vision": "Vision", "image": "Vision", "images": "Vision", "multimodal": "Vision",
    "json": "JSONSchema", "jsonmode": "JSONSchema", "jsonschema": "JSONSchema", "structuredoutput": "JSONSchema",
    "structuredoutputs": "JSONSchema", "responseschema": "JSONSchema",
    "reasoning": "Reasoning", "thinking": "Reasoning", "extendedthinking": "Reasoning",
    "embedding": "Embeddings", "embeddings": "Embeddings",
    "audio": "Audio", "audioinput": "Audio", "prefill": "Prefill", "assistantprefill": "Prefill",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a name stands for; `base_url` is "" where the type has its own or the user must say it."""

    type: str
    base_url: str = ""


def vendor_named(name: str) -> Vendor | None:
    """The vendor, however its name is spelled."""
    word = _word(name)
    if word in _ELSEWHERE:
        return Vendor(COMPATIBLE, _ELSEWHERE[word])
    return Vendor(_TYPES[word]) if word in _TYPES else None


def capability_named(name: str) -> str | None:
    """The capability, however its name is spelled."""
    return _CAPABILITIES.get(_word(name.removeprefix("supports_")))


def default_key(type_: str) -> str:
    """The variable in which a vendor's own SDK looks for its key; "" where there is none."""
    return _DEFAULT_KEYS.get(type_, "") if type_ != "Bedrock" else ""


def default_models(type_: str) -> tuple[str, ...]:
    """Models that suit most chats, for a provider whose file names none."""
    return _DEFAULT_MODELS.get(type_, ())


def object_name(text: str) -> str:
    """A name for an object that reads like the text."""
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower())
    name = re.sub(r"[-.]*\.[-.]*", ".", name).strip("-.")
    return name[:200].strip("-.") or "unnamed"


def model_name(text: str) -> str:
    """The text as a name that clients send, in which there is no space and no star."""
    return re.sub(r"[\s*]+", "-", text.strip())[:256]


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
