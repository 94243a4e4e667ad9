"""Many rings, one answer: a burst of changes is compiled once, soon after it is over, and in time if it never is."""

import asyncio


def seconds_until_due(*, first: float, last: float, now: float, quiet_seconds: float, patience_seconds: float) -> float:
    """How long to go on waiting, given when the first and the last unanswered ring were; zero or less: answer."""
    return min(last + quiet_seconds, first + patience_seconds) - now


class Doorbell:
    """Rung by whoever saw a change; answered by the one who compiles. The clock is the event loop's.

    Args:
        quiet_seconds: Answer when nobody has rung for so long,
        patience_seconds: or when the first ring is so long ago.
    """

    def __init__(self, *, quiet_seconds: float, patience_seconds: float) -> None:
        self._quiet = quiet_seconds
        self._patience = patience_seconds
        self._rung = asyncio.Event()
        self._first = 0.0
        self._last = 0.0

    def ring(self) -> None:
        """Something is different; call it from the event loop's thread."""
        self._last = asyncio.get_running_loop().time()
        if not self._rung.is_set():
            self._first = self._last
            self._rung.set()

    async def answered(self, *, within_seconds: float) -> float | None:
        """Wait for a ring and for the burst to be over.

        Returns:
            When the first ring of the burst was, by the loop's clock; None when nobody rang in time.
        """
        try:
            async with asyncio.timeout(within_seconds):
                await self._rung.wait()
        except TimeoutError:
            return None
        while (delay := self._due()) > 0:  # noqa: ASYNC110 - what is waited for moves with every ring
            await asyncio.sleep(delay)
        self._rung.clear()
        return self._first

    def _due(self) -> float:
        return seconds_until_due(
            first=self._first,
            last=self._last,
            now=asyncio.get_running_loop().time(),
            quiet_seconds=self._quiet,
            patience_seconds=self._patience,
        )
