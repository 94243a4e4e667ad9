"""What the type of an LLMProvider decides: wire format, name in telemetry, and default address."""

from dataclasses import dataclass

from understudy_api.config import Dialect
from understudy_api.v1alpha1.provider import ProviderType


@dataclass(frozen=True, slots=True)
class Vendor:
    """A type of provider that this version serves.

    Attributes:
        system: `gen_ai.provider.name` of the OpenTelemetry conventions, or a name of the same form where they have
            none.
        base_url: Where the vendor is; None for what everybody runs for themselves.
        bare_host: Users give the base URL without the `/v1` of the OpenAI dialect, as the vendor's own SDK takes it.
        self_hosted: Nobody is billed by the token.
    """

    dialect: Dialect
    system: str
    base_url: str | None = None
    bare_host: bool = False
    self_hosted: bool = False


VENDORS: dict[ProviderType, Vendor] = {
    ProviderType.OPENAI: Vendor(Dialect.OPENAI, "openai", "https://api.openai.com/v1"),
    ProviderType.DEEPSEEK: Vendor(Dialect.OPENAI, "deepseek", "https://api.deepseek.com/v1"),
    ProviderType.MISTRAL: Vendor(Dialect.OPENAI, "mistral_ai", "https://api.mistral.ai/v1"),
    ProviderType.GROQ: Vendor(Dialect.OPENAI, "groq", "https://api.groq.com/openai/v1"),
    ProviderType.OPENROUTER: Vendor(Dialect.OPENAI, "openrouter", "https://openrouter.ai/api/v1"),
    ProviderType.OLLAMA: Vendor(Dialect.OPENAI, "ollama", bare_host=True, self_hosted=True),
    ProviderType.VLLM: Vendor(Dialect.OPENAI, "vllm", self_hosted=True),
    ProviderType.LLAMA_CPP: Vendor(Dialect.OPENAI, "llama_cpp", self_hosted=True),
    ProviderType.OPENAI_COMPATIBLE: Vendor(Dialect.OPENAI, "openai_compatible"),
}
"""Types that are missing here are not served by this version, and their providers say so."""
