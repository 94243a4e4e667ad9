"""Clients that leave, and gateways that do: nothing goes on for nobody, and nothing ends without a word."""

import asyncio
from typing import Any

import pytest

from harness.asking import PATH, ask, chat_body, told
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import RawHttp, eventually
from understudy.mock import Mock, Settings

SLOW = Settings(tokens=1000, token_interval=0.01)
FOREVER = 60.0


def _serving(mock: Mock, **settings: Any) -> Serving:
    return Serving(snapshot([provider("a", mock.url)], [route("chat", *in_order("a"))]), settings=settings)


@pytest.mark.parametrize(
    ("fault", "stream", "seen"),
    [
        pytest.param(None, True, b"data: ", id="in the middle of a stream"),
        pytest.param("stall-after:2", True, b"data: ", id="while the stream is silent"),
        pytest.param("delay:60s", True, b"", id="before a stream began"),
        pytest.param("delay:60s", False, b"", id="while a whole answer is made"),
        pytest.param("stall", False, b"", id="after the upstream's headers"),
    ],
)
async def test_a_client_that_leaves_cancels_its_upstream(fault: str | None, stream: bool, seen: bytes) -> None:
    """The upstream is cancelled at once, it is no failure of the backend's, and the log says who left."""
    async with Mock(name="a", faults=[fault] if fault else [], settings=SLOW) as mock, _serving(mock) as gateway:
        async with RawHttp(gateway.port) as client:
            client.send("POST", PATH, chat_body(stream=stream))
            await eventually(lambda: mock.stats.in_flight == 1)
            await client.saw(seen)
        await eventually(lambda: mock.stats.aborted == 1)
        await eventually(lambda: any(line.get("status") == 499 or line.get("client_left") for line in gateway.log()))
        assert await gateway.metric("understudy_endpoints_out") == 0
        mock.set_faults([])
        mock.settings = Settings()
        assert (await ask(gateway.port)).status == 200


async def test_a_client_that_leaves_during_failover_asks_nobody_else() -> None:
    """Once the client has gone, no further backend is asked."""
    async with Mock(name="a", faults=["delay:60s"]) as a, Mock(name="b") as b:
        providers = [provider("a", a.url), provider("b", b.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            async with RawHttp(gateway.port) as client:
                client.send("POST", PATH, chat_body())
                await eventually(lambda: a.stats.in_flight == 1)
            await gateway.reaches("understudy_requests_in_flight", 0)
            assert b.stats.requests == 0


async def test_draining_lets_requests_come_to_their_end() -> None:
    """A stream and a whole answer that are under way end well; new connections are refused."""
    paced = Settings(tokens=30, token_interval=0.02)
    async with Mock(name="a", settings=paced) as mock, _serving(mock) as gateway:
        asked = [asyncio.create_task(ask(gateway.port, stream=stream)) for stream in (True, False)]
        await eventually(lambda: mock.stats.in_flight == 2)
        draining = asyncio.create_task(gateway.gateway.drain(deadline_seconds=FOREVER))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", gateway.port)
        answers = await asyncio.gather(*asked)
        assert [True, True] == [answer.whole for answer in answers]
        assert await draining == 0


async def test_draining_cuts_at_the_deadline_and_says_so() -> None:
    """What does not end in time is told: a stream in-band, a request without an answer by a 503 to try again."""
    async with Mock(name="a", settings=SLOW) as mock, _serving(mock) as gateway:
        async with RawHttp(gateway.port) as streaming, RawHttp(gateway.port) as waiting:
            streaming.send("POST", PATH, chat_body(stream=True))
            await streaming.saw(b"This")
            mock.set_faults(["delay:60s"])
            waiting.send("POST", PATH, chat_body())
            await eventually(lambda: mock.stats.in_flight == 2)
            assert await gateway.gateway.drain(deadline_seconds=0.05) == 2
            cut, refused = told(await streaming.answer()), told(await waiting.answer())
        assert (200, False, "stream_interrupted") == (cut.status, cut.whole, (cut.error or {})["code"])
        assert (503, "shutting_down", "1") == (
            refused.status,
            refused.header("reason"),
            refused.answer.headers["retry-after"],
        )
        await eventually(lambda: mock.stats.aborted == 2)


async def test_a_retiring_gateway_sends_its_clients_away() -> None:
    """Before it drains, each answer ends its connection, so that clients open the next one elsewhere."""
    async with Mock(name="a") as mock, _serving(mock) as gateway, RawHttp(gateway.port) as client:
        client.send("POST", PATH, chat_body(), {"connection": "keep-alive"})
        await client.saw(b"HTTP/1.1 200 OK")
        assert client.open
        gateway.gateway.retire()
        client.send("POST", PATH, chat_body(), {"connection": "keep-alive"})
        answer = await client.answer()
        assert b"connection: close" in answer.body
        assert (await ask(gateway.port)).status == 200


async def test_draining_closes_idle_connections() -> None:
    """A kept connection that carries nothing does not hold a drain up."""
    async with Mock(name="a") as mock, _serving(mock) as gateway, RawHttp(gateway.port) as client:
        client.send("POST", PATH, chat_body(), {"connection": "keep-alive"})
        await client.saw(b"HTTP/1.1 200 OK")
        assert await gateway.gateway.drain(deadline_seconds=FOREVER) == 0
        await client.answer()
