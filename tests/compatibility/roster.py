"""Who takes part: the clients, the providers, and the words of each client for what it is to notice."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.sdks import LOCKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a family of clients says what all of them say.

    Attributes:
        done: The finish reason of an answer that is whole.
        called: The finish reason of an answer that calls tools.
        refused: The exception for an answer with status 503.
        rejected: The exception for an answer with status 400.
        limited: The exception for an answer with status 429.
        hinted: Whether that exception knows when to come back.
        broken: The exception for a stream that breaks off.
        ids: Whether tool calls have ids.
    """

    done: str
    called: str
    refused: str
    rejected: str
    limited: str
    broken: str
    ids: bool = True
    hinted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An SDK in one version.

    Attributes:
        key: A short name.
        package: What is installed, by its name on PyPI.
        lock: Which environment it is in.
        module: The driver, below `compatibility.clients`.
        words: How it says things.
        detail: What of the package is used, where there are several.
        own: The provider whose dialect it speaks.
        fixed_model: The one model name that it can ask for; None where any will do.
        environment: Variables that it needs.
        calls: What else it can do, of `scenarios.CALLS`.
        tries: How often it asks for a whole answer that is a 503 with `x-should-retry: false`; for a stream, once.
        notes: What its users should know, by scenario.
    """

    key: str
    package: str
    lock: str
    module: str
    words: Words
    detail: str = ""
    own: str = "OpenAI"
    fixed_model: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    calls: frozenset[str] = frozenset()
    tries: int = 1
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The locked version."""
        found = re.search(
            rf"^{re.escape(self.package)}==(\S+)", (LOCKS / f"{self.lock}.lock").read_text(), re.MULTILINE
        )
        assert found is not None, f"{self.package} is not in {self.lock}.lock"
        return found[1]

    @property
    def title(self) -> str:
        """Package, version, and what of it."""
        return f"{self.package} {self.version}{self.detail and f', {self.detail}'}"


_LLAMA_INDEX_TRIES = (
    "LlamaIndex has retries of its own around the SDK's, and looks at no header: it asks three times for a whole "
    "answer (`max_retries=1` turns that off)."
)

_OPENAI = Words(
    done="stop",
    called="tool_calls",
    refused="InternalServerError",
    rejected="BadRequestError",
    limited="RateLimitError",
    broken="APIError",
)
_RESPONSES = replace(_OPENAI, done="completed", called="completed", broken="OpenAIError")
_LITELLM = replace(_OPENAI, refused="ServiceUnavailableError")
_ANTHROPIC = Words(
    done="end_turn",
    called="tool_use",
    refused="InternalServerError",
    rejected="BadRequestError",
    limited="RateLimitError",
    broken="APIStatusError",
)
_GOOGLE = Words(
    done="STOP", called="STOP", refused="ServerError", rejected="ClientError", limited="ClientError", broken="APIError"
)
_OLLAMA = Words(
    done="stop",
    called="stop",
    refused="ResponseError",
    rejected="ResponseError",
    limited="ResponseError",
    broken="ResponseError",
    ids=False,
    hinted=False,
)
_BEDROCK = Words(
    done="end_turn",
    called="tool_use",
    refused="ServiceUnavailableException",
    rejected="ValidationException",
    limited="ThrottlingException",
    broken="EventStreamError",
)

_EMBEDS, _LISTS, _COUNTS = (frozenset({call}) for call in ("embeddings", "models", "count tokens"))

CLIENTS = (
    Client(
        key="openai-2", package="openai", lock="openai-2", module="openai_sdk", words=_OPENAI, calls=_EMBEDS | _LISTS
    ),
    Client(
        key="openai-3", package="openai", lock="openai-3", module="openai_sdk", words=_OPENAI, calls=_EMBEDS | _LISTS
    ),
    Client(
        key="openai-3-responses",
        package="openai",
        lock="openai-3",
        module="openai_responses",
        words=_RESPONSES,
        detail="responses",
    ),
    Client(
        key="openai-3-azure",
        package="openai",
        lock="openai-3",
        module="azure_sdk",
        words=_OPENAI,
        detail="AzureOpenAI",
    ),
    Client(
        key="langchain",
        package="langchain-openai",
        lock="openai-2",
        module="langchain_sdk",
        words=_OPENAI,
        calls=_EMBEDS,
    ),
    Client(
        key="llama-index",
        package="llama-index-llms-openai",
        lock="openai-2",
        module="llama_index_sdk",
        words=_OPENAI,
        fixed_model="gpt-4.1-mini",
        tries=3,
        notes={
            "plain": "The class refuses model names that OpenAI does not have, before it sends anything: "
            "give the route one of those names, or use OpenAILike.",
            "error before": _LLAMA_INDEX_TRIES,
        },
    ),
    Client(
        key="llama-index-like",
        package="llama-index-llms-openai-like",
        lock="openai-2",
        module="llama_index_like_sdk",
        words=_OPENAI,
        tries=3,
        notes={"error before": _LLAMA_INDEX_TRIES},
    ),
    Client(
        key="litellm",
        package="litellm",
        lock="openai-2",
        module="litellm_sdk",
        words=_LITELLM,
        calls=_EMBEDS,
        environment={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},  # else it asks GitHub for prices
    ),
    *(
        Client(
            key=f"anthropic-{major}",
            package="anthropic",
            lock=f"anthropic-{major}",
            module="anthropic_sdk",
            words=_ANTHROPIC,
            calls=_LISTS | _COUNTS,
            own="Anthropic",
        )
        for major in (0, 1, 2)
    ),
    Client(
        key="google-genai",
        package="google-genai",
        lock="google-genai",
        module="google_sdk",
        words=_GOOGLE,
        calls=_EMBEDS | _LISTS | _COUNTS,
        own="Gemini",
    ),
    Client(
        key="ollama",
        package="ollama",
        lock="ollama",
        module="ollama_sdk",
        words=_OLLAMA,
        own="Ollama",
        calls=_EMBEDS | _LISTS,
    ),
)
"""The clients that are put before the gateway."""

BEDROCK = Client(key="boto3", package="boto3", lock="boto3", module="bedrock_sdk", words=_BEDROCK, own="Bedrock")
"""AWS's own client: the gateway has no door for it, but the mock must answer it as Bedrock does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A type of provider.

    Attributes:
        type: `spec.type`.
        model: What the names of its models begin with; an ending says what happens to them.
        path: What its base URL has after the address.
        auth: `spec.auth`, in YAML.
        embeds: Whether it has embeddings.
    """

    type: str
    model: str
    path: str = ""
    auth: str = "{apiKey: {secretKeyRef: {name: keys, key: key}}}"
    embeds: bool = True

    @property
    def capabilities(self) -> str:
        """What its models can do, in YAML."""
        chat = "Chat, Streaming, Tools, Vision, JSONSchema"
        return f"[{chat}, Embeddings]" if self.embeds else f"[{chat}]"


PROVIDERS = (
    Provider(type="OpenAI", model="gpt-5-mini-", path="/v1"),
    Provider(type="Anthropic", model="claude-sonnet-4-5-", embeds=False),
    Provider(type="Gemini", model="gemini-3-flash-"),
    Provider(
        type="Bedrock",
        model="anthropic.claude-haiku-v1:",  # a colon, as Bedrock's names have, must survive in a path
        auth="{aws: {region: us-east-1, secretRef: {name: keys}}}",
        embeds=False,
    ),
    Provider(type="Ollama", model="llama3.2:", auth="{none: {}}"),
)
"""One provider for each wire format."""

FLAVORS = (
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
"""Other types that speak OpenAI's; one client is enough for them.

Mistral is missing because it tells the usage of streams unasked, which the mock as OpenAI does not; and VertexAI, which
is Gemini's format behind Google's sign-in.
"""
FLAVOR_CLIENT = "openai-3"

PROVIDER_OF = {provider.type: provider for provider in (*PROVIDERS, *FLAVORS)}
"""Every provider, by its type."""
