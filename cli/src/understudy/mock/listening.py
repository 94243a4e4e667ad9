"""An address that stays the same while the server behind it comes and goes."""

import socket


class Address:
    """A host and a port to listen on; once a port was found, it is kept until `release()`."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._held: socket.socket | None = None

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, with an IPv6 address in brackets and a wildcard as the loopback address."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def listen(self) -> socket.socket:
        """Return a socket bound to the address, ready to listen.

        Raises:
            OSError: If the address is taken, or is none of this machine.
        """
        self.release()
        bound = self._bound()
        self.port = bound.getsockname()[1]
        return bound

    def hold(self) -> None:
        """Keep the port without listening: connections are refused, and no other program gets it."""
        self._held = self._bound()

    def release(self) -> None:
        """Let go of a port that is held."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _bound(self) -> socket.socket:
        family, kind, _, _, address = socket.getaddrinfo(
            self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind)
        try:
            # A port whose last connections are still in TIME_WAIT can be bound again at once.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setblocking(False)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
        return bound
