"""What is asked of the kernel, so that it notices peers that are gone; integration tests show that it does."""

import errno
import socket

import pytest

from understudy_proxy.exchange.silence import allow_unacknowledged, break_after, is_gone

LINUX = hasattr(socket, "TCP_USER_TIMEOUT") and hasattr(socket, "TCP_KEEPIDLE")


@pytest.mark.skipif(not LINUX, reason="these are the options of Linux")
@pytest.mark.parametrize(
    ("seconds", "bound"),
    [
        pytest.param(0.05, 3, id="never so little that a lost packet is a lost peer"),
        pytest.param(1, 3, id="a short timeout"),
        pytest.param(5, 5, id="the default"),
        pytest.param(60, 60, id="a long one"),
        pytest.param(1_000_000, 3600, id="never more than the kernel takes"),
    ],
)
def test_silence_is_bounded(seconds: float, bound: int) -> None:
    """By the bound at the latest, whether something was sent or is waited for, and by several probes."""
    with socket.socket() as sock:
        break_after(seconds, sock)
        told = [
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_USER_TIMEOUT,
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT,
            )
        ]
        user_timeout, idle, between, probes = told
        assert (1, bound * 1000) == (sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), user_timeout)
        assert bound <= idle + between * probes <= bound + 1
        assert idle < bound
        allow_unacknowledged(bound + 30, sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) >= bound * 1000


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        pytest.param(OSError(errno.ETIMEDOUT, ""), True, id="nothing acknowledged"),
        pytest.param(OSError(errno.EHOSTUNREACH, ""), True, id="no way to the host"),
        pytest.param(OSError(errno.ENETUNREACH, ""), True, id="no way to the network"),
        pytest.param(OSError(errno.ECONNREFUSED, ""), False, id="somebody refuses"),
        pytest.param(ConnectionResetError(errno.ECONNRESET, ""), False, id="somebody closes"),
        pytest.param(TimeoutError(), False, id="a wait of our own that is over"),
        pytest.param(None, False, id="a clean end"),
    ],
)
def test_who_is_gone(error: BaseException | None, gone: bool) -> None:
    """Somebody who refuses or closes is there."""
    assert gone == is_gone(error)
