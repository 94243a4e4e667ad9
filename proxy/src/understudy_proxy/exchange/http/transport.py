"""The transport: `exchange.transport.Transport` for HTTP/1.1."""

import asyncio
import ssl
import time

from understudy_proxy.config.runtime import Upstream
from understudy_proxy.exchange.http.pool import Place, Pool
from understudy_proxy.exchange.http.response import Response, Stale
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.transport import Receiving, Sending
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure

_REAP_SECONDS = 5.0


class HttpTransport:
    """A pool for each place, made when it is first needed and dropped when it has no connections left."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._places: dict[Place, Pool] = {}
        self._pools: dict[tuple[Upstream, str | None], Pool] = {}
        self._heads: dict[tuple[Upstream, str, str], bytes] = {}
        self._trust: ssl.SSLContext | None = None
        self._reaper: asyncio.TimerHandle | None = None

    async def send(self, sending: Sending, *, within: float) -> Receiving:
        """Send, and wait for the head of the response."""
        end = time.monotonic() + within
        upstream = sending.upstream
        pool = self._pools.get((upstream, sending.address)) or self._pool(upstream, sending.address)
        head = self._head(sending)
        kept = pool.kept()
        if kept is not None:
            try:
                return await _headed(kept.request(head, sending.body), end)
            except Stale:
                pass  # closed while it was idle: nobody's failure, and a new connection will tell
        connection = await pool.connect(
            within=end - time.monotonic(), connect_seconds=upstream.timeouts.connect_seconds
        )
        try:
            return await _headed(connection.request(head, sending.body), end)
        except Stale:
            raise UpstreamError(
                UpstreamFailure(FailureKind.CONNECTION_RESET, "the connection was closed as soon as it was there")
            ) from None

    def abandon(self, address: str) -> None:
        """Close idle connections to `address`, and forget what was made for it."""
        self._pools = {key: pool for key, pool in self._pools.items() if key[1] != address}
        self._forget_heads()
        for place, pool in self._places.items():
            if address == _written(place):
                pool.abandon()

    def forget(self) -> None:
        """Forget what was made for the configuration before; open connections stay."""
        self._pools.clear()
        self._heads.clear()

    async def close(self) -> None:
        """Close every connection."""
        if self._reaper is not None:
            self._reaper.cancel()
        self.forget()
        for pool in self._places.values():
            pool.close()

    def _pool(self, upstream: Upstream, address: str | None) -> Pool:
        """The pool for `upstream`; equal places share one, whatever configuration they come from."""
        url = upstream.base_url
        host, port = url.host or "", url.port or 80
        place = Place(host, port, self._tls(upstream), upstream.server_name or host)
        if address is not None:
            host, _, number = address.rpartition(":")
            place = Place(
                host.strip("[]"), int(number), place.tls, place.server_name, hearsay=upstream.mesh is not None
            )
        pool = self._places.get(place)
        if pool is None:
            pool = self._places[place] = Pool(place, self._resolver)
            if self._reaper is None:
                self._reaper = asyncio.get_running_loop().call_later(_REAP_SECONDS, self._reap)
        self._pools[upstream, address] = pool
        return pool

    def _tls(self, upstream: Upstream) -> ssl.SSLContext | None:
        if upstream.base_url.scheme != "https":
            return None
        if isinstance(upstream.ssl, ssl.SSLContext):
            return upstream.ssl
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust

    def _head(self, sending: Sending) -> bytes:
        key = (sending.upstream, sending.method, sending.path)
        fixed = self._heads.get(key)
        if fixed is None:
            fixed = self._heads[key] = _fixed_head(sending)
        own = "".join([f"{name}: {value}\r\n" for name, value in sending.headers])
        return b"%b%bcontent-length: %d\r\n\r\n" % (fixed, own.encode("latin-1"), len(sending.body))

    def _forget_heads(self) -> None:
        """Of those who are not asked any more: agents of a mesh come and go without a new configuration."""
        asked = {upstream for upstream, _ in self._pools}
        self._heads = {key: head for key, head in self._heads.items() if key[0] in asked}

    def _reap(self) -> None:
        for pool in self._places.values():
            pool.reap()
        gone = [place for place, pool in self._places.items() if pool.empty]
        if gone:
            self._pools = {key: pool for key, pool in self._pools.items() if not pool.empty}
            self._forget_heads()
            for place in gone:
                del self._places[place]
        self._reaper = asyncio.get_running_loop().call_later(_REAP_SECONDS, self._reap) if self._places else None


def _written(place: Place) -> str:
    return f"[{place.host}]:{place.port}" if ":" in place.host else f"{place.host}:{place.port}"


async def _headed(response: Response, end: float) -> Response:
    try:
        await response.head(within=end - time.monotonic())
    except BaseException:
        response.close()
        raise
    return response


def _fixed_head(sending: Sending) -> bytes:
    upstream = sending.upstream
    url = upstream.base_url
    below = url.raw_path.rstrip("/") if sending.method == "POST" else ""
    lines = [f"{sending.method} {below}{sending.path} HTTP/1.1", f"host: {url.host_port_subcomponent}"]
    lines += [f"{name}: {value}" for name, value in upstream.headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise UpstreamError(
            UpstreamFailure(
                FailureKind.INVALID_RESPONSE, f"{upstream.key} is set up with a header that has a line break"
            )
        )
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")
