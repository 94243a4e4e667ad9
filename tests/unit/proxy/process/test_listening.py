"""Sockets to listen on, and one line when there is none to be had."""

import socket

import pytest

from understudy_proxy.listening import CannotListen, listen, port_of, reserve


def connects(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", id="IPv4"),
        pytest.param("::", "127.0.0.1", id="every interface, by IPv4"),
        pytest.param("localhost", "localhost", id="a name"),
    ],
)
def test_listens(host: str, reached: str) -> None:
    """Port 0 takes a free one."""
    with listen(host, 0) as sock:
        sock.listen()
        assert connects(reached, port_of(sock))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this system has no dual-stack sockets")
def test_every_interface_means_ipv6_too() -> None:
    """A pod of an IPv6 cluster is reached by the same setting."""
    with listen("::", 0) as sock:
        sock.listen()
        assert connects("::1", port_of(sock))


def test_says_that_the_port_is_taken() -> None:
    """The line names the port and what to do."""
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(CannotListen, match=rf"127.0.0.1, port {port_of(taken)}: something else listens there"):
            listen("127.0.0.1", port_of(taken))


def test_says_that_the_address_is_somebody_elses() -> None:
    """An address that this machine does not have is told so."""
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1, port 0: Cannot assign"):
        listen("192.0.2.1", 0)


def test_a_reserved_port_is_shared_by_those_who_know() -> None:
    """Workers listen where the supervisor reserved, and a dead one leaves nothing behind that takes connections."""
    with reserve("127.0.0.1", 0) as reserved:
        port = port_of(reserved)
        assert not connects("127.0.0.1", port)
        with listen("127.0.0.1", port, shared=True) as one, listen("127.0.0.1", port, shared=True) as other:
            one.listen()
            other.listen()
            one.close()
            assert connects("127.0.0.1", port)


def test_does_not_share_with_another_gateway() -> None:
    """Two gateways on one port would each get half of the requests, and nobody would know why."""
    with reserve("127.0.0.1", 0) as reserved, listen("127.0.0.1", port_of(reserved), shared=True) as sock:
        sock.listen()
        with pytest.raises(CannotListen, match="something else listens there"):
            reserve("127.0.0.1", port_of(reserved))
