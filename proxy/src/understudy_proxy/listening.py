"""Listening sockets, with one clear line when a port cannot be had."""

import errno
import os
import socket

_ANY = frozenset({"", "::", "*"})


class CannotListen(Exception):
    """The address cannot be used; the message says why and what to do."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound socket, not listening yet. `::` means every interface, IPv4 included where the system has both.

    Args:
        host: An address or a name of this machine.
        port: 0 takes any free one.
        shared: Whether other processes of this program may listen there too, each getting a share of connections.

    Raises:
        CannotListen: the port is taken, forbidden, or the address is not this machine's.
    """
    try:
        family, address = _address(host, port)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host in _ANY else 1)
            sock.bind(address)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        raise CannotListen(_why(host, port, error)) from error
    sock.setblocking(False)
    return sock


def reserve(host: str, port: int) -> socket.socket:
    """A socket that keeps a port for processes which `listen` there with `shared`, and never listens itself.

    Raises:
        CannotListen: as `listen`, and also when another such program listens there.
    """
    # Taken alone first: that fails if anything at all listens there, where sharing would quietly share with it.
    with listen(host, port) as alone:
        port = port_of(alone)
    return listen(host, port, shared=True)


def port_of(sock: socket.socket) -> int:
    """The port that `sock` is bound to."""
    port: int = sock.getsockname()[1]
    return port


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]:
    if host in _ANY:
        return (socket.AF_INET6, ("::", port)) if socket.has_dualstack_ipv6() else (socket.AF_INET, ("0.0.0.0", port))
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), port)


def _why(host: str, port: int, error: OSError) -> str:
    where = f"{'every interface' if host in _ANY else host}, port {port}"
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {where}: something else listens there; stop it or choose another port"
    if error.errno == errno.EACCES:
        return f"cannot listen on {where}: ports below 1024 need a privilege; choose a higher one"
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"cannot listen on {where}: {reason}"
