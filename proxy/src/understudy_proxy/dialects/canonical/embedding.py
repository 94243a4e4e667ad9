"""Vectors for texts, free of any wire format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from understudy_proxy.dialects.usage import Usage


@dataclass(frozen=True, slots=True)
class Embedding:
    """A request for a vector of each input."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    """Texts, or tokens of the model's own tokenizer, which only providers of OpenAI's dialect take."""
    dimensions: int | None = None
    user: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """As in `Chat`."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The answer: a vector for each input, in their order."""

    vectors: tuple[Sequence[float], ...]
    usage: Usage | None
    model: str | None = None
