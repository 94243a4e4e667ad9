"""What a message is made of.

The shape is that of the stricter vendors: turns of user and assistant, results of tools inside the user's turn. Media
travel as base64 text or as an URL, never as bytes: nothing here looks into them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who speaks. System prompts stand apart, see `Chat.system`."""

    USER = "user"
    ASSISTANT = "assistant"


class Issuer(StrEnum):
    """Who can read a signature: it means something to this family of models only."""

    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class Signature:
    """An opaque mark by which a vendor knows its own reasoning again."""

    value: str
    issuer: Issuer


@dataclass(frozen=True, slots=True)
class CacheMark:
    """What precedes may be cached: Anthropic's `cache_control`, Bedrock's `cachePoint`. `ttl` is `5m` or `1h`."""

    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: base64 `data` of a `media_type`, or an `url`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None
    """OpenAI's `auto`, `low`, `high`; others have no word for it."""
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound: base64 `data` of a `media_type` such as `audio/wav`."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file: base64 `data` of a `media_type`, plain `text`, or an `url`."""

    media_type: str
    data: str | None = None
    text: str | None = None
    url: str | None = None
    title: str | None = None
    """Its name, for people and models."""
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning that a model showed. With `redacted` there is no text, only what its vendor can read."""

    text: str = ""
    signature: Signature | None = None
    redacted: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model's own words for declining."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called. `arguments` is JSON text as the model wrote it, `{}` for none."""

    id: str
    name: str
    arguments: str
    signature: Signature | None = None
    """Gemini's `thoughtSignature`, without which Gemini 3 refuses the call when it is sent back."""
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a called function returned."""

    call_id: str
    content: "tuple[Text | Image | Document, ...]"
    name: str | None = None
    """Of the function, where the client says it or the call it answers is in the conversation."""
    is_error: bool = False
    cache: CacheMark | None = None


UserPart = Text | Image | Audio | Document | ToolResult
AssistantPart = Text | Thinking | Refusal | ToolCall
Part = Text | Image | Audio | Document | ToolResult | Thinking | Refusal | ToolCall


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. Neighbors differ in their role; of a user's parts the tool results come first."""

    role: Role
    parts: tuple[Part, ...]
