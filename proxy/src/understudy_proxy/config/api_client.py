"""The few calls that a proxy makes to its API server, in plain aiohttp.

A pod proves itself by its ServiceAccount's token, a file that the kubelet replaces every hour or so; the certificate
authority may change too. Both are read anew for each request and each connection. The official client would cost more
memory than the rest of the proxy.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from yarl import URL

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where every pod finds `token`, `ca.crt` and `namespace`."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""An object of 1 MiB is 1.4 MiB in base64, and metadata beside it."""
_REQUEST = aiohttp.ClientTimeout(total=15, sock_connect=5)


class ApiError(Exception):
    """The API server cannot be reached or does not give what was asked for."""


class Refused(ApiError):
    """The API server answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Access:
    """How a process reaches its API server."""

    server: URL
    token_file: Path | None
    ca_file: Path | None
    namespace: str
    """The pod's own; empty when it is not known."""

    @classmethod
    def in_pod(cls, environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> "Access | None":
        """What every pod is given; None outside of one."""
        host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
        token = folder / "token"
        if not host or not token.exists():
            return None
        namespace = folder / "namespace"
        return cls(
            server=URL.build(scheme="https", host=host, port=int(port)),
            token_file=token,
            ca_file=folder / "ca.crt",
            namespace=namespace.read_text().strip() if namespace.exists() else "",
        )


class ApiClient:
    """GET and watch, by path. Bound to an event loop from its first call until `close`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._trust: tuple[float, ssl.SSLContext] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The object at `path`.

        Raises:
            Refused: the server says no, for example 404.
            ApiError: no usable answer.
        """
        async with self._open(path, params or {}, _REQUEST) as response:
            body = await _whole(response)
        return _object(body)

    async def watch(
        self, path: str, params: Mapping[str, str], *, inactivity_seconds: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a watch until the server ends it.

        Raises:
            Refused: the server says no; 410 when the resource version is too old.
            ApiError: the connection broke, or nothing came for `inactivity_seconds`.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=inactivity_seconds)
        async with self._open(path, {**params, "watch": "true"}, limits) as response:
            async for line in _lines(response):
                event = _object(line)
                if event.get("type") == "ERROR":
                    raise _refused(event.get("object"), 500)
                yield event

    async def close(self) -> None:
        """Drop all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    @asynccontextmanager
    async def _open(
        self, path: str, params: Mapping[str, str], limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET, when it is 200; every way to fail becomes an `ApiError`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        try:
            async with self._session.get(
                self._access.server.join(URL(path)),
                params=params,
                headers=self._headers(),
                ssl=self._context(),
                timeout=limits,
                allow_redirects=False,
            ) as response:
                try:
                    if response.status != 200:
                        raise _refused(_json(await _whole(response)), response.status)
                    yield response
                finally:
                    _let_go(response)
        except TimeoutError as error:
            raise ApiError("the API server does not answer in time") from error
        except aiohttp.ClientError as error:
            raise ApiError(f"the API server cannot be reached: {type(error).__name__}: {str(error)[:200]}") from error
        except OSError as error:
            raise ApiError(f"the ServiceAccount's files are not readable: {error.strerror}") from error

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "understudy-proxy"}
        if self._access.token_file is not None:
            headers["Authorization"] = f"Bearer {self._access.token_file.read_text().strip()}"
        return headers

    def _context(self) -> ssl.SSLContext | bool:
        if self._access.ca_file is None:
            return True
        written = self._access.ca_file.stat().st_mtime
        if self._trust is None or self._trust[0] != written:
            self._trust = (written, ssl.create_default_context(cafile=self._access.ca_file))
        return self._trust[1]


def _let_go(response: aiohttp.ClientResponse) -> None:
    """End the connection of an answer that was not read to its end, without TLS' farewell, which nobody waits for."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise ApiError(f"the API server's answer is larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    pending = bytearray()
    async for chunk in response.content.iter_any():
        pending += chunk
        while (end := pending.find(b"\n")) >= 0:
            line = bytes(pending[:end])
            del pending[: end + 1]
            yield line
        if len(pending) > MAX_ANSWER_BYTES:
            raise ApiError(f"an event of the API server is larger than {MAX_ANSWER_BYTES} bytes")


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _object(data: bytes) -> dict[str, Any]:
    value = _json(data)
    if not isinstance(value, dict):
        raise ApiError("the API server's answer is not a JSON object: is something else answering at its address?")
    return value


def _refused(status: Any, code: int) -> Refused:
    """From the `Status` object that Kubernetes sends with an error, or from the bare HTTP code."""
    if not isinstance(status, dict):
        return Refused(code, f"the API server answered {code}")
    given = status.get("code")
    code = given if isinstance(given, int) else code
    return Refused(code, f"the API server answered {code}: {str(status.get('message', ''))[:300]}")
