"""How long to wait before trying again: longer each time, never in step with others."""

import random
from collections.abc import Callable


class Backoff:
    """Waits that double from `base_seconds` to `max_seconds`, each drawn from the upper half of its length."""

    def __init__(self, *, base_seconds: float, max_seconds: float, draw: Callable[[], float] = random.random) -> None:
        self._base = base_seconds
        self._max = max_seconds
        self._draw = draw
        self._failures = 0

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = 0

    def failed(self) -> float:
        """The seconds to wait after one more failure."""
        ceiling = min(self._max, self._base * 2.0**self._failures)
        if ceiling < self._max:
            self._failures += 1
        return ceiling * (0.5 + self._draw() / 2)
