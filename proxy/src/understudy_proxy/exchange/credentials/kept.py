"""What lasts for a while and takes time to get, kept: renewed before it runs out, by one at a time, beside requests.

Renewal is driven by use: a provider that nobody asks costs nothing, and there is nothing to stop.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure, bounded

Value = TypeVar("Value")

RETRY_SECONDS = 5.0
"""After a failure nobody is asked again for so long."""
WAIT_SECONDS = 15.0
"""For the first one, or when the last has run out; what fetches gives up on its own, but perhaps later."""


class NotGiven(Exception):
    """There is none; the message says why, for the provider's owner."""


@dataclass(frozen=True, slots=True)
class Lease(Generic[Value]):
    """Something, and how long it is good for; both in seconds since the epoch."""

    value: Value = field(repr=False)
    renew_at: float
    until: float


class Kept(Generic[Value]):
    """One lease, and the task that gets the next."""

    def __init__(self, fetch: Callable[[float], Lease[Value]], *, what: str) -> None:
        """`fetch` gets a lease, given the time. It runs in a thread and may raise anything; `what` names it."""
        self._fetch = fetch
        self._what = what
        self._lease: Lease[Value] | None = None
        self._failure: UpstreamFailure | None = None
        self._retry_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def get(self, now: float) -> Value:
        """The value, at once unless there is none that is good.

        Raises:
            UpstreamError: there is none; of kind AUTHENTICATION.
        """
        lease = self._lease
        if lease is not None and now < lease.renew_at:
            return lease.value
        if lease is not None and now < lease.until:
            self._renew(now)
            return lease.value
        task = self._renew(now)
        if task is not None:
            await self._wait(task)
        lease = self._lease
        if lease is not None and now < lease.until:
            return lease.value
        raise UpstreamError(self._failure or self._failed("there was none in time"))

    def _renew(self, now: float) -> asyncio.Task[None] | None:
        """Begin to renew unless that is under way, or has just failed."""
        if self._task is None or self._task.done():
            if self._failure is not None and now < self._retry_at:
                return None
            self._task = asyncio.create_task(self._run(now), name=f"renewing {self._what}")
        return self._task

    async def _wait(self, task: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await asyncio.shield(task)  # a caller that leaves does not take it from the others
        except TimeoutError:
            raise UpstreamError(self._failed(f"none came within {WAIT_SECONDS:.0f}s")) from None

    async def _run(self, now: float) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            self._lease = await asyncio.to_thread(self._fetch, now)
            self._failure = None
        except Exception as error:  # noqa: BLE001 - each cloud's library has its own, and all of them mean the same
            why = str(error) if isinstance(error, NotGiven) else f"{type(error).__name__}: {error}"
            self._failure = self._failed(why)
            self._retry_at = now + (loop.time() - began) + RETRY_SECONDS

    def _failed(self, why: str) -> UpstreamFailure:
        return UpstreamFailure(FailureKind.AUTHENTICATION, bounded(f"no {self._what}: {why}"))
