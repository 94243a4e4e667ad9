"""One registry for many processes."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from harness.raw_http import exchange
from understudy_proxy.doors.mesh.errors import mesh_errors
from understudy_proxy.doors.mesh.registry import RegistryDoors
from understudy_proxy.doors.mesh.relaying import Before, Relay, nobody, pods, worker
from understudy_proxy.doors.mesh.routes import mesh_routes
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.listening import listen, port_of
from understudy_proxy.mesh.house import House
from understudy_proxy.mesh.registry import Beat, Registry
from understudy_proxy.server import Server

NAME = "proxies"


@asynccontextmanager
async def serving(host: str, port: int, before: Before, *, marked: bool) -> AsyncIterator[tuple[int, Registry]]:
    """A process with a registry at its doors; its port."""
    registry = Registry()
    relay = Relay(before, marked=marked)
    doors = RegistryDoors(
        registry,
        House(namespace=None, version="1"),
        relay=relay,
        own_id="understudy-1",
        address=None,
        clock=time.time,
        timer=time.monotonic,
    )
    server = Server(mesh_routes(doors), errors=mesh_errors)
    await server.start(listen(host, port))
    try:
        yield server.port, registry
    finally:
        await server.close()
        await relay.close()


async def tell(port: int, agent_id: str) -> int:
    """Send a heartbeat."""
    body = json.dumps({"agent_id": agent_id, "tools": []}).encode()
    return (await exchange(port, "POST", "/heartbeat", body)).status


async def test_workers_of_a_pod() -> None:
    """An agent that talks to one is known to all, wherever it is asked for, beats and leaves."""
    async with (
        serving("127.0.0.1", 0, nobody, marked=False) as (first, kept),
        serving("127.0.0.1", 0, worker(first), marked=False) as (second, empty),
    ):
        assert 200 == await tell(second, "a")
        assert 200 == (await exchange(second, "HEAD", "/heartbeat/a")).status
        listed = (await exchange(second, "GET", "/agents?status=healthy", headers={"host": "gateway:8000"})).json()
        assert ["a", "understudy-1"] == [agent["id"] for agent in listed["agents"]]
        assert "http://gateway:8000" == listed["agents"][-1]["endpoint"]
        assert 400 == (await exchange(second, "POST", "/heartbeat", b"{")).status
        assert Beat.KNOWN is kept.beat("a", now=time.monotonic())
        assert 204 == (await exchange(second, "DELETE", "/agents/a")).status
        assert Beat.UNKNOWN is kept.beat("a", now=time.monotonic())
        assert () == empty.entries(now=time.monotonic())


async def test_pods() -> None:
    """The first address keeps the registry; when it is gone the next one does, and agents tell it all."""
    with listen("127.0.0.1", 0) as free:
        port = port_of(free)
    addresses = ("127.0.0.3", "127.0.0.1", "127.0.0.2")
    resolver = Resolver(lambda _host, _port: addresses)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(resolver.close)
        kept: dict[str, Registry] = {}
        first = AsyncExitStack()
        for address in sorted(addresses):
            others = pods(resolver, name=NAME, own=address, port=port)
            of = first if address == "127.0.0.1" else stack
            _, kept[address] = await of.enter_async_context(serving(address, port, others, marked=True))

        at_the_last = Relay(pods(resolver, name=NAME, own="127.0.0.9", port=port), marked=True)
        stack.push_async_callback(at_the_last.close)
        body = b'{"agent_id": "a"}'
        answer = await at_the_last.ask("POST", "/heartbeat", raw=body)
        assert answer is not None
        assert 200 == answer.status
        assert Beat.KNOWN is kept["127.0.0.1"].beat("a", now=time.monotonic())

        await first.aclose()
        answer = await at_the_last.ask("HEAD", "/heartbeat/a")
        assert answer is not None
        assert 410 == answer.status
        assert await at_the_last.ask("POST", "/heartbeat", raw=body) is not None
        assert Beat.KNOWN is kept["127.0.0.2"].beat("a", now=time.monotonic())


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        pytest.param("10.0.0.1", [], id="the first"),
        pytest.param("10.0.0.3", ["http://10.0.0.1:8080", "http://10.0.0.2:8080"], id="another"),
        pytest.param("10.0.0.9", [f"http://10.0.0.{last}:8080" for last in (1, 2, 3)], id="one that is not ready yet"),
    ],
)
async def test_who_comes_before(own: str, asked: list[str]) -> None:
    """By address, and not more than a few."""
    resolver = Resolver(lambda _host, _port: ("10.0.0.3", "10.0.0.1", "10.0.0.4", "10.0.0.2"))
    assert asked == list(await pods(resolver, name=NAME, own=own, port=8080)())
    await resolver.close()


async def test_nobody_knows_the_others() -> None:
    """Then each is on its own."""

    def lookup(_host: str, _port: int) -> tuple[str, ...]:
        raise OSError

    resolver = Resolver(lookup)
    assert [] == list(await pods(resolver, name=NAME, own="10.0.0.1", port=8080)())
    await resolver.close()
