"""What a request looks things up in: one configuration, made ready once.

Everything that loading can compute is here: complete headers, parsed URLs, TLS contexts, tiers in the order in which
they are asked. A request takes the current `Runtime` when it begins and keeps it to its end. `build.py` makes one;
nothing here decides anything.

The classes compare by identity: there is one object for each thing of a configuration.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDictProxy
from yarl import URL

from understudy_api.config import (
    Capability,
    Config,
    Dialect,
    HealthPolicy,
    Match,
    MeshSource,
    OnInterruption,
    Pricing,
    Prompt,
    RetryPolicy,
    SessionPolicy,
    Strategy,
    TargetKind,
    Timeouts,
)
from understudy_proxy.exchange.credentials.protocol import CloudCredentials
from understudy_proxy.routing.names import NameIndex


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """A provider, ready to be called."""

    key: str
    """`namespace/name`."""
    namespace: str
    name: str
    type: str
    system: str
    """`gen_ai.provider.name` of the OpenTelemetry conventions."""
    dialect: Dialect
    base_url: URL
    headers: CIMultiDictProxy[str] = field(repr=False)
    """All that each request carries, authorization included unless `cloud` makes it; never shown."""
    cloud: CloudCredentials | None = field(repr=False)
    """Makes the headers that sign each request in, where a key as it is does not do."""
    per_address: bool
    max_concurrency: int | None
    slots: int | None
    """How many requests each endpoint works on at once, where that is known."""
    timeouts: Timeouts
    health: HealthPolicy
    ssl: ssl.SSLContext | bool
    """A context of its own, or True for the system's trust."""
    server_name: str | None
    mesh: MeshSource | None
    """Which agents it is, where it is a mesh's; `base_url` is the registry then, and means nothing if that is the
    gateway's own."""
    visible_to: frozenset[str] | None
    """Namespaces, its own among them, whose callers may address it as `provider/model`; None means all."""
    candidates: Mapping[str, "Candidate"] = field(repr=False)
    """Its models by name."""
    direct: Mapping[str, "RuntimeTarget"] = field(repr=False)
    """A target with one backend for each model, for `provider/model` addressing."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A model at an upstream: a backend of a rule."""

    key: str
    """`namespace/name:model`."""
    upstream: Upstream
    model: str
    """The name that users know."""
    upstream_model: str
    """What the provider calls it."""
    capabilities: frozenset[Capability]
    context_window: int | None
    max_output_tokens: int | None
    pricing: Pricing | None
    weight: int
    priority: int


@dataclass(frozen=True, slots=True, eq=False)
class RuntimeRule:
    """Who answers the requests that match."""

    name: str
    matches: tuple[Match, ...]
    tiers: tuple[tuple[Candidate, ...], ...]
    """By priority, ascending; never an empty tier. No tier at all: every backend is out (`Runtime.out` says why)."""
    strategy: Strategy


@dataclass(frozen=True, slots=True, eq=False)
class RuntimeTarget:
    """What a name leads to."""

    key: str
    """`Kind/namespace/name`; `provider/namespace/name:model` for a model addressed directly."""
    kind: TargetKind | None
    """None: a provider's model addressed directly."""
    namespace: str
    name: str
    label: str
    """For headers, metrics and logs: `namespace/name`, `persona/namespace/name` or `provider/namespace/name`."""
    rules: tuple[RuntimeRule, ...]
    requires: frozenset[Capability]
    retry: RetryPolicy
    request_timeout_seconds: float | None
    on_interruption: OnInterruption
    prompt: Prompt | None
    session: SessionPolicy
    """How conversations are kept that say nothing else themselves."""
    visible_to: frozenset[str] | None
    """Namespaces, its own among them, whose callers may use it; None means all."""

    @property
    def executes(self) -> bool:
        """Whether the gateway runs tools of the persona that it is."""
        return self.prompt is not None and bool(self.prompt.executes)


@dataclass(frozen=True, slots=True, eq=False)
class ToolHandler:
    """Who runs a tool, ready to be called."""

    method: str
    url: URL
    headers: CIMultiDictProxy[str] = field(repr=False)
    """All that each call carries, authorization included; never shown."""
    timeout_seconds: float
    secret: str | None = field(repr=False)
    """The token in `headers`, which an answer may quote."""


@dataclass(frozen=True, slots=True, eq=False)
class RuntimeTool:
    """A function that models may call."""

    key: str
    """`namespace/name` of the object."""
    namespace: str
    function: str
    """By which models call it."""
    declaration: Mapping[str, Any]
    """The function in OpenAI's form."""
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments."""
    handler: ToolHandler | None
    out: str
    """Why the gateway cannot run it, where there is no handler; for people."""
    visible_to: frozenset[str] | None
    """Namespaces, its own among them, whose callers may use it; None means all."""


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """One configuration, immutable."""

    revision: str
    targets: Mapping[str, RuntimeTarget]
    tools: Mapping[str, RuntimeTool]
    """By key; by function name they are in `index`."""
    index: NameIndex = field(repr=False)
    """The names that lead to targets, providers and tools."""
    upstreams: Mapping[str, Upstream]
    out: Mapping[str, str]
    """Providers that cannot be used, by key, and why; their candidates are in no rule."""
    config: Config = field(repr=False)
    """What all this was made from, for people who ask; without credentials."""
    loaded_at: float
    """Seconds since the epoch."""
