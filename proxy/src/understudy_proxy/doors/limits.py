"""How much of everything one client may take: a bound on each size and each wait of the serving side."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    Attributes:
        body_bytes: The largest request body. Images travel inside: vendors take 20 to 50 MB.
        values_bytes: What the values of one body may take in memory beyond the usual: a million of them, or so.
        bodies_bytes: What the bodies of all requests in flight may hold together, their values included.
        body_seconds: How long a client may take to send its body.
        head_bytes: The longest line of a request's head.
        head_fields: How many headers a request may have.
        head_seconds: How long a client may take to send the head, once it has begun.
        keep_alive_seconds: How long a connection may be idle; longer than the 60 s of most load balancers.
        unread_seconds: How long a client may leave what it was sent unread.
        connections: How many connections may be open.
    """

    body_bytes: int = 32 * MIB
    values_bytes: int = 64 * MIB
    bodies_bytes: int = 256 * MIB
    body_seconds: float = 60.0
    head_bytes: int = 16 * 1024
    head_fields: int = 128
    head_seconds: float = 10.0
    keep_alive_seconds: float = 75.0
    unread_seconds: float = 60.0
    connections: int = 10_000
