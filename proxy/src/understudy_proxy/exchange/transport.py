"""How the exchange meets the network: one request out, one response back.

The protocol is small so that an implementation can be replaced without another line changing. What an implementation
does by itself: keep connections alive, verify TLS, connect to a given address while speaking to the host of the URL,
send once more on a fresh connection when a kept one turns out to be closed before anything was received. What it never
does: follow redirects, retry otherwise, read more than is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from understudy_proxy.config.runtime import Upstream


@dataclass(slots=True)
class Sending:
    """A request to an upstream. `headers` come beside the upstream's own; names are lower case."""

    upstream: Upstream
    path: str
    """Below the upstream's base URL, with a leading slash; of a GET, below its host."""
    body: bytes
    address: str | None = None
    """`HOST:PORT` to connect to instead of the URL's own."""
    headers: tuple[tuple[str, str], ...] = ()
    method: Literal["POST", "GET"] = "POST"


class Receiving(Protocol):
    """A response whose head has arrived. Whoever holds it closes it."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name; of repeated ones the last."""

    async def read(self, *, limit: int, within: float) -> bytes:
        """The whole body, unpacked.

        Raises:
            UpstreamError: the body is longer than `limit` bytes, or was cut.
            TimeoutError: it took longer than `within` seconds.
        """

    async def chunk(self, *, within: float) -> bytes:
        """The next bytes of the body, as they came in; empty at its end.

        Raises:
            UpstreamError: the body was cut.
            TimeoutError: nothing came for `within` seconds.
        """

    def close(self) -> None:
        """Give the connection back if the response was read to its end, else close it at once."""

    def let_go(self) -> None:
        """Like `close`, but all that mattered is here: the connection may be kept if the rest comes soon."""


class Transport(Protocol):
    """Keeps connections to upstreams."""

    async def send(self, sending: Sending, *, within: float) -> Receiving:
        """Send, and wait for the head of the response. Cancelling closes the connection at once.

        Raises:
            UpstreamError: no connection, or it broke before the head was complete.
            TimeoutError: the head took longer than `within` seconds, connecting included.
        """

    def abandon(self, address: str) -> None:
        """`address`, as in `Sending`, leads nowhere any more: keep no idle connection to it."""

    def forget(self) -> None:
        """Forget what was made for the configuration before, credentials above all; open connections stay."""

    async def close(self) -> None:
        """Close every connection."""
