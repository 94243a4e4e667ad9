"""What a Claude model takes, told by its name, wherever it is served.

Names are the vendor's (`claude-sonnet-4-5-20250929`), those of clouds (`us.anthropic.claude-opus-4-6-v1`), and what
people make of them. A Claude without a number is taken for a recent one. A model that is no Claude, behind a server
that speaks Anthropic's dialect, is taken for the oldest: those servers know the oldest words best.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_NAME = re.compile(r"claude-(?:(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d))?")
_NEWEST = (99, 0)
_OLDEST = (0, 0)


@dataclass(frozen=True, slots=True)
class Claude:
    """What may be asked of a model."""

    adaptive_thinking: bool
    """It decides itself how much to think, by a word for the effort; before, by a budget in tokens."""
    json_schema: bool
    """Answers to a JSON Schema, and strict tools; before, a tool that must be called does for the schema."""
    sampling: bool
    """It takes temperature, `top_p` and `top_k`."""
    temperature_with_top_p: bool
    """It takes both at once."""


@lru_cache(maxsize=1024)
def claude(model: str) -> Claude:
    """What the model takes that a provider calls `model`."""
    version = _version(model)
    return Claude(
        adaptive_thinking=version >= (4, 6),
        json_schema=version >= (4, 5),
        sampling=version < (4, 7),
        temperature_with_top_p=version < (4, 1),
    )


def _version(model: str) -> tuple[int, int]:
    found = _NAME.search(model.lower())
    if found is None:
        return _OLDEST
    return (int(found[1]), int(found[2] or 0)) if found[1] else _NEWEST
