"""A mock that is stopped in order: what runs ends well, and nothing new is taken."""

import asyncio
import json
from typing import Any

from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import PATIENCE_SECONDS, Answer, RawHttp, eventually, exchange
from understudy.mock import Mock, Settings

CHAT = "/v1/chat/completions"
KEPT_OPEN = {"connection": "keep-alive"}


def question(**fields: Any) -> bytes:
    """Return the body of a chat request."""
    return json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def refuses(port: int) -> bool:
    """Whether nobody takes a new connection."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_running_streams_end_well() -> None:
    """A stream that has begun gets all its chunks, its connection is closed after it, and no other one is taken."""
    settings = Settings(reply="one two three four five", token_interval=0.02)
    async with Mock(settings=settings) as mock, RawHttp(mock.port) as client:
        client.send("POST", CHAT, question(stream=True), KEPT_OPEN)
        await client.saw(b"one")
        draining = asyncio.create_task(mock.drain(within_seconds=PATIENCE_SECONDS))
        await asyncio.sleep(0)
        assert await refuses(mock.port)
        answer = await client.answer()
        await draining
    assert answer.complete
    assert answer.body.endswith(b"data: [DONE]\n\n")


async def test_a_body_under_way_is_still_read() -> None:
    """A request whose head is there is answered, although its body comes later."""
    body = question()
    async with Mock() as mock, RawHttp(mock.port) as client:
        client.send_bytes(f"POST {CHAT} HTTP/1.1\r\nhost: test\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        await exchange(mock.port, "GET", "/health")  # what was sent before is read before
        draining = asyncio.create_task(mock.drain(within_seconds=PATIENCE_SECONDS))
        await asyncio.sleep(0)
        client.send_bytes(body)
        answer = await client.answer()
        await draining
    assert (answer.status, answer.complete) == (200, True)


async def test_idle_connections_are_closed() -> None:
    """Nobody waits for a client that asks nothing."""
    async with Mock() as mock, RawHttp(mock.port) as client:
        client.send("POST", CHAT, question(), KEPT_OPEN)
        await client.saw(b"You said")
        await mock.drain(within_seconds=PATIENCE_SECONDS)
        assert (await client.answer()).complete


async def test_what_does_not_end_in_time_is_dropped() -> None:
    """A stalled stream keeps a mock from its end only for so long."""
    async with Mock(faults=["stall-after:1"]) as mock, RawHttp(mock.port) as client:
        client.send("POST", CHAT, question(stream=True))
        await client.saw(b"This")
        await mock.drain(within_seconds=0.05)
        assert client.open
        await mock.stop()
        assert not (await client.answer()).complete


async def test_returns_after_it_was_drained() -> None:
    """Drained, stopped and started again, it answers at the same address."""
    async with Mock() as mock:
        await mock.drain(within_seconds=PATIENCE_SECONDS)
        await mock.stop()
        await mock.start()
        assert (await exchange(mock.port, "POST", CHAT, question())).status == 200


async def test_behind_a_gateway_nobody_notices() -> None:
    """A provider that is stopped in order, over and over, cuts no stream and fails no request behind a gateway."""
    settings = Settings(reply="one two three", token_interval=0.01)
    async with Mock(name="lead", settings=settings) as lead, Mock(name="second", settings=settings) as second:
        providers = [provider("lead", lead.url), provider("second", second.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("lead", "second"))])) as serving:
            answers: list[Answer] = []
            over = asyncio.Event()

            async def load(*, stream: bool) -> None:
                body = question(model="chat", stream=stream)
                while not over.is_set():
                    answers.append(await exchange(serving.port, "POST", CHAT, body))

            running = [asyncio.create_task(load(stream=number % 2 == 0)) for number in range(8)]
            for _ in range(5):
                seen = lead.stats.requests
                await eventually(lambda seen=seen: lead.stats.requests > seen + 8)  # type: ignore[misc] # bound at once
                await lead.drain(within_seconds=PATIENCE_SECONDS)
                await lead.stop()
                asked = second.stats.requests
                await eventually(lambda asked=asked: second.stats.requests > asked)  # type: ignore[misc] # bound at once
                await lead.start()
            over.set()
            await asyncio.gather(*running)
    assert {(answer.status, answer.complete) for answer in answers} == {(200, True)}
    assert [answer for answer in answers if b"stream_interrupted" in answer.body] == []
    assert {answer.headers["x-understudy-provider"] for answer in answers} == {"default/lead", "default/second"}
