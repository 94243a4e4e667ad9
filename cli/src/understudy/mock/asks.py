"""What a request asks for, whatever wire format it came in.

A dialect reads its own format into these types; everything that decides an answer sees nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Operation(StrEnum):
    """What a path of a dialect stands for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Call:
    """A method and a path, understood. `model` is set where the path names one."""

    operation: Operation
    model: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the caller offers, with the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chat:
    """A request for a chat answer.

    Attributes:
        model: The model name as the caller wrote it.
        said: The last thing the user said, as text.
        tool_result: What a tool returned, if that is what the conversation ends with.
        prompt_tokens: The size of the whole input.
        stream: Whether the answer is to come in chunks.
        stream_usage: Whether those chunks are to tell the usage.
        choices: How many answers are wanted.
        max_tokens: The longest answer allowed; None for no bound.
        calls: The tools that the answer has to call; empty if it may be text.
        schema: The JSON schema the text has to meet; `{}` for any object, None for plain text.
    """

    model: str
    said: str = ""
    tool_result: str | None = None
    prompt_tokens: int = 0
    stream: bool = False
    stream_usage: bool = False
    choices: int = 1
    max_tokens: int | None = None
    calls: tuple[Tool, ...] = ()
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """A request for one vector an input; `base64` asks for little-endian float32 instead of numbers."""

    model: str
    inputs: tuple[str, ...]
    dimensions: int
    base64: bool
    prompt_tokens: int
