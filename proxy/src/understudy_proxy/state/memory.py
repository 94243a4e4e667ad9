"""A store in the memory of one process: gone with it, and unknown to the others."""

from collections import OrderedDict
from collections.abc import Callable

_ENTRY_BYTES = 256
"""What an entry takes beside its key and value, roughly."""


class MemoryStore:
    """Values in memory, within a bound: beyond it the one that was used longest ago goes first."""

    def __init__(self, *, max_bytes: int, now: Callable[[], float]) -> None:
        """Hold up to `max_bytes`; `now` gives monotonic seconds."""
        self._max_bytes = max_bytes
        self._now = now
        self._bytes = 0
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none, or no more."""
        found = self._values.get(key)
        if found is None:
            return None
        value, expires = found
        if expires <= self._now():
            self._forget(key)
            return None
        self._values.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep `value`; one that is larger than the bound is not kept."""
        self._forget(key)
        size = _size(key, value)
        if size > self._max_bytes:
            return
        self._values[key] = (value, self._now() + ttl_seconds)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._values)))

    async def add(self, key: str, value: bytes, *, ttl_seconds: float) -> bool:
        """Keep `value` if nothing is there; whether it is kept."""
        if await self.get(key) is not None:
            return False
        await self.put(key, value, ttl_seconds=ttl_seconds)
        return key in self._values

    async def swap(self, key: str, old: bytes, new: bytes, *, ttl_seconds: float) -> bool:
        """Keep `new` in the place of `old`; False, and nothing changes, when that is not there or `new` too large."""
        if await self.get(key) != old or _size(key, new) > self._max_bytes:
            return False
        await self.put(key, new, ttl_seconds=ttl_seconds)
        return True

    async def touch(self, key: str, *, ttl_seconds: float) -> bool:
        """Keep what is there for so long from now; whether there was anything."""
        value = await self.get(key)
        if value is None:
            return False
        self._values[key] = (value, self._now() + ttl_seconds)
        return True

    async def delete(self, key: str) -> bool:
        """Forget the value; whether there was one."""
        there = await self.get(key) is not None
        self._forget(key)
        return there

    async def drop(self, key: str, value: bytes) -> bool:
        """Forget what is there if it is `value`; whether it was."""
        if await self.get(key) != value:
            return False
        self._forget(key)
        return True

    def _forget(self, key: str) -> None:
        found = self._values.pop(key, None)
        if found is not None:
            self._bytes -= _size(key, found[0])


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_BYTES
