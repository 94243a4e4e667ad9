"""What a proxy runs: the compiled configuration, free of Kubernetes.

Everything is resolved: durations are seconds, references are keys, defaults are filled in, names are indexed. The
proxy builds its `Runtime` from this and from `Credentials`, which travel apart because they are secret.

Keys are `namespace/name` for providers and tools and `Kind/namespace/name` for targets.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from understudy_api.config.base import ConfigModel
from understudy_api.config.identity import AuthHeader, CloudIdentity, CredentialRef

SCHEMA_VERSION = "1.3"
"""`major.minor`: a proxy refuses a newer major and ignores the unknown fields of a newer minor."""


class Dialect(StrEnum):
    """A wire format of model providers."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    BEDROCK = "bedrock"
    OLLAMA = "ollama"
    MESH = "mesh"


class Capability(StrEnum):
    """What a model can do, spelled as users write it."""

    CHAT = "Chat"
    STREAMING = "Streaming"
    TOOLS = "Tools"
    VISION = "Vision"
    JSON_SCHEMA = "JSONSchema"
    REASONING = "Reasoning"
    EMBEDDINGS = "Embeddings"
    AUDIO = "Audio"
    PREFILL = "Prefill"


class Timeouts(ConfigModel):
    """Seconds. `first_token` counts only while another backend could still step in."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 10.0
    stream_idle_seconds: float = 30.0
    request_seconds: float = 600.0


class Probe(ConfigModel):
    """An HTTP GET that ends the ejection of an endpoint when it answers 2xx."""

    path: str
    interval_seconds: float


class HealthPolicy(ConfigModel):
    """When an endpoint is ejected, and for how long: doubling from `ejection_seconds` to `max_ejection_seconds`."""

    consecutive_failures: int = 5
    ejection_seconds: float = 5.0
    max_ejection_seconds: float = 60.0
    probe: Probe | None = None


class Pricing(ConfigModel):
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal
    cached_input: Decimal
    cache_write: Decimal
    reasoning: Decimal


class ProviderModel(ConfigModel):
    """A model as its provider serves it. An unknown window or price is None, never zero."""

    upstream_name: str
    capabilities: frozenset[Capability]
    context_window: int | None = None
    max_output_tokens: int | None = None
    pricing: Pricing | None = None
    cost_tier: str | None = None
    """The price class as users write it; None where the price is unknown."""


class TLS(ConfigModel):
    """Trust beyond the system's: PEM certificates, and the name the server's certificate carries."""

    ca_pem: str | None = None
    server_name: str | None = None


class MeshSource(ConfigModel):
    """Which agents of a mesh answer."""

    capability: str
    tags: tuple[str, ...] = ()
    """`x` must be there, `+x` is preferred, `-x` must not be there."""
    version: str = ""
    """A constraint; empty: any."""
    own: bool = False
    """They register with the gateway itself."""


class Provider(ConfigModel):
    """Where models run."""

    namespace: str
    name: str
    type: str
    """The type as users write it, for people."""
    system: str
    """`gen_ai.provider.name` of the OpenTelemetry conventions."""
    dialect: Dialect
    base_url: str
    """With every path prefix the dialect wants, without a trailing slash."""
    per_address: bool = False
    """The host is a Service: every address behind it is an endpoint with health of its own."""
    credential: CredentialRef | None = None
    """A key, sent in `auth_header` as it is."""
    auth_header: AuthHeader = AuthHeader.AUTHORIZATION
    cloud: CloudIdentity | None = None
    """In the place of a key: what each request's credentials are made from."""
    headers: dict[str, str] = {}
    models: dict[str, ProviderModel]
    """By the name that routes use."""
    max_concurrency: int | None = None
    """Attempts under way in one worker; a further one is refused."""
    slots: int | None = None
    """Requests that each endpoint works on at once; a further one goes elsewhere where it can, and is not refused."""
    timeouts: Timeouts = Timeouts()
    health: HealthPolicy = HealthPolicy()
    tls: TLS | None = None
    mesh: MeshSource | None = None
    """It is no one place but the agents of a mesh; `base_url` is their registry, empty if that is the gateway's."""
    visible_to: tuple[str, ...] | None = ()
    """Namespaces, beside its own, whose callers may address it as `provider/model`; None means all."""


class Strategy(StrEnum):
    """How one of several backends of the same priority is chosen."""

    WEIGHTED = "Weighted"
    ROUND_ROBIN = "RoundRobin"
    LEAST_BUSY = "LeastBusy"
    LOWEST_LATENCY = "LowestLatency"
    LOWEST_COST = "LowestCost"


class Backend(ConfigModel):
    """A model at a provider; both exist in the same configuration."""

    provider: str
    model: str
    weight: int = 1
    priority: int = 0


class HeaderMatch(ConfigModel):
    """A header the request must carry; `name` is lower case."""

    name: str
    value: str
    prefix: bool = False


class Match(ConfigModel):
    """All that is given must hold. `callers` are `namespace` or `namespace/serviceaccount`."""

    min_input_tokens: int | None = None
    headers: tuple[HeaderMatch, ...] = ()
    requires: frozenset[Capability] = frozenset()
    callers: tuple[str, ...] = ()
    stream: bool | None = None


class Rule(ConfigModel):
    """Who answers the requests that match any of `matches`; none at all means always."""

    name: str
    matches: tuple[Match, ...] = ()
    backends: tuple[Backend, ...]
    strategy: Strategy = Strategy.WEIGHTED


class RetryOn(StrEnum):
    """Kinds of upstream failure after which the next attempt may be made, spelled as users write them."""

    CONNECT_FAILURE = "ConnectFailure"
    TIMEOUT = "Timeout"
    RATE_LIMITED = "RateLimited"
    QUOTA_EXCEEDED = "QuotaExceeded"
    SERVER_ERROR = "ServerError"
    AUTHENTICATION = "Authentication"
    NOT_FOUND = "NotFound"
    CONTEXT_LENGTH_EXCEEDED = "ContextLengthExceeded"
    CONTENT_FILTERED = "ContentFiltered"
    INVALID_RESPONSE = "InvalidResponse"


class RetryPolicy(ConfigModel):
    """Bounds on a request's attempts; seconds, exponential with full jitter."""

    attempts: int = 3
    base_seconds: float = 0.1
    max_seconds: float = 2.0
    retry_on: frozenset[RetryOn] = frozenset(RetryOn) - {RetryOn.CONTENT_FILTERED}
    budget_percent: int = 20


class PromptPosition(StrEnum):
    """Where a persona's system prompt goes, seen from the client's own, spelled as users write it."""

    BEFORE = "Before"
    AFTER = "After"
    REPLACE = "Replace"


class PromptPiece(ConfigModel):
    """Words of a prompt, or the default of a variable, for which a conversation may have a value of its own."""

    text: str
    variable: str | None = None


class Prompt(ConfigModel):
    """What a persona adds to a request."""

    system: str | None = None
    template: tuple[tuple[PromptPiece, ...], ...] = ()
    """What `system` is made from, where variables are among it: parts with an empty line between them. One that comes
    out empty is left out."""
    position: PromptPosition = PromptPosition.BEFORE
    defaults: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    tools: tuple[dict[str, Any], ...] = ()
    """Function tools in OpenAI's form, declared beside the client's own."""
    executes: dict[str, str] = {}
    """Those of `tools` that the gateway runs itself: function names to keys of `Config.tools`."""
    max_iterations: int = 10
    """How often in a row the model may call those."""
    tools_timeout_seconds: float = 120.0
    """How long after a request has come those may be run."""
    revision: str = ""
    """The hash of all else: what tells answers from before an edit from those after it."""


class TargetKind(StrEnum):
    """The kinds whose names clients send as `model`."""

    ROUTE = "LLMRoute"
    PERSONA = "Persona"


class OnInterruption(StrEnum):
    """What happens when a stream breaks after text was sent, spelled as users write it."""

    FAIL = "Fail"
    RESUME = "Resume"


class SessionPolicy(ConfigModel):
    """How conversations are kept that say nothing else themselves."""

    ttl_seconds: float = 3600.0
    """How long after its last use a conversation is forgotten."""
    max_messages: int = 100
    """How many of the messages that are kept are sent along at most, the last ones."""


class Target(ConfigModel):
    """What a name leads to: an LLMRoute, or a Persona, which is a route with a prompt."""

    kind: TargetKind
    namespace: str
    name: str
    rules: tuple[Rule, ...]
    requires: frozenset[Capability] = frozenset()
    retry: RetryPolicy = RetryPolicy()
    request_timeout_seconds: float | None = None
    on_interruption: OnInterruption = OnInterruption.FAIL
    prompt: Prompt | None = None
    session: SessionPolicy | None = None
    visible_to: tuple[str, ...] | None = None
    """Namespaces, beside its own, whose callers may use it; None means all."""
    description: str = ""
    """What it is for, for people."""
    aliases: tuple[str, ...] = ()
    """Other names that a persona has, as its author spells them; those that it lost to others are not among them."""


class HttpTool(ConfigModel):
    """Where a tool is called, with the arguments as JSON."""

    url: str
    """`http(s)://HOST…`, with its path and query."""
    method: str = "POST"
    headers: dict[str, str] = {}
    timeout_seconds: float = 30.0
    """For a whole call, connecting and the last byte of the answer included."""
    credential: CredentialRef | None = None
    """A bearer token."""


class Tool(ConfigModel):
    """A function that models may call."""

    namespace: str
    name: str
    """Of the object."""
    function: str
    """By which models call it."""
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments, which are an object."""
    http: HttpTool | None = None
    """Who runs it; None: whoever asked the model."""
    visible_to: tuple[str, ...] | None = ()
    """Namespaces, beside its own, whose callers may use it; None means all."""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def declaration(self) -> dict[str, Any]:
        """The function in OpenAI's form, as requests declare it."""
        function = {"name": self.function, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


class Names(ConfigModel):
    """Which targets a name leads to, in the order in which to ask: exact names, then prefixes, longest first.

    The namespaces of the candidates differ; a caller gets its own namespace's first, then the first visible one.
    """

    exact: dict[str, tuple[str, ...]] = {}
    prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    personas: dict[str, tuple[str, ...]] = {}
    """By name or alias, with `-` for `_`."""
    providers: dict[str, tuple[str, ...]] = {}
    tools: dict[str, tuple[str, ...]] = {}
    """By function name, with `-` for `_`."""
    routes_by_age: tuple[tuple[str, str], ...] = ()
    """A name of each route and its target, the oldest route first: who stands for the default where no route is called
    so."""


class Config(ConfigModel):
    """One whole configuration. `revision` is the hash of all else, so equal content has an equal revision."""

    schema_version: str = SCHEMA_VERSION
    revision: str = ""
    providers: dict[str, Provider] = {}
    targets: dict[str, Target] = {}
    tools: dict[str, Tool] = {}
    names: Names = Names()


class Credentials(ConfigModel):
    """Secret values by the names that `CredentialRef` uses, for one revision."""

    revision: str
    values: dict[str, str]

    def __repr__(self) -> str:
        """Names only: a secret never reaches a log through repr."""
        return f"Credentials(revision={self.revision!r}, names={sorted(self.values)!r})"

    __str__ = __repr__
