"""Upstreams that are gone from one moment to the next, without a word: noticed soon, and somebody else answers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.asking import Told, ask, chat_body
from harness.fixtures import skip_where_missing
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import eventually
from harness.raw_upstream import Line, RawUpstream, ok
from harness.upstreams import upstream
from harness.vanishing import VanishingMock
from understudy.mock import Mock
from understudy_api.config import HealthPolicy, Provider, Snapshot, Timeouts
from understudy_proxy.exchange.aiohttp_transport import AiohttpTransport
from understudy_proxy.exchange.http.transport import HttpTransport
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.transport import Sending, Transport
from understudy_proxy.failure import FailureKind, UpstreamError

CONNECT_SECONDS = 2.0
WITHIN_SECONDS = 2 * CONNECT_SECONDS + 3
"""What a request may cost that meets the vanished: far less than anything else that would end its wait."""
TIMEOUTS = Timeouts(
    connect_seconds=CONNECT_SECONDS, first_token_seconds=60, stream_idle_seconds=60, request_seconds=120
)
OUT = HealthPolicy(ejection_seconds=60, max_ejection_seconds=60)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[VanishingMock]:
    """A mock that can vanish."""
    with skip_where_missing():
        made = VanishingMock("a", tmp_path)
    with made:
        yield made


def _configuration(peer: VanishingMock, understudy: Mock) -> Snapshot:
    def patient(name: str, url: str) -> Provider:
        return provider(name, url, timeouts=TIMEOUTS, health=OUT)

    return snapshot([patient("a", peer.url), patient("b", understudy.url)], [route("chat", *in_order("a", "b"))])


def _seen(told: Told) -> tuple[bool, str | None, str | None, str | None]:
    return told.whole, told.header("provider"), told.header("reason"), told.header("attempts")


@pytest.fixture(params=[False, True], ids=["own client", "aiohttp"])
def egress_proxy(request: pytest.FixtureRequest) -> bool:
    """With each transport."""
    made: bool = request.param
    return made


async def test_kept_connections_to_nobody(peer: VanishingMock, egress_proxy: bool) -> None:
    """Requests that went out on kept connections are answered by the understudy soon, and the next ones at once."""
    async with Mock(name="b") as b:
        settings = {"egress_proxy": egress_proxy}
        async with Serving(_configuration(peer, b), settings=settings) as gateway:
            before = await asyncio.gather(*[ask(gateway.port) for _ in range(4)])
            assert {"default/a"} == {told.header("provider") for told in before}

            peer.vanish()
            async with asyncio.timeout(WITHIN_SECONDS):
                first = await asyncio.gather(ask(gateway.port), ask(gateway.port, stream=True))
            assert [(True, "default/b", "unreachable", "2")] * 2 == [_seen(told) for told in first]
            async with asyncio.timeout(WITHIN_SECONDS):
                after = await ask(gateway.port)
            assert (True, "default/b", None, "1") == _seen(after)


async def test_a_peer_that_vanishes_while_it_is_waited_for(peer: VanishingMock, egress_proxy: bool) -> None:
    """It has the request and is about to answer: that nothing can come any more is noticed although nobody sends."""
    peer.play("delay:60s")
    async with Mock(name="b") as b:
        settings = {"egress_proxy": egress_proxy}
        async with Serving(_configuration(peer, b), settings=settings) as gateway:
            waiting = asyncio.gather(ask(gateway.port), ask(gateway.port, stream=True))
            await eventually(lambda: peer.asked() == 2)
            peer.vanish()
            async with asyncio.timeout(WITHIN_SECONDS):
                answers = await waiting
            assert [(True, "default/b", "unreachable", "2")] * 2 == [_seen(told) for told in answers]


@pytest.fixture(params=[HttpTransport])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    """The gateway's own client, unless a test asks for others."""
    resolver = Resolver()
    made: Transport = request.param(resolver)
    yield made
    await made.close()
    await resolver.close()


async def _send(transport: Transport, sending: Sending) -> FailureKind | None:
    """How it failed; None if it did not."""
    try:
        receiving = await transport.send(sending, within=60)
        await receiving.read(limit=1024 * 1024, within=60)
        receiving.close()
    except UpstreamError as error:
        return error.failure.kind
    return None


async def test_one_dead_connection_gives_the_other_idle_ones_away(peer: VanishingMock, transport: Transport) -> None:
    """What is known of the first dead connection holds for the others: nobody else is sent out on one of them."""
    to = upstream(f"{peer.url}/v1", timeouts=TIMEOUTS)
    sending = Sending(to, "/chat/completions", chat_body("m"))
    assert [None] * 4 == await asyncio.gather(*[_send(transport, sending) for _ in range(4)])
    peer.vanish()
    assert [FailureKind.UNREACHABLE, FailureKind.CONNECT_TIMEOUT] == [
        await _send(transport, sending),
        await _send(transport, sending),
    ]


@pytest.mark.parametrize("transport", [HttpTransport, AiohttpTransport], indirect=True)
async def test_nobody_has_the_address(peer: VanishingMock, transport: Transport) -> None:
    """A way that ends nowhere is told from somebody who refuses: asking there again would take as long."""
    peer.be_deleted()
    to = upstream(f"{peer.url}/v1", timeouts=Timeouts(connect_seconds=60))
    assert await _send(transport, Sending(to, "/chat/completions", chat_body("m"))) is FailureKind.UNREACHABLE


async def test_a_busy_peer_is_not_taken_for_a_vanished_one(transport: Transport) -> None:
    """A model server that is slow to read a large request, images or a long context, is still there."""

    async def script(line: Line) -> None:
        await asyncio.sleep(4)  # longer than silence is borne
        await line.request()
        await line.send(ok(b"hello"))

    async with RawUpstream(script) as raw:
        to = upstream(f"http://127.0.0.1:{raw.port}/v1", timeouts=Timeouts(connect_seconds=1))
        assert await _send(transport, Sending(to, "/chat/completions", b"x" * 16 * 1024 * 1024)) is None
