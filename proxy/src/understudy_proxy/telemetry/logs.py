"""Log lines: JSON on stderr, written by one thread from a bounded queue.

A request never waits for whoever reads the log. When the queue is full, lines are dropped and counted, and the count
shows in metrics. The thread wakes up for the first line of a batch and collects for a moment, so that a busy gateway
writes a few times a second and an idle one sleeps.
"""

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import orjson

from understudy_proxy.telemetry.masking import Masker

CAPACITY = 20_000
"""Lines; at some 400 bytes each 8 MB, and two seconds of access lines at full load."""
_BATCH_SECONDS = 0.05
_ATOMIC_BYTES = 4096
"""POSIX's PIPE_BUF on Linux: workers share one pipe, and what is larger may be torn apart by another's lines."""
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogWriter:
    """Takes lines, and writes them from a thread of its own between `with` and its end."""

    def __init__(self, write: Callable[[bytes], object], *, capacity: int = CAPACITY) -> None:
        """`write` may block and may raise OSError; then what it was given is lost, and counted."""
        self.dropped = 0
        self._write = write
        self._capacity = capacity
        self._lines: deque[bytes] = deque()
        self._waiting = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)

    def put(self, line: bytes) -> None:
        """Write `line`, which ends with a line feed, soon."""
        if len(self._lines) >= self._capacity:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._waiting.is_set():
            self._waiting.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        self._waiting.set()
        self._thread.join(timeout=2)  # a reader that does not read must not keep the process alive

    def _run(self) -> None:
        while not self._ending.is_set():
            self._waiting.wait()
            self._ending.wait(_BATCH_SECONDS)
            self._waiting.clear()
            self._flush()
        self._flush()

    def _flush(self) -> None:
        for batch, lines in self._batches():
            try:
                self._write(batch)
            except OSError:
                self.dropped += lines

    def _batches(self) -> Iterator[tuple[bytes, int]]:
        """Whole lines, as many as a pipe takes in one piece, and how many they are."""
        batch: list[bytes] = []
        size = 0
        while self._lines:
            line = self._lines.popleft()
            if batch and size + len(line) > _ATOMIC_BYTES:
                yield b"".join(batch), len(batch)
                batch, size = [], 0
            batch.append(line)
            size += len(line)
        if batch:
            yield b"".join(batch), len(batch)


class JsonHandler(logging.Handler):
    """Turns the records of `logging` into masked JSON lines."""

    def __init__(self, put: Callable[[bytes], object], masker: Masker) -> None:
        """Give each line to `put`, which must not fail."""
        super().__init__()
        self._put = put
        self._masker = masker
        self._traceback = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one line."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # a format string that does not fit its arguments
            message = str(record.msg)
        self._put(self._line(record, message))

    def _line(self, record: logging.LogRecord, message: str) -> bytes:
        said: dict[str, Any] = {"message": message}
        said.update((name, value) for name, value in vars(record).items() if name not in _PLAIN)
        if record.exc_info:
            said["exception"] = self._traceback.formatException(record.exc_info)
        head = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        return json_line({**head, **self._masker.mask_all(said)})


def json_line(line: dict[str, Any]) -> bytes:
    """One line of JSON, whatever the strings in it hold."""
    try:
        return orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # half a surrogate pair, which UTF-8 cannot carry
        return json.dumps(line, default=str).encode() + b"\n"


def to_stderr(data: bytes) -> None:
    """Write all of `data` to standard error, whatever mode it is in."""
    while data:
        try:
            data = data[os.write(2, data) :]
        except BlockingIOError:
            time.sleep(0.01)


@contextmanager
def logging_through(put: Callable[[bytes], object], *, level: str, masker: Masker) -> Iterator[None]:
    """Send everything that this process logs to `put`, as JSON, from `level` on."""
    root = logging.getLogger()
    before, before_level = root.handlers[:], root.level
    root.handlers[:] = [JsonHandler(put, masker)]
    root.setLevel(level.upper())
    # aiohttp and asyncio tell of what a client did wrong; that is nobody's concern here below a warning.
    quiet = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    for logger in quiet:
        logger.setLevel(max(logging.WARNING, root.level))
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(before_level)
        for logger in quiet:
            logger.setLevel(logging.NOTSET)
