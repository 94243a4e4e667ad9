"""LLMProvider: where models run, how to sign in there, and what may be asked of them."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from understudy_api.v1alpha1.meta import (
    AllowedNamespaces,
    ApiModel,
    CABundleReference,
    Duration,
    HeaderName,
    HeaderValue,
    ModelName,
    Money,
    Resource,
    SecretKeySelector,
    ServiceReference,
    cel,
)


class ProviderType(StrEnum):
    """The vendor or server, which decides wire format, sign-in and default address."""

    OPENAI = "OpenAI"
    ANTHROPIC = "Anthropic"
    GEMINI = "Gemini"
    VERTEX_AI = "VertexAI"
    AZURE_OPENAI = "AzureOpenAI"
    BEDROCK = "Bedrock"
    DEEPSEEK = "DeepSeek"
    MISTRAL = "Mistral"
    GROQ = "Groq"
    OPENROUTER = "OpenRouter"
    OLLAMA = "Ollama"
    VLLM = "VLLM"
    LLAMA_CPP = "LlamaCpp"
    OPENAI_COMPATIBLE = "OpenAICompatible"
    MESH = "Mesh"


class Capability(StrEnum):
    """What a model can do; a request that needs one is never sent to a model without it."""

    CHAT = "Chat"
    STREAMING = "Streaming"
    TOOLS = "Tools"
    VISION = "Vision"
    JSON_SCHEMA = "JSONSchema"
    REASONING = "Reasoning"
    EMBEDDINGS = "Embeddings"
    AUDIO = "Audio"
    PREFILL = "Prefill"


class SecretRef(ApiModel):
    """A whole Secret in the provider's namespace, its keys named by the vendor's own environment variables."""

    name: Annotated[str, Field(min_length=1, max_length=253)]


class ApiKeyAuth(ApiModel):
    """A static key, sent in the header that the provider's type uses."""

    secret_key_ref: SecretKeySelector


class WebIdentity(ApiModel):
    """Federated sign-in with a ServiceAccount token."""

    role_arn: Annotated[str, Field(min_length=1, max_length=2048)] | None = None


class AWSAuth(ApiModel):
    """AWS Signature Version 4, with keys from a Secret or the proxy's own web identity."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                "!(has(self.secretRef) && has(self.webIdentity))",
                "secretRef and webIdentity exclude each other",
            )
        )
    )

    region: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")]
    secret_ref: SecretRef | None = None
    web_identity: WebIdentity | None = None


class GCPAuth(ApiModel):
    """Google Cloud sign-in: a service account key from a Secret, else workload identity."""

    project: Annotated[str, Field(min_length=1, max_length=128)]
    location: Annotated[str, Field(min_length=1, max_length=64)] = "global"
    secret_key_ref: SecretKeySelector | None = None


class AzureAuth(ApiModel):
    """Microsoft Entra sign-in: a client secret from a Secret, else workload identity."""

    tenant_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    client_secret_ref: SecretKeySelector | None = None


class NoAuth(ApiModel):
    """Says outright that the provider wants no sign-in."""


class Auth(ApiModel):
    """How to sign in: exactly one member."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                "[has(self.apiKey), has(self.aws), has(self.gcp), has(self.azure), has(self.none)].exists_one(x, x)",
                "auth takes exactly one of apiKey, aws, gcp, azure, none",
            )
        )
    )

    api_key: ApiKeyAuth | None = None
    aws: AWSAuth | None = None
    gcp: GCPAuth | None = None
    azure: AzureAuth | None = None
    none: NoAuth | None = None


class Pricing(ApiModel):
    """US dollars per million tokens. A rate left out falls back as its line says; it is never taken for zero."""

    input_per_million: Money
    output_per_million: Money
    cached_input_per_million: Annotated[Money | None, Field(description="Default: inputPerMillion.")] = None
    cache_write_per_million: Annotated[Money | None, Field(description="Default: inputPerMillion.")] = None
    reasoning_per_million: Annotated[Money | None, Field(description="Default: outputPerMillion.")] = None


class ProviderModel(ApiModel):
    """A model that the provider may serve; what is left out comes from the built-in catalogue."""

    name: Annotated[ModelName, Field(description="Used by routes and by provider/model addressing.")]
    upstream_name: Annotated[ModelName | None, Field(description="What the provider calls it. Default: name.")] = None
    capabilities: (
        Annotated[tuple[Capability, ...], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"})]
        | None
    ) = None
    context_window: Annotated[int, Field(ge=1, le=100_000_000, description="In tokens.")] | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    pricing: Pricing | None = None


class Discovery(ApiModel):
    """Take the model list from a self-hosted server itself."""

    interval: Duration = "30s"


class ProviderLimits(ApiModel):
    """The provider's own quota, shared by all proxies."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000_000)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class ProviderTimeouts(ApiModel):
    """How long each part of an exchange may take."""

    connect: Duration | None = None
    first_token: Annotated[
        Duration | None, Field(description="Counts only while another backend could still step in.")
    ] = None
    stream_idle: Duration | None = None
    request: Duration | None = None


class HealthProbe(ApiModel):
    """An active check of an endpoint that has been ejected; it ends the ejection early."""

    path: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^/\S*$")]
    interval: Duration = "5s"


class ProviderHealth(ApiModel):
    """When an endpoint is left out, and for how long."""

    consecutive_failures: Annotated[int, Field(ge=1, le=1000)] | None = None
    ejection_duration: Duration | None = None
    max_ejection_duration: Duration | None = None
    probe: HealthProbe | None = None


class ProviderTLS(ApiModel):
    """Trust for a private certificate authority, or another name than the address says."""

    ca_bundle_ref: CABundleReference | None = None
    server_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None


class ProviderHeaders(ApiModel):
    """Headers added to every request to the provider."""

    set: Annotated[dict[HeaderName, HeaderValue], Field(max_length=32)] = {}


class LLMProviderSpec(ApiModel):
    """Where models run."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            ("!(has(self.baseURL) && has(self.serviceRef))", "baseURL and serviceRef exclude each other"),
            (
                (
                    "!(self.type in ['Ollama', 'VLLM', 'LlamaCpp', 'OpenAICompatible', 'AzureOpenAI'])"
                    " || has(self.baseURL) || has(self.serviceRef)"
                ),
                "this type has no default address: set baseURL or serviceRef",
            ),
            (
                "self.type != 'Bedrock' || !has(self.auth) || has(self.auth.aws)",
                "type Bedrock signs in with auth.aws",
            ),
        )
    )

    type: ProviderType
    base_url: Annotated[
        str | None,
        Field(
            alias="baseURL",
            max_length=2048,
            pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
            description="What the vendor's own SDK takes as base URL.",
        ),
    ] = None
    service_ref: ServiceReference | None = None
    auth: Auth | None = None
    models: Annotated[
        tuple[ProviderModel, ...],
        Field(
            max_length=256,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()
    discovery: Discovery | None = None
    limits: ProviderLimits | None = None
    timeouts: ProviderTimeouts | None = None
    health: ProviderHealth | None = None
    tls: ProviderTLS | None = None
    headers: ProviderHeaders | None = None
    allowed_namespaces: AllowedNamespaces | None = None


class LLMProvider(Resource):
    """Where models run."""

    kind: Literal["LLMProvider"] = "LLMProvider"
    spec: LLMProviderSpec
