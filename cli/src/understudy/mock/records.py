"""What a mock received and did: the last requests, and counters.

Bounded: old requests make room for new ones. Credentials are kept (a test may want to know which key arrived) but
shown neither by `repr` nor by the admin address.
"""

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

_MOST_REQUESTS = 1000
_MOST_BYTES = 64 * 1024 * 1024

_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "api-key",
        "x-api-key",
        "x-goog-api-key",
        "x-amz-security-token",
        "x-internal-secret",
        "cookie",
    }
)
# Google's clients may send their key in the query.
_QUERY_KEY = re.compile(r"([?&]key=)[^&]*")
# From this length on, the last four characters identify a key without giving it away.
_LONG_SECRET = 12


@dataclass(slots=True)
class Recorded:
    """A request as it arrived, and what became of it.

    Attributes:
        number: Counts up from 1 over the life of the mock.
        method: The HTTP method.
        path: Path and query as they were on the wire.
        headers: Request headers, credentials included; names are found in any case.
        body: The body as it came.
        received_at: Unix seconds.
        model: The model it named, if any.
        stream: Whether it asked for a stream.
        fault: The fault it was given, as written, or None.
        status: The status it was answered with; None if no head was sent (yet).
        chunks_sent: Writes of content so far.
        client_left: Whether the client closed the connection before its answer was complete.
        finished: Whether the mock is done with it.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: float
    model: str = ""
    stream: bool = False
    fault: str | None = None
    status: int | None = None
    chunks_sent: int = 0
    client_left: bool = False
    finished: bool = False

    def json(self) -> Any:
        """Return the body, parsed.

        Raises:
            ValueError: If it is not JSON.
        """
        return json.loads(self.body)

    def shown(self) -> dict[str, Any]:
        """Return all of it for a person or another program: JSON types alone, secrets masked."""
        try:
            body = orjson.loads(self.body) if self.body else None
        except orjson.JSONDecodeError:
            body = self.body.decode(errors="replace")
        return {
            "number": self.number,
            "method": self.method,
            "path": _QUERY_KEY.sub(r"\1***", self.path),
            "headers": {name.lower(): masked(name, value) for name, value in self.headers.items()},
            "body": body,
            "received_at": datetime.fromtimestamp(self.received_at, UTC).isoformat(),
            "model": self.model,
            "stream": self.stream,
            "fault": self.fault,
            "status": self.status,
            "chunks_sent": self.chunks_sent,
            "client_left": self.client_left,
            "finished": self.finished,
        }


@dataclass(slots=True)
class Stats:
    """Counters since the start: of requests in the mock's wire format, not of admin and health requests.

    Attributes:
        requests: Requests received.
        streams: Those that asked for a stream.
        in_flight: Those being answered now.
        max_in_flight: The most that were answered at the same time.
        aborted: Those whose client left before the answer was complete.
        faults: Those that a fault was given to.
    """

    requests: int = 0
    streams: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    aborted: int = 0
    faults: int = 0


class Records:
    """The last requests, oldest first, within a bound on their number and on the bytes of their bodies."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._kept: deque[Recorded] = deque()
        self._bytes = 0

    @property
    def kept(self) -> list[Recorded]:
        """The requests still known, oldest first."""
        return list(self._kept)

    def clear(self) -> None:
        """Forget the requests; the counters go on."""
        self._kept.clear()
        self._bytes = 0

    def begin(self, recorded: Recorded) -> None:
        """Take in a request that is about to be answered."""
        self._kept.append(recorded)
        self._bytes += len(recorded.body)
        while len(self._kept) > _MOST_REQUESTS or (self._bytes > _MOST_BYTES and len(self._kept) > 1):
            self._bytes -= len(self._kept.popleft().body)
        stats = self.stats
        stats.requests += 1
        stats.streams += recorded.stream
        stats.faults += recorded.fault is not None
        stats.in_flight += 1
        stats.max_in_flight = max(stats.max_in_flight, stats.in_flight)

    def end(self, recorded: Recorded) -> None:
        """Note that a request is done with, however it ended."""
        recorded.finished = True
        self.stats.in_flight -= 1
        self.stats.aborted += recorded.client_left


def masked(name: str, value: str) -> str:
    """Return a header's value with its secret hidden, but for the last characters of a long one."""
    if name.lower() not in _SECRET_HEADERS:
        return value
    scheme, space, secret = value.rpartition(" ")
    return f"{scheme}{space}***{secret[-4:] if len(secret) >= _LONG_SECRET else ''}"
