"""Where values are kept between requests.

Each step is one that a store shared by a fleet can do at once, whoever else is at it: Redis by the command that stands
beside it.
"""

from typing import Protocol


class StoreUnavailable(Exception):
    """What is kept is out of reach just now; nothing else is wrong."""


class Store(Protocol):
    """Values by key, each for a time. A store may forget earlier when it is full: it holds nothing that is not told.

    A store elsewhere raises `StoreUnavailable` when it cannot be reached.
    """

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none, or no more (GET)."""

    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep `value` for so long, in place of what was there (SET PX)."""

    async def add(self, key: str, value: bytes, *, ttl_seconds: float) -> bool:
        """Keep `value` for so long if nothing is there; whether it is kept (SET NX PX)."""

    async def swap(self, key: str, old: bytes, new: bytes, *, ttl_seconds: float) -> bool:
        """Keep `new` for so long in the place of `old`; False, and nothing changes, when it is not `old` that is there.

        (Compared and set by a script.)
        """

    async def touch(self, key: str, *, ttl_seconds: float) -> bool:
        """Keep what is there for so long from now; whether there was anything (PEXPIRE)."""

    async def delete(self, key: str) -> bool:
        """Forget the value; whether there was one (DEL)."""

    async def drop(self, key: str, value: bytes) -> bool:
        """Forget what is there if it is `value`; whether it was (Compared and deleted by a script)."""
