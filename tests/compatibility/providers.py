"""The providers behind the gateway: one for each wire format, and the other types."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A type of provider.

    Attributes:
        type: `spec.type`.
        model: What the names of its models begin with; an ending says what happens to them.
        path: What its base URL has after the address.
        auth: `spec.auth`, in YAML.
        lacks: What it has no notion of, of `scenarios.SCENARIOS` and `scenarios.CALLS`.
    """

    type: str
    model: str
    path: str = ""
    auth: str = "{apiKey: {secretKeyRef: {name: keys, key: key}}}"
    lacks: frozenset[str] = frozenset()

    @property
    def capabilities(self) -> str:
        """What its models can do, in YAML."""
        chat = "Chat, Streaming, Tools, Vision, JSONSchema, Reasoning, Prefill"
        return f"[{chat}]" if "embeddings" in self.lacks else f"[{chat}, Embeddings]"


PROVIDERS = (
    Provider(type="OpenAI", model="gpt-5-mini-", path="/v1"),
    Provider(type="Anthropic", model="claude-sonnet-4-5-", lacks=frozenset({"embeddings"})),
    Provider(type="Gemini", model="gemini-3-flash-"),
    Provider(
        type="Bedrock",
        model="anthropic.claude-haiku-v1:",  # a colon, as Bedrock's names have, must survive in a path
        auth="{aws: {region: us-east-1, secretRef: {name: keys}}}",
        lacks=frozenset({"embeddings"}),
    ),
    Provider(type="Ollama", model="llama3.2:", auth="{none: {}}", lacks=frozenset({"cached tokens"})),
)
"""One provider for each wire format."""

FLAVORS = (
    Provider(
        type="VertexAI",
        model="gemini-3-flash-",
        auth="{gcp: {project: stage, secretKeyRef: {name: google, key: key.json}}}",
    ),
    Provider(type="AzureOpenAI", model="gpt-5-mini-"),
    *(
        Provider(type=type_, model=model, path="/v1")
        for type_, model in (
            ("DeepSeek", "deepseek-chat-"),
            ("Groq", "openai/gpt-oss-20b-"),
            ("OpenRouter", "z-ai/glm-5:"),
            ("VLLM", "Qwen/Qwen3-8B-"),
            ("LlamaCpp", "qwen3-8b-"),
            ("OpenAICompatible", "any-"),
        )
    ),
)
"""Other types that speak one of these; one client is enough for them.

Mistral is missing because it tells the usage of streams unasked, which the mock as OpenAI does not.
"""
PROVIDER_OF = {provider.type: provider for provider in (*PROVIDERS, *FLAVORS)}
"""Every provider, by its type."""
