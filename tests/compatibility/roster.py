"""The clients: vendors' SDKs, each in a version, and what can be expected of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from compatibility import words
from compatibility.words import Words
from harness.sdks import LOCKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An SDK in one version.

    Attributes:
        key: A short name.
        package: What is installed, by its name on PyPI.
        lock: Which environment it is in.
        module: The driver, below `compatibility.clients`.
        words: How it says things.
        setup: What its user writes to point it at a gateway at `GATEWAY`.
        detail: What of the package is used, where there are several.
        own: The provider whose dialect it speaks.
        fixed_model: The one model name that it can ask for; None where any will do.
        environment: Variables that it needs.
        lacks: What it has no place for, of `scenarios.SCENARIOS`.
        calls: What else it can do, of `scenarios.CALLS`.
        tries: How often it asks for a whole answer that is a 503 with `x-should-retry: false`; for a stream, once.
        notes: What its users should know, by scenario.
    """

    key: str
    package: str
    lock: str
    module: str
    words: Words
    setup: str
    detail: str = ""
    own: str = "OpenAI"
    fixed_model: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
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

_EMBEDS, _LISTS, _COUNTS = (frozenset({call}) for call in ("embeddings", "models", "count tokens"))
_THOUGHTS = frozenset({"thinking"})

CLIENTS = (
    *(
        Client(
            key=f"openai-{major}",
            package="openai",
            lock=f"openai-{major}",
            module="openai_sdk",
            setup='OpenAI(base_url="GATEWAY/v1")',
            words=words.OPENAI,
            calls=_EMBEDS | _LISTS,
        )
        for major in (2, 3)
    ),
    Client(
        key="openai-3-responses",
        package="openai",
        lock="openai-3",
        module="openai_responses",
        setup='OpenAI(base_url="GATEWAY/v1").responses',
        words=words.RESPONSES,
        detail="responses",
    ),
    Client(
        key="openai-3-azure",
        package="openai",
        lock="openai-3",
        module="azure_sdk",
        setup='AzureOpenAI(azure_endpoint="GATEWAY", api_version=…)',
        words=words.OPENAI,
        detail="AzureOpenAI",
    ),
    Client(
        key="langchain",
        package="langchain-openai",
        lock="openai-2",
        module="langchain_sdk",
        setup='ChatOpenAI(base_url="GATEWAY/v1", model=…, stream_usage=True)',
        lacks=_THOUGHTS,
        words=words.OPENAI,
        calls=_EMBEDS,
    ),
    Client(
        key="llama-index",
        package="llama-index-llms-openai",
        lock="openai-2",
        module="llama_index_sdk",
        setup='OpenAI(api_base="GATEWAY/v1", model="gpt-4.1-mini")',
        words=words.OPENAI,
        fixed_model="gpt-4.1-mini",
        lacks=_THOUGHTS | {"handover", "executed"},
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
        setup='OpenAILike(api_base="GATEWAY/v1", model=…, is_chat_model=True, is_function_calling_model=True)',
        lacks=_THOUGHTS,
        words=words.OPENAI,
        tries=3,
        notes={"error before": _LLAMA_INDEX_TRIES},
    ),
    Client(
        key="litellm",
        package="litellm",
        lock="openai-2",
        module="litellm_sdk",
        setup='completion("openai/MODEL", api_base="GATEWAY/v1", …)',
        words=words.LITELLM,
        calls=_EMBEDS,
        environment={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},  # else it asks GitHub for prices
    ),
    *(
        Client(
            key=f"anthropic-{major}",
            package="anthropic",
            lock=f"anthropic-{major}",
            module="anthropic_sdk",
            setup='Anthropic(base_url="GATEWAY")',
            words=words.ANTHROPIC,
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
        setup='genai.Client(http_options=HttpOptions(base_url="GATEWAY"))',
        words=words.GOOGLE,
        calls=_EMBEDS | _LISTS | _COUNTS,
        own="Gemini",
    ),
    Client(
        key="ollama",
        package="ollama",
        lock="ollama",
        module="ollama_sdk",
        setup='Client(host="GATEWAY")',
        words=words.OLLAMA,
        own="Ollama",
        lacks=frozenset({"cached tokens"}),
        calls=_EMBEDS | _LISTS,
        notes={
            "executed": "The SDK sends calls back without their ids: where it has tools of its own, the model does not "
            "know any more what the gateway's tools did before."
        },
    ),
)
"""The clients that are put before the gateway."""

BEDROCK = Client(
    key="boto3",
    package="boto3",
    lock="boto3",
    module="bedrock_sdk",
    setup='boto3.client("bedrock-runtime", endpoint_url="GATEWAY")',
    words=words.BEDROCK,
    own="Bedrock",
    lacks=frozenset({"JSON schema", "thinking", "cached tokens"}),
)
"""AWS's own client: the gateway has no door for it, but the mock must answer it as Bedrock does."""

FLAVOR_CLIENT = "openai-3"
"""The one that is put before the other types of provider."""
