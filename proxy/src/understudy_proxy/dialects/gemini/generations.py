"""What the generations of Gemini models take.

Told by the name. A name that says no generation, such as that of a tuned model or an alias, is taken for a new one:
old models go away.
"""

import re
from typing import NamedTuple

_NAME = re.compile(r"gemini-(\d{1,3})(?:\.(\d{1,3}))?(?!\d)")


class Generation(NamedTuple):
    """A generation, in order."""

    major: int
    minor: int

    @property
    def takes_json_schema(self) -> bool:
        """Schemas may be real JSON Schema; older ones take a part of OpenAPI's."""
        return self >= _2_5

    @property
    def thinks_by_budget(self) -> bool:
        """How much it thinks is said in tokens."""
        return _2_5 <= self < _3

    @property
    def thinks_by_level(self) -> bool:
        """How much it thinks is said by a level, and it cannot be kept from it."""
        return self >= _3

    @property
    def wants_signatures(self) -> bool:
        """A function call without the signature it came with is refused."""
        return self >= _3


_2_5 = Generation(2, 5)
_3 = Generation(3, 0)
_NEWEST = Generation(999, 0)


def generation_of(model: str) -> Generation:
    """The generation of a model, as its provider names it."""
    found = _NAME.search(model)
    return Generation(int(found[1]), int(found[2] or 0)) if found else _NEWEST
