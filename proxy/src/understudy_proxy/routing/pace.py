"""How fast endpoints answer, lately: a moving average for each model at each endpoint.

Streams and whole answers are kept apart: one is measured to the first token, the other to the last.
"""

from collections.abc import Container
from dataclasses import dataclass

MAX_PACES = 32_768
_WEIGHT = 0.3
"""Of the newest answer in the average: about the last six count."""
_STALE_SECONDS = 30.0
"""After that the average may no longer be true, and the endpoint is worth a fresh look."""


@dataclass(slots=True)
class _Average:
    seconds: float
    at: float


class Pace:
    """Seconds to a first token or to a whole answer."""

    def __init__(self) -> None:
        self._averages: dict[tuple[str, str, bool], _Average] = {}

    def record(self, endpoint: str, model: str, *, stream: bool, seconds: float, now: float) -> None:
        """An answer took `seconds`."""
        key = (endpoint, model, stream)
        average = self._averages.get(key)
        if average is not None:
            average.seconds += _WEIGHT * (seconds - average.seconds)
            average.at = now
            return
        if len(self._averages) >= MAX_PACES:
            del self._averages[next(iter(self._averages))]
        self._averages[key] = _Average(seconds, now)

    def seconds(self, endpoint: str, model: str, *, stream: bool) -> float | None:
        """The average; None when nothing was ever measured."""
        average = self._averages.get((endpoint, model, stream))
        return None if average is None else average.seconds

    def is_stale(self, endpoint: str, model: str, *, stream: bool, now: float) -> bool:
        """Whether the average is old."""
        average = self._averages.get((endpoint, model, stream))
        return average is not None and now - average.at > _STALE_SECONDS

    def keep(self, endpoints: Container[str]) -> None:
        """Forget all others."""
        self._averages = {key: average for key, average in self._averages.items() if key[0] in endpoints}
