"""References that lead nowhere, and what may have been meant."""

import os.path
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest

from understudy_api.v1alpha1.reading import nearest
from understudy_operator.compile.verdict import Reason

_COMPARED = 8
"""Names that are compared in earnest, which takes 30 us each; a provider may have 256 models."""
_MAX_LENGTH = 64
"""Of a name worth a hint: comparing takes the square of the length."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that leads nowhere, or to something that cannot be used.

    Attributes:
        wanted: The name that is not there, if another may have been meant.
        known: The names that are there, as far as the author may know of them.
    """

    reason: Reason
    message: str
    wanted: str = ""
    known: tuple[str, ...] = ()

    def hint(self) -> str:
        """`; did you mean gpt-4o?`, or nothing when nothing is near."""
        word = _nearest(self.wanted, self.known)
        return f"; did you mean {word}?" if word else ""


@lru_cache(maxsize=1024)  # one renamed model is missing from many routes
def _nearest(wanted: str, known: tuple[str, ...]) -> str | None:
    if len(wanted) > _MAX_LENGTH:
        return None
    alike = [name for name in known if abs(len(name) - len(wanted)) <= len(wanted) // 2]
    return nearest(wanted, nlargest(_COMPARED, alike, key=lambda name: _alikeness(wanted, name)))


def _alikeness(wanted: str, name: str) -> tuple[int, int]:
    """Cheap, and good enough to choose whom to compare: the same beginning, then the same letters."""
    beginning = os.path.commonprefix((wanted, name))  # noqa: RUF071 - meant character by character
    return len(beginning), len(set(wanted) & set(name))
