"""Logs: one JSON object a line, with nothing in it that an object or a Secret holds.

Messages of exceptions that are not ours may quote what they choked on (pydantic and the Kubernetes client do), so of
those only the type and the place are logged.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from understudy_api.config.shards import ShardError
from understudy_operator.cluster import ClusterError
from understudy_operator.settings import SettingsError

MAX_TEXT = 2048
"""Characters of a message or a field."""
_OWN_ERRORS = (ClusterError, ShardError, SettingsError)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FOREIGN = ("kopf", "asyncio", "aiohttp", "kubernetes")
"""Other people's loggers say warnings at most, whatever the level: some print whole objects when they may."""
_KOPF_IN_THREAD = "OS signals are ignored"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and what `extra` added."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_TEXT],
        }
        line |= {key: _plain(value) for key, value in _extra(record).items()}
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def describe(error: BaseException) -> dict[str, Any]:
    """What may be logged of an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, Any] = {
        "error": type(error).__name__,
        "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }
    if isinstance(error, _OWN_ERRORS):
        described["error"] += f": {error}"[:MAX_TEXT]
    return described


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (standard error by default)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(lambda record: _KOPF_IN_THREAD not in record.getMessage())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    # kopf attaches the object and its own settings to each record.
    return {
        key: value
        for key, value in vars(record).items()
        if key not in _STANDARD and not key.startswith("k8s_") and key != "settings"
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)[:MAX_TEXT]
