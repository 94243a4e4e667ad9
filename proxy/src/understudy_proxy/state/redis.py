"""A store in Redis or Valkey: one for a whole fleet, and there after a pod is gone.

Imported only where one is configured. Sentinel and Cluster are not spoken: one address, which may be that of a managed
service.
"""

import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from understudy_proxy.state.store import StoreUnavailable

_log = logging.getLogger(__name__)

_PREFIX = "understudy:"
_SECONDS = 1.0
"""For a connection, and for an answer. A request waits for no more than a few of them."""
_CONNECTIONS = 64
_RETRIES = 1

_SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_DROP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

P = ParamSpec("P")
T = TypeVar("T")
Step = Callable[Concatenate["RedisStore", P], Coroutine[Any, Any, T]]


def _told(step: Step[P, T]) -> Step[P, T]:
    """Let what goes wrong between here and Redis be said in the store's words."""

    @wraps(step)
    async def said(self: "RedisStore", /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            done = await step(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            self.failed(error)
            raise StoreUnavailable("the shared store is out of reach") from error
        self.worked()
        return done

    return said


class RedisStore:
    """Values in Redis. Every method raises `StoreUnavailable` when that cannot be reached, or does not take a value."""

    def __init__(self, url: str) -> None:
        """Keep values at `url`: `redis://`, `rediss://` or `unix://`, as Redis' own clients take it.

        Raises:
            ValueError: it cannot be read as such.
            TypeError: it has an option that is none.
        """
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_SECONDS,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            retry=Retry(ExponentialWithJitterBackoff(cap=0.1, base=0.01), _RETRIES),
            client_name="understudy",
        )
        # Opens nothing, but has read every option: none of them fails a request later.
        pool.make_connection()  # type: ignore[no-untyped-call]
        self._redis = Redis.from_pool(pool)
        self._swap = self._redis.register_script(_SWAP)
        self._drop = self._redis.register_script(_DROP)
        self._away = False

    @_told
    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none, or no more."""
        value = await self._redis.get(_PREFIX + key)
        return value if isinstance(value, bytes) else None

    @_told
    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep `value` for so long, in place of what was there."""
        await self._redis.set(_PREFIX + key, value, px=_milliseconds(ttl_seconds))

    @_told
    async def add(self, key: str, value: bytes, *, ttl_seconds: float) -> bool:
        """Keep `value` if nothing is there; whether it is kept."""
        return bool(await self._redis.set(_PREFIX + key, value, px=_milliseconds(ttl_seconds), nx=True))

    @_told
    async def swap(self, key: str, old: bytes, new: bytes, *, ttl_seconds: float) -> bool:
        """Keep `new` in the place of `old`; False, and nothing changes, when that is not there."""
        arguments: list[Any] = [old, new, _milliseconds(ttl_seconds)]
        return bool(await self._swap(keys=[_PREFIX + key], args=arguments))

    @_told
    async def touch(self, key: str, *, ttl_seconds: float) -> bool:
        """Keep what is there for so long from now; whether there was anything."""
        return bool(await self._redis.pexpire(_PREFIX + key, _milliseconds(ttl_seconds)))

    @_told
    async def delete(self, key: str) -> bool:
        """Forget the value; whether there was one."""
        return bool(await self._redis.delete(_PREFIX + key))

    @_told
    async def drop(self, key: str, value: bytes) -> bool:
        """Forget what is there if it is `value`; whether it was."""
        return bool(await self._drop(keys=[_PREFIX + key], args=[value]))

    async def close(self) -> None:
        """End its connections."""
        await self._redis.aclose(close_connection_pool=True)

    def failed(self, error: Exception) -> None:
        """Say once that it is away. The error's own text may hold the address, but never the password."""
        if not self._away:
            _log.warning("the shared store is out of reach: %s", error)
        self._away = True

    def worked(self) -> None:
        """Say once that it is back."""
        if self._away:
            _log.info("the shared store is back")
        self._away = False


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
