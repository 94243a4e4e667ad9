"""Where values are kept between requests."""

from typing import Protocol


class Store(Protocol):
    """Values by key, each for a time. A store may forget earlier when it is full: it holds nothing that is not told."""

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none, or no more."""

    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep `value` for so long, in place of what was there."""

    async def delete(self, key: str) -> bool:
        """Forget the value; whether there was one."""
