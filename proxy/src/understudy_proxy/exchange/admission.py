"""How much is taken on at once. Nothing waits in a queue here: what is too much is told so at once.

Two bounds: all requests of the process, and those at one upstream. An upstream without a bound of its own may take at
most three quarters of the process, so that one that hangs leaves room for all others.
"""

from understudy_proxy.config.runtime import Upstream

_SHARE = 0.75
RETRY_AFTER_SECONDS = 1.0
"""What a refused client is told; places come free within the time of an answer."""


class Admission:
    """Counts of what is under way."""

    def __init__(self, *, requests: int) -> None:
        """Allow `requests` at once in this process."""
        self._bound = requests
        self._share = max(1, int(requests * _SHARE))
        self._requests = 0
        self._at: dict[str, int] = {}

    @property
    def requests(self) -> int:
        """Requests under way."""
        return self._requests

    def enter(self) -> bool:
        """Whether another request is taken on; `leave` ends it."""
        if self._requests >= self._bound:
            return False
        self._requests += 1
        return True

    def leave(self) -> None:
        """A request has ended."""
        self._requests -= 1

    def start(self, upstream: Upstream) -> bool:
        """Whether `upstream` gets another attempt; `finish` ends it."""
        running = self._at.get(upstream.key, 0)
        if running >= (upstream.max_concurrency or self._share):
            return False
        self._at[upstream.key] = running + 1
        return True

    def finish(self, upstream: Upstream) -> None:
        """An attempt at `upstream` has ended."""
        running = self._at[upstream.key] - 1
        if running:
            self._at[upstream.key] = running
        else:
            del self._at[upstream.key]
