"""Peers that are gone without a word: a pod that was deleted, a node that lost power.

Nothing tells that such a connection is dead, so the kernel is asked to find out: it breaks a connection whose other
end has acknowledged nothing for a while, neither what was sent nor, while nobody sends, its own probes.
"""

import errno
import math
import socket

_LEAST_SECONDS, _MOST_SECONDS = 3.0, 3600.0
"""Retransmissions and probes are up to a second apart: with less, a lost packet or two would pass for a lost peer. More
than some hours the kernel does not take."""
_PROBES = 3
_GONE = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})


def break_after(seconds: float, sock: socket.socket) -> None:
    """Have `sock` broken when its other end has been silent for about `seconds`; at least 3 s, at most an hour."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    seconds = _bounded(seconds)
    between = max(1, math.ceil(seconds / (2 * _PROBES)))
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, math.ceil(seconds) - _PROBES * between))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, between)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    allow_unacknowledged(seconds, sock)


def allow_unacknowledged(seconds: float, sock: socket.socket) -> None:
    """Let what is sent be unacknowledged, or be kept from being sent by a peer that reads nothing, for so long."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_bounded(seconds) * 1000))


def is_gone(error: BaseException | None) -> bool:
    """Whether `error` says that nobody is at the other end, as opposed to somebody who refuses or closes."""
    return isinstance(error, OSError) and error.errno in _GONE


def _bounded(seconds: float) -> float:
    return min(max(seconds, _LEAST_SECONDS), _MOST_SECONDS)
