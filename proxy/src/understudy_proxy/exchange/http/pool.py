"""Connections to one place: kept ones first, new ones when there are none."""

import asyncio
import errno
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohappyeyeballs import AddrInfoType, start_connection

from understudy_proxy.exchange.http.connection import Connection
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.silence import break_after, is_gone
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure, bounded

IDLE_SECONDS = 30.0
_MOST_IDLE = 256
_OUR_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""The gateway has no sockets or memory left: no upstream is to blame."""
# RFC 8305, section 8: how long an address gets before the next one is tried beside it.
_NEXT_ADDRESS_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect, and how to verify who is there."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str | None
    hearsay: bool = False
    """Whether the host is what an agent says of itself."""


class Pool:
    """Connections to a `Place`."""

    def __init__(self, place: Place, resolver: Resolver) -> None:
        self._place = place
        self._resolver = resolver
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._connecting = 0

    @property
    def empty(self) -> bool:
        """Whether it has no connection at all."""
        return not self._open and not self._connecting

    def kept(self) -> Connection | None:
        """The kept connection that was used last; it is the least likely to be closed by now."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def connect(self, *, within: float, connect_seconds: float) -> Connection:
        """A new connection.

        Raises:
            UpstreamError: there is none to be had, or not within `connect_seconds`.
            TimeoutError: `within` seconds are over.
        """
        self._connecting += 1
        try:
            async with asyncio.timeout(min(within, connect_seconds)):
                return await self._connected(connect_seconds)
        except ssl.SSLError as error:
            raise self._failed(FailureKind.TLS_FAILED, error) from error
        except (OSError, RuntimeError) as error:  # RuntimeError: uvloop, when a socket breaks at the wrong moment
            if isinstance(error, TimeoutError) and not is_gone(error):
                if within <= connect_seconds:
                    raise
                raise self._failed(FailureKind.CONNECT_TIMEOUT, f"nothing within {connect_seconds:g} s") from error
            raise self._failed(_kind(error), error) from error
        finally:
            self._connecting -= 1

    async def _connected(self, silent_seconds: float) -> Connection:
        place = self._place
        loop = asyncio.get_running_loop()
        sock = await start_connection(await self._addresses(), happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        break_after(silent_seconds, sock)
        _, connection = await loop.create_connection(
            lambda: Connection(loop, self, silent_seconds=silent_seconds),
            sock=sock,
            ssl=place.tls,
            server_hostname=place.server_name if place.tls else None,
        )
        if connection.usable:
            self._open.add(connection)
        return connection

    def keep(self, connection: Connection) -> None:
        """`connection` carries nothing any more."""
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.abort()

    def lost(self, connection: Connection, *, gone: bool) -> None:
        """`connection` is closed; where nobody is there any more, the other idle ones to that address are as dead."""
        self._open.discard(connection)
        if gone:
            self._close_idle(lambda idle: idle.peer == connection.peer)

    def abandon(self) -> None:
        """Keep none of the idle connections."""
        self._close_idle(lambda _idle: True)

    def reap(self) -> None:
        """Close what was idle for too long."""
        oldest = time.monotonic() - IDLE_SECONDS
        self._close_idle(lambda idle: idle.idle_since < oldest)

    def close(self) -> None:
        """Close everything."""
        for connection in list(self._open):
            connection.abort()

    def _close_idle(self, which: Callable[[Connection], bool]) -> None:
        for connection in self._idle:
            if which(connection):
                connection.abort()
        self._idle = [connection for connection in self._idle if connection.usable]

    async def _addresses(self) -> list[AddrInfoType]:
        place = self._place
        known: tuple[str, ...] = (place.host,)
        if not _is_address(place.host):
            known = await self._resolver.addresses(place.host, place.port, hearsay=place.hearsay)
        return [_address_info(address, place.port) for address in known]

    def _failed(self, kind: FailureKind, cause: object) -> UpstreamError:
        message = f"no connection to {self._place.host}:{self._place.port}: {cause}"
        return UpstreamError(UpstreamFailure(kind, bounded(message)))


def _kind(error: Exception) -> FailureKind:
    if is_gone(error):
        return FailureKind.UNREACHABLE
    return FailureKind.BUSY if getattr(error, "errno", None) in _OUR_OWN else FailureKind.CONNECT_REFUSED


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address_info(address: str, port: int) -> AddrInfoType:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
