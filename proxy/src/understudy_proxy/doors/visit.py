"""What every request for a model's answer goes through, whatever door it came by: admission, and the record of it."""

import asyncio
import time
from types import TracebackType
from typing import Self

from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.exchange.admission import RETRY_AFTER_SECONDS, Admission
from understudy_proxy.exchange.course import Course
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.telemetry.record import RequestRecord

_CLIENT_LEFT = 499
"""nginx's status for it; no client ever sees it."""
_SHUTTING_DOWN = 503


class Visit:
    """One request from its admission to its record, as a context manager; whoever uses it fills in the record."""

    __slots__ = ("_admission", "_handed_on", "_metrics", "_request", "course", "record")

    def __init__(self, request: Request, operation: str, *, admission: Admission, metrics: Metrics) -> None:
        self._request = request
        self._admission = admission
        self._metrics = metrics
        self._handed_on = False
        self.record = RequestRecord(request_id=request.id, started=request.received, operation=operation)
        self.course = Course()
        """Filled in by the exchange."""

    def __enter__(self) -> Self:
        """Let it in.

        Raises:
            Refused: as many are in as there may be.
        """
        if not self._admission.enter():
            self._metrics.refused("overloaded")
            raise _overloaded()
        self._metrics.request_began()
        return self

    def hand_on(self) -> None:
        """Leave without a record: other visits go on with the request, and each keeps its own."""
        self._handed_on = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Note how it ended, and let it out."""
        record, course = self.record, self.course
        if error is not None:
            self._note(error)
        self._admission.leave()
        if self._handed_on:
            self._metrics.request_handed_on()
            return
        record.candidate = course.candidate
        record.attempts = course.attempts
        record.failovers = course.failovers
        record.reason = record.reason or course.reason or ""
        record.first_token = course.first_token
        record.finished = time.monotonic()
        self._metrics.record_request(record)

    def _note(self, error: BaseException) -> None:
        record = self.record
        if isinstance(error, Refused):
            record.status, record.reason = error.status, error.reason
        elif isinstance(error, (asyncio.CancelledError, ConnectionError)):
            record.client_left = not self._request.cut_short
            record.status = _SHUTTING_DOWN if self._request.cut_short else _CLIENT_LEFT
        else:
            record.status = 500


def _overloaded() -> Refused:
    return Refused(
        503,
        "The gateway has as many requests under way as it takes; try again shortly.",
        type="server_error",
        code="overloaded",
        reason="overloaded",
        headers=(("retry-after", f"{RETRY_AFTER_SECONDS:.0f}"),),
    )
