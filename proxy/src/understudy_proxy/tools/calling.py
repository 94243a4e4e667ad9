"""One HTTP call of a tool's handler: one connection, to an address that was looked at, no redirects, all bounded."""

from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from understudy_proxy.addresses import is_forbidden
from understudy_proxy.config.runtime import ToolHandler
from understudy_proxy.exchange.aiohttp_resolver import AiohttpResolver
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.failure import UpstreamError, bounded
from understudy_proxy.tools.outcome import OutcomeKind

MAX_ANSWER_BYTES = 1024 * 1024
_CONNECT_SECONDS = 10.0
_IN_THE_QUERY = frozenset({"GET", "DELETE"})
"""Methods whose requests carry no body."""
_LOCALHOST = "localhost"
"""RFC 6761: it is the loopback address, and whoever writes it means that."""


class CallFailed(Exception):
    """There is no whole answer; `kind` and the message say why."""

    def __init__(self, kind: OutcomeKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _ForbiddenAddress(Exception):
    """A name leads only to addresses that must not be called."""


@dataclass(frozen=True, slots=True)
class HandlerAnswer:
    """What a handler said."""

    status: int
    content_type: str
    """Lower case, without parameters."""
    location: str
    """Where it would send on."""
    body: bytes


class Calling:
    """Calls handlers, each time on a new connection: so each time the address is looked at anew."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, handler: ToolHandler, arguments: dict[str, Any], *, forward: tuple[tuple[str, str], ...]
    ) -> HandlerAnswer:
        """The answer, whatever its status. Cancelling closes the connection at once.

        Raises:
            CallFailed: there is none, or none that is whole.
        """
        request = _Request(handler, arguments, forward=forward)
        try:
            async with self._open(request) as response:
                return HandlerAnswer(
                    status=response.status,
                    content_type=response.content_type.lower(),
                    location=response.headers.get("Location", ""),
                    body=await _body(response),
                )
        except _ForbiddenAddress as error:
            raise CallFailed(OutcomeKind.FORBIDDEN_ADDRESS, str(error)) from None
        except UpstreamError as error:
            raise CallFailed(OutcomeKind.UNREACHABLE, error.failure.message) from None
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            _raise_failed(error)  # RuntimeError: uvloop, when a socket breaks at the wrong moment

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    def _open(self, request: "_Request") -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            self._session = _make_session(self._resolver)
        return self._session.request(
            request.method, request.url, data=request.body, headers=request.headers, allow_redirects=False
        )


class _Request:
    """What is sent."""

    def __init__(
        self, handler: ToolHandler, arguments: dict[str, Any], *, forward: tuple[tuple[str, str], ...]
    ) -> None:
        self.method = handler.method
        self.url = handler.url
        self.headers = CIMultiDict(handler.headers)
        for name, value in forward:
            self.headers[name] = value
        self.body: bytes | None = None
        if handler.method in _IN_THE_QUERY:
            self.url = _with_query(handler.url, arguments)
        else:
            self.body = orjson.dumps(arguments)
            self.headers["Content-Type"] = "application/json"


class _Permitted:
    """Names to addresses, without those that must not be called. Literal addresses never come by: they are named."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses that may be connected to.

        Raises:
            UpstreamError: the name cannot be resolved.
            _ForbiddenAddress: none of its addresses may be called.
        """
        found = await self._resolver.addresses(host, port)
        if host.rstrip(".").lower() == _LOCALHOST:
            return found
        permitted = tuple(address for address in found if not is_forbidden(address))
        if not permitted:
            raise _ForbiddenAddress(
                f"{host} leads to {', '.join(found[:3])}, which only an object that names that address itself may call"
            )
        return permitted


def _make_session(resolver: Resolver) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            force_close=True,
            use_dns_cache=False,
            resolver=AiohttpResolver(_Permitted(resolver).addresses),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=("Content-Type",),
    )


async def _body(response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await response.content.readany():
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise CallFailed(OutcomeKind.TOO_LARGE, f"it answered more than {MAX_ANSWER_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _with_query(url: URL, arguments: dict[str, Any]) -> URL:
    """`url` with the arguments in its query; none of them takes the place of what the object has there."""
    taken = next((name for name in arguments if name in url.query), None)
    if taken is not None:
        message = f"{bounded(taken)} is no argument: the tool's own address has it in its query"
        raise CallFailed(OutcomeKind.INVALID_ARGUMENTS, message)
    return url.update_query({name: _in_query(value) for name, value in arguments.items()})


def _in_query(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _raise_failed(error: Exception) -> NoReturn:
    if isinstance(error, TimeoutError):
        raise CallFailed(OutcomeKind.TIMEOUT, f"no connection within {_CONNECT_SECONDS:g} s") from None
    if isinstance(error, aiohttp.ClientResponseError):
        raise CallFailed(OutcomeKind.INVALID_ANSWER, bounded(f"its answer is not HTTP: {error}")) from None
    if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)):
        raise CallFailed(OutcomeKind.UNREACHABLE, "the connection broke before the answer was whole") from None
    raise CallFailed(OutcomeKind.UNREACHABLE, bounded(f"no connection: {error}")) from None
