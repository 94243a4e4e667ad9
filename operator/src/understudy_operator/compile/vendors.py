"""What the type of an LLMProvider decides: wire format, name in telemetry, address, and the header of a key."""

from dataclasses import dataclass

from understudy_api.config import AuthHeader, Dialect
from understudy_api.v1alpha1.provider import ProviderType


@dataclass(frozen=True, slots=True)
class Vendor:
    """A type of provider that this version serves.

    Attributes:
        system: `gen_ai.provider.name` of the OpenTelemetry conventions, or a name of the same form where they have
            none.
        host: Where the vendor is, with `{region}` or `{location}` where `spec.auth` says it; None for what everybody
            runs for themselves.
        path: Where on a host the dialect begins.
        own_path: Users give a base URL with its path, as the vendor's own SDK takes it; to others `path` is added.
        dropped: What users often write at the end of a base URL although the vendor's own SDK takes none of it.
        auth_header: What carries a key.
        self_hosted: Nobody is billed by the token.
        probe: A path that tells for free whether a server is well.
        first_token_seconds: How long a first token may take; None: as long as of most.
    """

    dialect: Dialect
    system: str
    host: str | None = None
    path: str = "/v1"
    own_path: bool = False
    dropped: str = ""
    auth_header: AuthHeader = AuthHeader.AUTHORIZATION
    self_hosted: bool = False
    probe: str | None = None
    first_token_seconds: float | None = None


def _openai(
    system: str, host: str | None = None, *, path: str = "/v1", self_hosted: bool = False, probe: str | None = None
) -> Vendor:
    return Vendor(Dialect.OPENAI, system, host, path, own_path=True, self_hosted=self_hosted, probe=probe)


VENDORS: dict[ProviderType, Vendor] = {
    ProviderType.OPENAI: _openai("openai", "https://api.openai.com"),
    ProviderType.ANTHROPIC: Vendor(
        Dialect.ANTHROPIC,
        "anthropic",
        "https://api.anthropic.com",
        path="",
        dropped="/v1",
        auth_header=AuthHeader.X_API_KEY,
    ),
    ProviderType.GEMINI: Vendor(
        Dialect.GEMINI,
        "gcp.gemini",
        "https://generativelanguage.googleapis.com",
        path="/v1beta",
        dropped="/v1",
        auth_header=AuthHeader.X_GOOG_API_KEY,
    ),
    ProviderType.VERTEX_AI: Vendor(
        Dialect.GEMINI,
        "gcp.vertex_ai",
        "https://{location}-aiplatform.googleapis.com",
        path="/v1/projects/{project}/locations/{location}/publishers/google",
    ),
    ProviderType.AZURE_OPENAI: Vendor(
        Dialect.OPENAI, "azure.ai.openai", path="/openai/v1", auth_header=AuthHeader.API_KEY
    ),
    ProviderType.BEDROCK: Vendor(
        Dialect.BEDROCK, "aws.bedrock", "https://bedrock-runtime.{region}.amazonaws.com", path=""
    ),
    ProviderType.DEEPSEEK: _openai("deepseek", "https://api.deepseek.com"),
    ProviderType.MISTRAL: _openai("mistral_ai", "https://api.mistral.ai"),
    ProviderType.GROQ: _openai("groq", "https://api.groq.com", path="/openai/v1"),
    ProviderType.OPENROUTER: _openai("openrouter", "https://openrouter.ai", path="/api/v1"),
    ProviderType.OLLAMA: Vendor(
        Dialect.OLLAMA, "ollama", path="", dropped="/v1", self_hosted=True, probe="/api/version"
    ),
    ProviderType.VLLM: _openai("vllm", self_hosted=True, probe="/health"),
    ProviderType.LLAMA_CPP: _openai("llama_cpp", self_hosted=True, probe="/health"),
    ProviderType.OPENAI_COMPATIBLE: _openai("openai_compatible"),
    # An agent that does not stream, or that uses tools, says its first word with its last.
    ProviderType.MESH: Vendor(Dialect.MESH, "mesh", path="", first_token_seconds=60.0),
}
"""Types that are missing here are not served by this version, and their providers say so."""
