"""Persona: the role an app casts, not the model."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from understudy_api.v1alpha1 import patterns
from understudy_api.v1alpha1.meta import (
    ConfigMapKeySelector,
    LabelSelector,
    ModelName,
    Name,
    ObjectReference,
    PositiveDuration,
    Resource,
)
from understudy_api.v1alpha1.model import ApiModel, Invariant, Unique, UniqueBy
from understudy_api.v1alpha1.policy import Access, Budget, Cache, Limit
from understudy_api.v1alpha1.provider import Capability

PersonaName = Annotated[str, Field(min_length=1, max_length=253, pattern=patterns.PERSONA_NAME)]
"""In persona names `-` and `_` are the same."""
VariableName = Annotated[str, Field(min_length=1, max_length=63, pattern=patterns.VARIABLE_NAME)]


class Variable(ApiModel):
    """A value for the placeholder of that name, in double braces, in the prompt."""

    name: VariableName
    """The placeholder's name."""
    default: Annotated[str, Field(max_length=8192)] | None = None
    """Its value, unless a persona that includes this one, or the context of a session, says another. Without any value
    the prompt is refused."""


class PromptPosition(StrEnum):
    """Where a prompt goes, seen from the client's own."""

    BEFORE = "Before"
    AFTER = "After"
    REPLACE = "Replace"


class SystemPrompt(ApiModel):
    """What the model is told before the conversation: included personas' prompts first, then its own."""

    invariants: ClassVar = (
        Invariant(
            cel="!(has(self.text) && has(self.configMapKeyRef))",
            message="text and configMapKeyRef exclude each other",
            holds=lambda part: part.text is None or part.config_map_key_ref is None,
        ),
    )

    text: Annotated[str, Field(max_length=262_144)] | None = None
    """The prompt itself; either this or configMapKeyRef."""
    config_map_key_ref: ConfigMapKeySelector | None = None
    """The prompt in a ConfigMap; either this or text."""
    include: Annotated[tuple[Name, ...], Field(max_length=16), Unique()] = ()
    """Personas of the same namespace whose prompts go before."""
    variables: Annotated[tuple[Variable, ...], Field(max_length=64), UniqueBy("name")] = ()
    """The placeholders of the prompt."""
    position: PromptPosition = PromptPosition.BEFORE
    """Before or After the system prompt that the client sends, or in its place; of included ones it does not count."""


class Preference(ApiModel):
    """A provider by name, or any provider whose labels match; with a model, or any that meets the constraints."""

    invariants: ClassVar = (
        Invariant(
            cel="has(self.providerRef) != has(self.selector)",
            message="a preference takes exactly one of providerRef, selector",
            holds=lambda part: (part.provider_ref is None) != (part.selector is None),
        ),
    )

    provider_ref: ObjectReference | None = None
    """A provider by name; either this or selector."""
    selector: LabelSelector | None = None
    """Providers of the namespace by label; either this or providerRef."""
    model: ModelName | None = None
    """A model of the provider. Default: any that meets requires and constraints."""


class CostTier(StrEnum):
    """Price classes by dollars per million output tokens."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class Constraints(ApiModel):
    """What a model must offer to be cast at all."""

    min_context_window: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """In tokens."""
    max_cost_tier: CostTier | None = None
    """Models of a higher price class are passed over."""


class Parameters(ApiModel):
    """Request fields filled in when absent (`defaults`) or whatever the client says (`overrides`)."""

    defaults: Annotated[dict[str, Any], Field(max_length=32)] = {}
    """Used where the request says nothing."""
    overrides: Annotated[dict[str, Any], Field(max_length=32)] = {}
    """Used whatever the request says."""


class ToolMode(StrEnum):
    """Who runs the tools."""

    DECLARE = "Declare"
    EXECUTE = "Execute"


class PersonaTools(ApiModel):
    """Functions the model may call."""

    refs: Annotated[tuple[ObjectReference, ...], Field(max_length=64)] = ()
    """LLMTools, of other namespaces where their allowedNamespaces permit."""
    mode: ToolMode = ToolMode.DECLARE
    """Declare leaves calls to the client; with Execute the gateway makes them and goes on."""
    max_iterations: Annotated[int, Field(ge=1, le=100)] = 10
    """How often in a row the model may call tools that the gateway runs; then it has to answer with what it has."""
    timeout: PositiveDuration = "2m"
    """How long after a request has come tools may be run. What is under way then is given up, and the model answers."""


class PersonaSession(ApiModel):
    """How conversations are kept."""

    ttl: PositiveDuration = "1h"
    """How long after its last use a conversation is forgotten."""
    max_messages: Annotated[int, Field(ge=1, le=100_000)] = 100
    """How many of its last messages are sent along."""


class PersonaSpec(ApiModel):
    """The role an app casts."""

    invariants: ClassVar = (
        Invariant(
            cel="has(self.routeRef) != (has(self.preferences) && size(self.preferences) > 0)",
            message="a persona takes exactly one of preferences, routeRef",
            holds=lambda part: (part.route_ref is not None) != bool(part.preferences),
        ),
    )

    description: Annotated[str, Field(max_length=4096)] = ""
    """What the role is for, for people."""
    aliases: Annotated[tuple[PersonaName, ...], Field(max_length=32), Unique()] = ()
    """Other names for the persona."""
    system: SystemPrompt | None = None
    requires: Annotated[tuple[Capability, ...], Field(max_length=16), Unique()] = ()
    """What a model must be able to do to be cast."""
    preferences: Annotated[tuple[Preference, ...], Field(max_length=16)] = ()
    """Who plays the role, in order; either this or routeRef."""
    route_ref: ObjectReference | None = None
    """The LLMRoute that decides who plays the role; either this or preferences."""
    constraints: Constraints | None = None
    parameters: Parameters | None = None
    tools: PersonaTools | None = None
    session: PersonaSession | None = None
    limits: Annotated[tuple[Limit, ...], Field(max_length=16)] = ()
    """All of them hold."""
    budgets: Annotated[tuple[Budget, ...], Field(max_length=16)] = ()
    """All of them hold."""
    cache: Cache | None = None
    access: Access | None = None


class Persona(Resource):
    """The role an app casts, not the model."""

    kind: Literal["Persona"] = "Persona"
    spec: PersonaSpec
