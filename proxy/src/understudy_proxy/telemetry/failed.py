"""A line for each attempt that failed, so that a reason can be followed to what the provider said.

The access line tells of a request; its attempts are found by the request id. An outage must not drown the log: of
failures that are alike, a few a second are told, and the next line says how many were left out.
"""

import logging
from dataclasses import dataclass

from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.plan import Choice
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book

_log = logging.getLogger(__name__)
PER_SECOND = 5
"""Lines about one kind of failure of one model at one provider."""
_CALLERS = frozenset(
    {
        FailureKind.BAD_REQUEST,
        FailureKind.CONFLICT,
        FailureKind.CONTEXT_LENGTH_EXCEEDED,
        FailureKind.CONTENT_FILTERED,
    }
)
"""The request is at fault: the caller's trouble alone, who is told the provider's words; they may quote the request."""


@dataclass(slots=True)
class _Pace:
    """What was written in the second that began at `since`."""

    since: float
    lines: int = 0
    suppressed: int = 0


class FailureLog:
    """Writes through `logging`."""

    def __init__(self, book: Book) -> None:
        """Count in `book` what is left out."""
        self._book = book
        self._paces: dict[tuple[str, FailureKind], _Pace] = {}

    def write(self, choice: Choice, failure: UpstreamFailure, *, request_id: str, now: float) -> None:
        """An attempt of the request `request_id` failed; `now` is monotonic seconds."""
        level = logging.INFO if failure.kind in _CALLERS else logging.WARNING
        if not _log.isEnabledFor(level):
            return
        pace = self._paces.setdefault((choice.candidate.key, failure.kind), _Pace(now))
        if now - pace.since >= 1:
            pace.since, pace.lines = now, 0
        if pace.lines == PER_SECOND:
            pace.suppressed += 1
            self._book.tally(families.LOG_SUPPRESSED).value += 1
            return
        pace.lines += 1
        line = _line(choice, failure, request_id)
        if pace.suppressed:
            line["suppressed"], pace.suppressed = pace.suppressed, 0
        _log.log(level, "attempt failed", extra=line)

    def forget(self) -> None:
        """Begin anew: what there is to fail has changed."""
        self._paces.clear()


def _line(choice: Choice, failure: UpstreamFailure, request_id: str) -> dict[str, object]:
    line: dict[str, object] = {
        "request_id": request_id,
        "provider": choice.candidate.upstream.key,
        "model": choice.candidate.model,
        "reason": failure.kind.value,
        "status": failure.status,
    }
    if choice.endpoint.address is not None:
        line["address"] = choice.endpoint.address
    if failure.kind not in _CALLERS:
        line["said"] = failure.message
    told = {"type": failure.type, "code": failure.code, "retry_after_seconds": failure.retry_after_seconds}
    return line | {name: value for name, value in told.items() if value is not None}
