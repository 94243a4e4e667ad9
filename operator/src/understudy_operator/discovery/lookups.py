"""Addresses of servers, looked up in threads of their own.

The event loop's own threads compile the configuration: names that hang in an outage of DNS must not hold them.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS = 8


class Lookups(AbstractResolver):
    """What the system's resolver says."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`; raises OSError."""
        look = partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=int(address[1]), family=of, proto=protocol, flags=numeric
            )
            for of, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Look up nothing any more; nobody waits for what hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
