"""Metrics: one call at the end of an attempt, one at the end of a request."""

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.telemetry.record import RequestRecord


class Metrics:
    """What the request path tells, and what `/metrics` shows of it."""

    def request_began(self) -> None:
        """A request was admitted; `record_request` ends it."""

    def record_attempt(self, candidate: Candidate, outcome: str, seconds: float) -> None:
        """An attempt ended; `outcome` is `success` or a failure kind, a word of a closed set."""

    def record_request(self, record: RequestRecord) -> None:
        """A request ended, however it did."""

    def refused(self, reason: str) -> None:
        """A request was not admitted: overloaded, too large, draining."""
