"""What doors keep between requests, with failures of its keeper told to the client."""

from collections.abc import Iterator
from contextlib import contextmanager

from understudy_proxy.doors.door import Refused
from understudy_proxy.state.store import Store, StoreUnavailable


class DoorStore:
    """A store for doors: each of its methods raises `Refused` where the store is out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none, or no more."""
        with _refusing():
            return await self._store.get(key)

    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep `value` for so long, in place of what was there."""
        with _refusing():
            await self._store.put(key, value, ttl_seconds=ttl_seconds)

    async def add(self, key: str, value: bytes, *, ttl_seconds: float) -> bool:
        """Keep `value` if nothing is there; whether it is kept."""
        with _refusing():
            return await self._store.add(key, value, ttl_seconds=ttl_seconds)

    async def swap(self, key: str, old: bytes, new: bytes, *, ttl_seconds: float) -> bool:
        """Keep `new` in the place of `old`; False, and nothing changes, when that is not there."""
        with _refusing():
            return await self._store.swap(key, old, new, ttl_seconds=ttl_seconds)

    async def touch(self, key: str, *, ttl_seconds: float) -> bool:
        """Keep what is there for so long from now; whether there was anything."""
        with _refusing():
            return await self._store.touch(key, ttl_seconds=ttl_seconds)

    async def delete(self, key: str) -> bool:
        """Forget the value; whether there was one."""
        with _refusing():
            return await self._store.delete(key)

    async def drop(self, key: str, value: bytes) -> bool:
        """Forget what is there if it is `value`; whether it was."""
        with _refusing():
            return await self._store.drop(key, value)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise Refused(
            503,
            "What is remembered of conversations is out of reach just now; nothing is lost, try again shortly.",
            type="server_error",
            code="store_unavailable",
            reason="store_unavailable",
            headers=(("retry-after", "1"),),
        ) from error
