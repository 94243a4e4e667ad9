"""The transport on aiohttp's client: twice the cost of `http`, and the way out through an egress proxy.

It takes the proxy from the environment (`HTTPS_PROXY`, `NO_PROXY` and their kin), as other programs do.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from io import BytesIO
from types import SimpleNamespace

import aiohttp
from aiohappyeyeballs import AddrInfoType
from aiohttp.http_exceptions import ContentEncodingError
from multidict import CIMultiDict

from understudy_proxy.exchange.aiohttp_resolver import AiohttpResolver
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.silence import break_after, is_gone
from understudy_proxy.exchange.transport import Receiving, Sending
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure, bounded

_KEEP_ALIVE_SECONDS = 30.0
_ONE_WRITE = 1024 * 1024
_FRESH_TRIES = 3
"""How many kept connections may turn out to be closed before that counts as the upstream's failure."""
_silent_seconds: ContextVar[float] = ContextVar("silent_seconds")
"""Of the request that a socket is made for, which aiohttp does not tell the one who makes it."""


_hearsay: ContextVar[bool] = ContextVar("hearsay")
"""Whether the address of the request that a name is looked up for is what an agent says of itself."""


class _Noted(SimpleNamespace):
    """What is noted about a request on its way: whether it went out on a kept connection."""

    reused: bool = False


class AiohttpTransport:
    """Connections without number: bounds are per upstream and elsewhere, never shared between upstreams."""

    def __init__(self, resolver: Resolver) -> None:
        traces = aiohttp.TraceConfig()
        traces.on_connection_reuseconn.append(_note_reuse)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                use_dns_cache=False,
                resolver=AiohttpResolver(lambda host, port: resolver.addresses(host, port, hearsay=_hearsay.get())),
                socket_factory=_socket,
            ),
            trust_env=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=[traces],
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def send(self, sending: Sending, *, within: float) -> Receiving:
        """Send, and wait for the head of the response."""
        _silent_seconds.set(sending.upstream.timeouts.connect_seconds)
        _hearsay.set(sending.upstream.mesh is not None and sending.address is not None)
        async with asyncio.timeout(within):
            for _ in range(_FRESH_TRIES):
                noted = _Noted()
                try:
                    return _Response(await self._post(sending, noted))
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    if not noted.reused or is_gone(error):
                        raise _failed(error) from error
                except (aiohttp.ClientError, OSError, ValueError) as error:
                    raise _failed(error) from error
        raise UpstreamError(UpstreamFailure(FailureKind.CONNECTION_RESET, "the connection was closed unanswered"))

    def abandon(self, address: str) -> None:
        """Leave it to the kernel: aiohttp closes idle connections all together or not at all."""

    def forget(self) -> None:
        """Nothing is kept but connections."""

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _post(self, sending: Sending, noted: _Noted) -> aiohttp.ClientResponse:
        upstream = sending.upstream
        below = upstream.base_url.raw_path.rstrip("/") if sending.method == "POST" else ""
        url = upstream.base_url.with_path(below + sending.path, encoded=True)
        headers = CIMultiDict(upstream.headers)
        headers.extend(sending.headers)
        server_name = upstream.server_name
        if sending.address is not None:
            headers["Host"] = upstream.base_url.authority
            server_name = server_name or upstream.base_url.host
            host, _, port = sending.address.rpartition(":")
            url = url.with_host(host.strip("[]")).with_port(int(port))
        return await self._session.request(
            sending.method,
            url,
            # Beyond a mebibyte aiohttp wants to write in pieces.
            data=sending.body if len(sending.body) <= _ONE_WRITE else BytesIO(sending.body),
            headers=headers,
            allow_redirects=False,
            ssl=upstream.ssl,
            server_hostname=server_name,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=upstream.timeouts.connect_seconds),
            trace_request_ctx=noted,
        )


class _Response:
    """One response of aiohttp's."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def read(self, *, limit: int, within: float) -> bytes:
        """The whole body."""
        pieces: list[bytes] = []
        size = 0
        async with asyncio.timeout(within):
            while piece := await self._piece():
                size += len(piece)
                if size > limit:
                    raise UpstreamError(
                        UpstreamFailure(FailureKind.INVALID_RESPONSE, f"the answer is larger than {limit} bytes")
                    )
                pieces.append(piece)
        return b"".join(pieces)

    async def chunk(self, *, within: float) -> bytes:
        """The next bytes."""
        async with asyncio.timeout(within):
            return await self._piece()

    async def _piece(self) -> bytes:
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error.__cause__, ContentEncodingError):
                message = "the answer cannot be unpacked, or came packed in a way that was not asked for"
                raise UpstreamError(UpstreamFailure(FailureKind.INVALID_RESPONSE, message)) from error
            message = "the connection broke in the middle of the answer"
            raise UpstreamError(UpstreamFailure(FailureKind.INTERRUPTED, message)) from error

    def close(self) -> None:
        """Keep the connection if the response was read to its end, else close it."""
        self._response.release()

    def let_go(self) -> None:
        """Keep the connection if the end came along with what was read."""
        self._response.release()


def _socket(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    break_after(_silent_seconds.get(), made)
    return made


async def _note_reuse(_session: object, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.reused = True


def _failed(error: Exception) -> UpstreamError:
    return UpstreamError(UpstreamFailure(_kind(error), bounded(str(error) or type(error).__name__)))


def _kind(error: Exception) -> FailureKind:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return FailureKind.NAME_NOT_RESOLVED
        case aiohttp.ClientSSLError():
            return FailureKind.TLS_FAILED
        case aiohttp.ConnectionTimeoutError():
            return FailureKind.CONNECT_TIMEOUT
        case aiohttp.ClientOSError() if is_gone(error):
            return FailureKind.UNREACHABLE
        case aiohttp.ClientConnectorError():
            return FailureKind.CONNECT_REFUSED
        case aiohttp.ClientResponseError() | ValueError():
            return FailureKind.INVALID_RESPONSE
        case _:
            return FailureKind.CONNECTION_RESET
