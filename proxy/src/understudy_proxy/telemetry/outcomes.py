"""Whether most requests of the last minute failed: what `/health` answers by.

A ring of one cell a second: a minute of traffic costs 60 cells, however much it was.
"""

WINDOW_SECONDS = 60
MIN_SAMPLE = 10
"""Fewer requests in a minute prove nothing: one failed request is no outage."""


class Outcomes:
    """Requests of the last minute; times are monotonic seconds."""

    def __init__(self) -> None:
        self._seconds = [-1] * WINDOW_SECONDS
        self._served = [0] * WINDOW_SECONDS
        self._failed = [0] * WINDOW_SECONDS

    def record(self, *, failed: bool, now: float) -> None:
        """Count one request."""
        second = int(now)
        cell = second % WINDOW_SECONDS
        if self._seconds[cell] != second:
            self._seconds[cell] = second
            self._served[cell] = self._failed[cell] = 0
        self._served[cell] += 1
        self._failed[cell] += failed

    def counts(self, *, now: float) -> tuple[int, int]:
        """Requests of the last minute, and how many of them failed."""
        oldest = int(now) - WINDOW_SECONDS
        cells = [cell for cell, second in enumerate(self._seconds) if second > oldest]
        return sum(self._served[cell] for cell in cells), sum(self._failed[cell] for cell in cells)

    def degraded(self, *, now: float) -> bool:
        """Whether more than half of a fair sample failed."""
        served, failed = self.counts(now=now)
        return served >= MIN_SAMPLE and failed * 2 > served
