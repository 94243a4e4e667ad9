"""The gateway's own resolver, as aiohttp's client asks for addresses."""

import socket
from collections.abc import Awaitable, Callable, Iterable

from aiohttp.abc import AbstractResolver, ResolveResult

Addresses = Callable[[str, int], Awaitable[Iterable[str]]]
"""The addresses of a host, for a port."""


class AiohttpResolver(AbstractResolver):
    """Asks `addresses` for every name, and for nothing else: aiohttp takes what is an address already as it is."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._addresses(host, port)
            if family == socket.AF_UNSPEC or (family == socket.AF_INET6) == (":" in address)
        ]

    async def close(self) -> None:
        """The resolver belongs to the gateway."""
