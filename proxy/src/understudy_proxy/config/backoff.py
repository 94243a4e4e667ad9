"""How long to wait before trying again: longer each time, never in step with the rest of the fleet."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential, with equal jitter: half of each delay is fixed, half is drawn."""

    first_seconds: float
    most_seconds: float
    draw: Callable[[], float]
    """Uniform in [0, 1)."""
    _failures: int = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        # The exponent is bounded because 2.0 ** 1024 overflows, and a fleet may be cut off for days.
        full = min(self.most_seconds, self.first_seconds * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return full / 2 + full / 2 * self.draw()

    def reset(self) -> None:
        """It worked: begin anew."""
        self._failures = 0
