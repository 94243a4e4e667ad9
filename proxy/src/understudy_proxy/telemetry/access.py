"""The access line: one for each request, without prompts, answers or headers."""

from collections.abc import Callable
from datetime import UTC, datetime

from understudy_proxy.telemetry.logs import LogWriter, json_line
from understudy_proxy.telemetry.masking import Masker
from understudy_proxy.telemetry.record import RequestRecord


class AccessLog:
    """Writes a line when a request has ended."""

    def __init__(self, writer: LogWriter, masker: Masker, *, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since the epoch."""
        self._writer = writer
        self._masker = masker
        self._clock = clock

    def write(self, record: RequestRecord) -> None:
        """Queue the line of `record`. Only the request id can hold what a client chose."""
        candidate, usage, first = record.candidate, record.usage, record.first_token
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(self._clock(), UTC),
            "level": "info",
            "logger": "access",
            "message": "request",
            "request_id": self._masker.mask_word(record.request_id),
            "route": record.target.label if record.target else None,
            "provider": candidate.upstream.key if candidate else None,
            "model": candidate.model if candidate else None,
            "status": record.status,
            "stream": record.stream,
            "attempts": record.attempts,
            "ms": _milliseconds(record.finished - record.started),
            "first_token_ms": _milliseconds(first - record.started) if first is not None else None,
            "input_tokens": usage.input if usage else None,
            "output_tokens": usage.output if usage else None,
            "revision": record.revision,
        }
        if record.failovers:
            line["failovers"] = record.failovers
        if record.reason:
            line["reason"] = record.reason
        if record.namespace:
            line["namespace"] = record.namespace
        if record.client_left:
            line["client_left"] = True
        self._writer.put(json_line(line))


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
