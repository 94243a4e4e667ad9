"""One turn of a session at a time, whichever of a fleet's proxies the turns come to.

Whoever has put its mark beside the session holds it, and renews the mark while its turn goes on: a proxy that dies
holds nothing for long. Others wait a while, then are told to come back.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from understudy_proxy.doors.door import Refused
from understudy_proxy.state.store import Store

LEASE_SECONDS = 30.0
WAIT_SECONDS = 30.0
"""For other turns; most answers are there by then."""
MAX_WAITING = 16
"""Turns of one session, in one worker: nobody talks that fast."""
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_RENEWALS = 3
"""In the time of a lease."""
_RETRY_AFTER_SECONDS = 1


class Holding:
    """Holds sessions, by their keys in `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: Counter[str] = Counter()
        """Turns that wait here, by what for."""

    @asynccontextmanager
    async def hold(self, key: str, *, ttl_seconds: float) -> AsyncIterator[None]:
        """Have the session under `key` to oneself, and keep it from expiring meanwhile.

        Afterwards it has `ttl_seconds` again.

        Raises:
            Refused: other turns take too long.
        """
        lock, mark = f"{key}/turn", secrets.token_bytes(16)
        await self._take(lock, mark)
        meanwhile = max(ttl_seconds, LEASE_SECONDS)
        renewing = asyncio.create_task(self._renew(key, lock, mark, meanwhile), name="session-lease")
        try:
            await self._store.touch(key, ttl_seconds=meanwhile)
            yield
        finally:
            renewing.cancel()
            # A store that is out of reach just now forgets the mark by itself.
            with suppress(Refused):
                await self._store.touch(key, ttl_seconds=ttl_seconds)
                await self._store.drop(lock, mark)

    async def _take(self, lock: str, mark: bytes) -> None:
        if await self._store.add(lock, mark, ttl_seconds=LEASE_SECONDS):
            return
        if self._waiting[lock] >= MAX_WAITING:
            raise _busy(f"and {MAX_WAITING} wait for it already")
        self._waiting[lock] += 1
        try:
            await self._wait(lock, mark)
        finally:
            self._waiting[lock] -= 1
            if not self._waiting[lock]:
                del self._waiting[lock]

    async def _wait(self, lock: str, mark: bytes) -> None:
        loop = asyncio.get_running_loop()
        patience, pause = loop.time() + WAIT_SECONDS, _FIRST_PAUSE_SECONDS
        while loop.time() + pause <= patience:
            await asyncio.sleep(pause)
            if await self._store.add(lock, mark, ttl_seconds=LEASE_SECONDS):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise _busy(f"and has not ended within {WAIT_SECONDS:.0f} s")

    async def _renew(self, key: str, lock: str, mark: bytes, ttl_seconds: float) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / _RENEWALS)
            with suppress(Refused):
                await self._store.swap(lock, mark, mark, ttl_seconds=LEASE_SECONDS)
                await self._store.touch(key, ttl_seconds=ttl_seconds)


def _busy(why: str) -> Refused:
    return Refused(
        409,
        f"Another turn of this session is under way, {why}. A session takes one turn at a time: send this one again "
        "when that has been answered.",
        type="invalid_request_error",
        code="session_busy",
        param="session_id",
        reason="session_busy",
        headers=(("retry-after", str(_RETRY_AFTER_SECONDS)),),
    )
