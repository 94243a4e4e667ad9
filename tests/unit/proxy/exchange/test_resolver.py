"""Names to addresses: asked for once, remembered, and kept when nobody answers any more."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.failure import FailureKind, UpstreamError


class _NameServer:
    """What the system would answer, and how often it was asked; `answers` blocks a lookup while it is cleared."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ("10.0.0.1",)
        self.asked: list[str] = []
        self.answers = threading.Event()
        self.answers.set()
        self.now = 0.0

    def lookup(self, host: str, port: int) -> tuple[str, ...]:
        del port
        self.asked.append(host)
        assert self.answers.wait(10)
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.addresses


@pytest.fixture
def server() -> _NameServer:
    """A name server."""
    return _NameServer()


@pytest.fixture
async def resolver(server: _NameServer) -> AsyncIterator[Resolver]:
    """A resolver that asks it, and takes answers for fresh for five seconds."""
    made = Resolver(server.lookup, fresh_seconds=5.0, now=lambda: server.now)
    yield made
    server.answers.set()
    await made.close()


async def test_asks_again_only_when_the_answer_is_old(resolver: Resolver, server: _NameServer) -> None:
    """Within its freshness an answer is used unasked; after it, what the name server says then."""
    assert await resolver.addresses("a", 80) == ("10.0.0.1",)
    server.addresses = ("10.0.0.2",)
    server.now = 4.0
    assert await resolver.addresses("a", 80) == ("10.0.0.1",)
    server.now = 6.0
    assert await resolver.addresses("a", 80) == ("10.0.0.2",)
    assert len(server.asked) == 2


async def test_the_last_known_addresses_outlive_the_name_server(resolver: Resolver, server: _NameServer) -> None:
    """When a name cannot be resolved any more, what was known goes on being used."""
    await resolver.addresses("a", 80)
    server.addresses = ()
    server.now = 600.0
    assert await resolver.addresses("a", 80) == ("10.0.0.1",)


async def test_a_name_that_never_resolved(resolver: Resolver, server: _NameServer) -> None:
    """A name without any address is a failure that names it."""
    server.addresses = ()
    with pytest.raises(UpstreamError, match="nowhere") as caught:
        await resolver.addresses("nowhere", 80)
    assert caught.value.failure.kind == FailureKind.NAME_NOT_RESOLVED


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "\udcff"])
async def test_a_name_that_is_none(host: str) -> None:
    """A name that cannot even be asked for is a failure like any other."""
    resolver = Resolver()
    with pytest.raises(UpstreamError):
        await resolver.addresses(host, 80)
    await resolver.close()


async def test_many_ask_once(resolver: Resolver, server: _NameServer) -> None:
    """However many requests wait for a name, it is looked up once; one that is cancelled takes nobody's answer away."""
    server.answers.clear()
    waiting = [asyncio.create_task(resolver.addresses("a", 80)) for _ in range(10)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    with suppress(asyncio.CancelledError):
        await waiting[0]
    server.answers.set()
    assert [("10.0.0.1",)] * 9 == await asyncio.gather(*waiting[1:])
    assert server.asked == ["a"]


async def test_a_silent_name_server_holds_up_nobody_else(resolver: Resolver, server: _NameServer) -> None:
    """While one name is waited for, others are answered."""
    await resolver.addresses("b", 80)
    server.answers.clear()
    stuck = asyncio.create_task(resolver.addresses("a", 80))
    await asyncio.sleep(0)
    assert await resolver.addresses("b", 80) == ("10.0.0.1",)
    stuck.cancel()
    with suppress(asyncio.CancelledError):
        await stuck
