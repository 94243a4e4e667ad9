"""A request for an answer of a model, free of any wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from understudy_proxy.dialects.canonical.content import CacheMark, Message, Text


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    """JSON Schema of its arguments; None: it takes none."""
    strict: bool | None = None
    cache: CacheMark | None = None


class ToolMode(StrEnum):
    """Whether tools must be called."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`names` restricts which tools may be called: REQUIRED with one name is a call of exactly that tool."""

    mode: ToolMode
    names: tuple[str, ...] = ()
    firm: bool = True
    """False: whoever asks can do with an answer that chooses otherwise, where a vendor has no word for this choice."""


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """The answer is to be JSON: any object, or one that meets `schema`."""

    schema: Mapping[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class Effort(StrEnum):
    """How hard to think, in OpenAI's words, which every vendor's map onto."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the client said about thinking: an effort, a budget in tokens, or that the model decides (neither)."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    """0: no thinking."""
    visible: bool | None = None
    """Whether the client wants to read it; None: it did not say."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; None is the provider's own way."""

    temperature: float | None = None
    """0 to 2, as OpenAI and Gemini have it; Anthropic's ends at 1."""
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool = False
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation, and what is wanted of the answer."""

    model: str
    messages: tuple[Message, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    choices: int = 1
    """How many answers are wanted: OpenAI's `n`."""
    format: JsonFormat | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    """Whom the client answers for, in its own words."""
    service_tier: str | None = None
    stream: bool = False
    kept: int = 0
    """How many of the messages, the first ones, are remembered: the oldest of these may be left out where they do not
    fit."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What stands in for the variables of a persona's prompt, in the place of their defaults."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the client's dialect that have no place here, by the name they had. They are not sent to a provider of
    another dialect, and the client is told so."""
