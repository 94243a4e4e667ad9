"""What calls of tools tell: a count, a duration and a line for each. No argument and no result is in any of them."""

import logging

from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book

_log = logging.getLogger(__name__)


class ToolCalls:
    """Counts calls and writes their lines."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def called(self, tool: RuntimeTool, outcome: str, *, seconds: float, error: str | None, request_id: str) -> None:
        """A call has ended."""
        self._book.tally(families.TOOL_CALLS, tool.key, outcome).value += 1
        self._book.distribution(families.TOOL_SECONDS, tool.key).observe(seconds)
        line: dict[str, object] = {
            "tool": tool.key,
            "outcome": outcome,
            "ms": round(seconds * 1000, 2),
            "request_id": request_id or None,
        }
        _log.info("tool call", extra={**line, "error": error} if error else line)
