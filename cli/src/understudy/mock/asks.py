"""What a request asks for, whatever wire format it came in.

A dialect reads its own format into these types; everything that decides an answer sees nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Operation(StrEnum):
    """What a path of a dialect stands for.

    COUNT is a chat of which only the size is asked for; ABOUT is what else a server tells of itself.
    """

    CHAT = "chat"
    COUNT = "count"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
    MODEL = "model"
    ABOUT = "about"


@dataclass(frozen=True, slots=True)
class Call:
    """A method, a path and the headers that matter, understood.

    Attributes:
        operation: What is asked for.
        model: The model, where the path names one.
        variant: What else the dialect has to know to read the body and to encode the answer, in words of its own:
            an API version, whether a stream is an array.
    """

    operation: Operation
    model: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the caller offers, with the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Any]


class MediaKind(StrEnum):
    """What a part of a message can be, besides text."""

    IMAGE = "image"
    DOCUMENT = "document"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Media:
    """Something in a message that is no text; `type` is its media type, or how else it came, such as `by URL`."""

    kind: MediaKind
    type: str = ""


@dataclass(frozen=True, slots=True)
class Chat:
    """A request for a chat answer.

    Attributes:
        model: The model name as the caller wrote it.
        said: The last thing the user said, as text.
        tool_result: What a tool returned, if that is what the conversation ends with.
        rounds: How often tools have returned something since the user said that.
        media: What the messages hold besides text, in order.
        prompt_tokens: The size of the whole input.
        stream: Whether the answer is to come in chunks.
        stream_usage: Whether those chunks are to tell the usage.
        choices: How many answers are wanted.
        max_tokens: The longest answer allowed; None for no bound.
        stop: Texts before which the answer ends.
        tools: The tools that the answer may call.
        calls: The tools that the answer has to call; empty if it may be text.
        parallel: Whether it may call several at once.
        schema: The JSON schema the text has to meet; `{}` for any object, None for plain text.
        variant: As in the `Call` that brought it.
    """

    model: str
    said: str = ""
    tool_result: str | None = None
    rounds: int = 0
    media: tuple[Media, ...] = ()
    prompt_tokens: int = 0
    stream: bool = False
    stream_usage: bool = False
    choices: int = 1
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    calls: tuple[Tool, ...] = ()
    parallel: bool = True
    schema: Mapping[str, Any] | None = None
    variant: str = ""


class Spoke(StrEnum):
    """Who is heard in a turn."""

    USER = "user"
    TOOLS = "tools"
    OTHER = "other"


def rounds_in(turns: Iterable[Spoke]) -> int:
    """Return how often tools were heard since the user was; those in a row are heard once."""
    rounds, before = 0, Spoke.OTHER
    for spoke in turns:
        if spoke is Spoke.USER:
            rounds = 0
        elif spoke is Spoke.TOOLS and before is not Spoke.TOOLS:
            rounds += 1
        before = spoke
    return rounds


@dataclass(frozen=True, slots=True)
class Embeddings:
    """A request for one vector an input; `base64` asks for little-endian float32 instead of numbers."""

    model: str
    inputs: tuple[str, ...]
    dimensions: int
    base64: bool
    prompt_tokens: int
    variant: str = ""
