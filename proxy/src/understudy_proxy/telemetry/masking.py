"""Secrets never reach a log, even where an error message quotes them.

Two nets: the exact values of the credentials that are loaded, and what a key or an authorization header looks like.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Any

MASK = "***"
_MIN_LENGTH = 6
"""Shorter values are not looked for: they would mask parts of ordinary words, and no provider's key is so short."""
_GENERATIONS = 3
"""Requests keep the configuration they began with, so the keys before the current ones may still be in use."""
_LOOKS_SECRET = re.compile(
    r"(?i:\b(?:bearer|basic)\s+)[^\s\"',;]+"
    r"|(?<![A-Za-z0-9])(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|tgp|pplx)[-_][A-Za-z0-9_.\-]{4,}"
    r"|(?<![A-Za-z0-9])AIza[A-Za-z0-9_\-]{8,}"
    r"|(?<![A-Za-z0-9])eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){0,2}"
)


class Masker:
    """Knows what to hide."""

    def __init__(self) -> None:
        self._generations: deque[tuple[str, ...]] = deque(maxlen=_GENERATIONS)
        self._values: tuple[str, ...] = ()
        self._whole: frozenset[str] = frozenset()

    def remember(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, beside those of the configurations before."""
        self._generations.append(tuple({secret.strip() for secret in secrets if len(secret.strip()) >= _MIN_LENGTH}))
        # The longest first: a value that contains another one must not be cut in two.
        self._whole = frozenset(value for generation in self._generations for value in generation)
        self._values = tuple(sorted(self._whole, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """`text` without secrets."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        return _LOOKS_SECRET.sub(MASK, text)

    def mask_word(self, word: str) -> str:
        """The same for one word that is a secret as a whole or not at all; cheap enough for each request."""
        return MASK if word in self._whole else _LOOKS_SECRET.sub(MASK, word)

    def mask_all(self, value: Any) -> Any:
        """The same for every string within a JSON-like value."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask(str(key)): self.mask_all(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.mask_all(item) for item in value]
        return value if isinstance(value, (bool, int, float, type(None))) else self.mask(str(value))
