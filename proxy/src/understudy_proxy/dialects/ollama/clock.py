"""What time it is, and how long something took, as Ollama's answers tell it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Nanoseconds: of a clock that only goes on, and since the epoch."""

    elapsed: Callable[[], int] = time.monotonic_ns
    now: Callable[[], int] = time.time_ns

    def stamp(self) -> str:
        """The time now, as `created_at` has it."""
        seconds, rest = divmod(self.now(), 1_000_000_000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


SYSTEM = Clock()
