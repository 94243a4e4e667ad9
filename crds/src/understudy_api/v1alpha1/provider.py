"""LLMProvider: where models run, how to sign in there, and what may be asked of them."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from understudy_api.v1alpha1 import patterns
from understudy_api.v1alpha1.meta import (
    AllowedNamespaces,
    CABundleReference,
    Duration,
    HeaderName,
    HeaderValue,
    ModelName,
    Money,
    Name,
    PositiveDuration,
    Resource,
    SecretKeySelector,
    ServiceReference,
)
from understudy_api.v1alpha1.model import ApiModel, Invariant, Unique, UniqueBy


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


WITHOUT_ADDRESS = frozenset(
    {
        ProviderType.OLLAMA,
        ProviderType.VLLM,
        ProviderType.LLAMA_CPP,
        ProviderType.OPENAI_COMPATIBLE,
        ProviderType.AZURE_OPENAI,
    }
)
"""Types whose address is the user's own."""


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

    name: Name
    """The Secret's name."""


class ApiKeyAuth(ApiModel):
    """A static key, sent in the header that the provider's type uses."""

    secret_key_ref: SecretKeySelector
    """The key."""


class WebIdentity(ApiModel):
    """Federated sign-in with a ServiceAccount token."""

    role_arn: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    """The role to assume. Default: the one in the proxy's environment."""


class AWSAuth(ApiModel):
    """AWS Signature Version 4, with keys from a Secret or the proxy's own web identity."""

    invariants: ClassVar = (
        Invariant(
            cel="!(has(self.secretRef) && has(self.webIdentity))",
            message="secretRef and webIdentity exclude each other",
            holds=lambda part: part.secret_ref is None or part.web_identity is None,
        ),
    )

    region: Annotated[str, Field(min_length=1, max_length=64, pattern=patterns.AWS_REGION)]
    """The region whose endpoint is asked."""
    secret_ref: SecretRef | None = None
    """Keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN."""
    web_identity: WebIdentity | None = None
    """The proxy's own ServiceAccount token. Default where there is no secretRef."""


class GCPAuth(ApiModel):
    """Google Cloud sign-in: a service account key from a Secret, else workload identity."""

    project: Annotated[str, Field(min_length=1, max_length=128)]
    """The project that is asked and billed."""
    location: Annotated[str, Field(min_length=1, max_length=64)] = "global"
    """The location whose endpoint is asked."""
    secret_key_ref: SecretKeySelector | None = None
    """A service account key in JSON. Default: workload identity."""


class AzureAuth(ApiModel):
    """Microsoft Entra sign-in: a client secret from a Secret, else workload identity."""

    invariants: ClassVar = (
        Invariant(
            cel="!has(self.clientSecretRef) || (has(self.tenantId) && has(self.clientId))",
            message="clientSecretRef needs tenantId and clientId",
            holds=lambda part: part.client_secret_ref is None or None not in {part.tenant_id, part.client_id},
        ),
    )

    tenant_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """The directory. Default: the one in the proxy's environment."""
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """The application. Default: the one in the proxy's environment."""
    client_secret_ref: SecretKeySelector | None = None
    """The application's secret. Default: workload identity."""


class NoAuth(ApiModel):
    """Says outright that the provider wants no sign-in."""


class Auth(ApiModel):
    """How to sign in: exactly one member."""

    invariants: ClassVar = (
        Invariant(
            cel="[has(self.apiKey), has(self.aws), has(self.gcp), has(self.azure), has(self.none)].exists_one(x, x)",
            message="auth takes exactly one of apiKey, aws, gcp, azure, none",
            holds=lambda part: (
                sum(each is not None for each in (part.api_key, part.aws, part.gcp, part.azure, part.none)) == 1
            ),
        ),
    )

    api_key: ApiKeyAuth | None = None
    """A static key."""
    aws: AWSAuth | None = None
    """AWS Signature Version 4."""
    gcp: GCPAuth | None = None
    """Google Cloud."""
    azure: AzureAuth | None = None
    """Microsoft Entra."""
    none: NoAuth | None = None
    """No sign-in."""


class Pricing(ApiModel):
    """US dollars per million tokens. A rate left out falls back as its line says; it is never taken for zero."""

    input_per_million: Money
    """For input tokens."""
    output_per_million: Money
    """For output tokens."""
    cached_input_per_million: Money | None = None
    """For input tokens read from the provider's cache. Default: inputPerMillion."""
    cache_write_per_million: Money | None = None
    """For input tokens written to the provider's cache. Default: inputPerMillion."""
    reasoning_per_million: Money | None = None
    """For output tokens that only the model sees. Default: outputPerMillion."""


class ProviderModel(ApiModel):
    """A model that the provider may serve; what is left out comes from the built-in catalogue."""

    name: ModelName
    """The name that routes and provider/model addressing use."""
    upstream_name: ModelName | None = None
    """What the provider calls it. Default: name."""
    capabilities: Annotated[tuple[Capability, ...], Field(max_length=16), Unique()] | None = None
    """What the model can do. Default: what its server tells, else the catalogue, else all but Audio and Prefill."""
    context_window: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Input and output together, in tokens. Default: what its server tells, else the catalogue."""
    max_output_tokens: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """The longest answer, in tokens. Default: from the catalogue."""
    pricing: Pricing | None = None
    """What it costs. Default: from the catalogue."""


class Discovery(ApiModel):
    """Take the model list from a self-hosted server itself."""

    interval: PositiveDuration = "30s"
    """How often the server is asked for its models; at most once a second."""


class ProviderLimits(ApiModel):
    """The provider's own quota."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Requests a minute."""
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000_000)] | None = None
    """Input and output tokens a minute."""
    concurrency: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Requests at the same time, counted by each proxy worker for itself."""


class ProviderTimeouts(ApiModel):
    """How long each part of an exchange may take."""

    connect: Duration | None = None
    """Until the connection stands. Default: 5s."""
    first_token: Duration | None = None
    """Until the first token; counts only while another backend could still step in. Default: 10s."""
    stream_idle: Duration | None = None
    """Between two events of a stream. Default: 30s."""
    request: Duration | None = None
    """The whole exchange. Default: 10m."""


class HealthProbe(ApiModel):
    """An active check of an endpoint that has been ejected; it ends the ejection early."""

    path: Annotated[str, Field(min_length=1, max_length=1024, pattern=patterns.URL_PATH)]
    """What is asked for with GET; an answer of 2xx is health."""
    interval: Duration = "5s"
    """How often it is asked while the endpoint is ejected."""


class ProviderHealth(ApiModel):
    """When an endpoint is left out, and for how long."""

    consecutive_failures: Annotated[int, Field(ge=1, le=1000)] | None = None
    """So many failures in a row eject an endpoint. Default: 5."""
    ejection_duration: Duration | None = None
    """How long the first ejection takes; each further one doubles. Default: 5s."""
    max_ejection_duration: Duration | None = None
    """The longest ejection. Default: 1m."""
    probe: HealthProbe | None = None
    """How it is told that an endpoint is well again. Default: as types VLLM, LlamaCpp and Ollama can, else a trial."""


class ProviderTLS(ApiModel):
    """Trust for a private certificate authority, or another name than the address says."""

    ca_bundle_ref: CABundleReference | None = None
    """Certificates trusted beside the system's."""
    server_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """The name that the server's certificate carries."""


class ProviderHeaders(ApiModel):
    """Headers added to every request to the provider."""

    set: Annotated[dict[HeaderName, HeaderValue], Field(max_length=32)] = {}
    """By name; not for secrets."""


class MeshSource(ApiModel):
    """Which agents of a mesh answer: those that offer the capability with these tags, in this version."""

    capability: Annotated[str, Field(min_length=1, max_length=128, pattern=patterns.MESH_WORD)] = "llm"
    """What they offer."""
    tags: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128, pattern=patterns.MESH_TAG)], ...],
        Field(max_length=32),
        Unique(),
    ] = ()
    """`claude` must be there, `+fast` is preferred, `-beta` must not be there. Gateways answer only where a tag is
    `understudy` or `+understudy`."""
    version: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """A constraint such as `>=1.0, <2` or `^1.2`. Default: any."""


class LLMProviderSpec(ApiModel):
    """Where models run."""

    invariants: ClassVar = (
        Invariant(
            cel="!(has(self.baseURL) && has(self.serviceRef))",
            message="baseURL and serviceRef exclude each other",
            holds=lambda spec: spec.base_url is None or spec.service_ref is None,
        ),
        Invariant(
            cel="!(self.type in ['Ollama', 'VLLM', 'LlamaCpp', 'OpenAICompatible', 'AzureOpenAI'])"
            " || has(self.baseURL) || has(self.serviceRef)",
            message="this type has no default address: set baseURL or serviceRef",
            holds=lambda spec: spec.type not in WITHOUT_ADDRESS or bool(spec.base_url or spec.service_ref),
        ),
        Invariant(
            cel="self.type != 'Bedrock' || has(self.baseURL) || (has(self.auth) && has(self.auth.aws))",
            message="type Bedrock needs a region: set auth.aws, or baseURL with auth.apiKey",
            holds=lambda spec: (
                spec.type is not ProviderType.BEDROCK or bool(spec.base_url or (spec.auth and spec.auth.aws))
            ),
        ),
        Invariant(
            cel="self.type != 'VertexAI' || (has(self.auth) && has(self.auth.gcp))",
            message="type VertexAI needs auth.gcp: its project and location are part of the address",
            holds=lambda spec: spec.type is not ProviderType.VERTEX_AI or bool(spec.auth and spec.auth.gcp),
        ),
        Invariant(
            cel="!has(self.auth) || !has(self.auth.aws) || self.type == 'Bedrock'",
            message="auth.aws is for type Bedrock",
            holds=lambda spec: not (spec.auth and spec.auth.aws) or spec.type is ProviderType.BEDROCK,
        ),
        Invariant(
            cel="!has(self.auth) || !has(self.auth.gcp) || self.type in ['VertexAI', 'Gemini']",
            message="auth.gcp is for types VertexAI and Gemini",
            holds=lambda spec: (
                not (spec.auth and spec.auth.gcp) or spec.type in {ProviderType.VERTEX_AI, ProviderType.GEMINI}
            ),
        ),
        Invariant(
            cel="!has(self.auth) || !has(self.auth.azure) || self.type == 'AzureOpenAI'",
            message="auth.azure is for type AzureOpenAI",
            holds=lambda spec: not (spec.auth and spec.auth.azure) or spec.type is ProviderType.AZURE_OPENAI,
        ),
        Invariant(
            cel="!has(self.mesh) || self.type == 'Mesh'",
            message="mesh is for type Mesh",
            holds=lambda spec: spec.mesh is None or spec.type is ProviderType.MESH,
        ),
        Invariant(
            cel="self.type != 'Mesh' || !has(self.serviceRef)",
            message="type Mesh takes the address of a registry in baseURL, or none for the gateway's own",
            holds=lambda spec: spec.type is not ProviderType.MESH or spec.service_ref is None,
        ),
    )

    type: ProviderType
    base_url: Annotated[str | None, Field(alias="baseURL", max_length=2048, pattern=patterns.BASE_URL)] = None
    """What the vendor's own SDK takes as base URL; of type Mesh, the registry. Default there: the gateway's own."""
    service_ref: ServiceReference | None = None
    """A Service in place of baseURL; each address of a headless one has its own health."""
    auth: Auth | None = None
    """How to sign in: exactly one member. Default: none."""
    models: Annotated[tuple[ProviderModel, ...], Field(max_length=256), UniqueBy("name")] = ()
    """What the provider may serve."""
    mesh: MeshSource | None = None
    """Which agents answer, for type Mesh."""
    discovery: Discovery | None = None
    limits: ProviderLimits | None = None
    timeouts: ProviderTimeouts | None = None
    health: ProviderHealth | None = None
    tls: ProviderTLS | None = None
    headers: ProviderHeaders | None = None
    allowed_namespaces: AllowedNamespaces | None = None
    """Which namespaces' routes and personas may refer to the provider."""


class LLMProvider(Resource):
    """Where models run."""

    kind: Literal["LLMProvider"] = "LLMProvider"
    spec: LLMProviderSpec
