"""Under load: everything is bounded, and one slow upstream is nobody else's."""

import asyncio
import os
from pathlib import Path

import pytest

from harness.asking import PATH, ask, chat_body
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import RawHttp, eventually, exchange
from harness.raw_upstream import Line, RawUpstream
from understudy.mock import Mock, Settings
from understudy_api.config import RetryPolicy, Timeouts
from understudy_proxy.doors.door import Answer, Request, Route
from understudy_proxy.doors.limits import Limits
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.listening import listen
from understudy_proxy.server import Server

LONG = Timeouts(request_seconds=60, stream_idle_seconds=60, first_token_seconds=60)
MIB = 1024 * 1024


def _rss() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_one_slow_upstream_delays_nobody_else() -> None:
    """With hundreds of requests stuck at one upstream, another route answers as ever."""
    async with Mock(name="a", faults=["stall"]) as a, Mock(name="b") as b:
        providers = [provider("a", a.url, timeouts=LONG), provider("b", b.url)]
        routes = [route("stuck", *in_order("a")), route("chat", *in_order("b"))]
        async with Serving(snapshot(providers, routes), settings={"max_in_flight": 400}) as gateway:
            stuck = [asyncio.create_task(ask(gateway.port, model="stuck")) for _ in range(350)]
            # An upstream without a bound of its own gets three quarters of the process; the others are told at once.
            await eventually(lambda: sum(task.done() for task in stuck) == 50)
            refused = [task.result() for task in stuck if task.done()]
            assert {(503, "busy", "1")} == {
                (one.status, one.header("reason"), one.answer.headers["retry-after"]) for one in refused
            }
            answers = await asyncio.gather(*[ask(gateway.port, stream=stream) for stream in (True, False) * 10])
            assert {(200, True)} == {(answer.status, answer.whole) for answer in answers}
            assert a.stats.in_flight == 300
            for task in stuck:
                task.cancel()


async def test_an_upstream_s_own_bound_moves_requests_on() -> None:
    """Beyond `maxConcurrency` the next backend is asked; nobody waits in line, and nothing counts as a failure."""
    async with Mock(name="a", settings=Settings(tokens=200, token_interval=0.01)) as a, Mock(name="b") as b:
        providers = [provider("a", a.url, max_concurrency=2, timeouts=LONG), provider("b", b.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            first = [asyncio.create_task(ask(gateway.port, stream=True)) for _ in range(2)]
            await eventually(lambda: a.stats.in_flight == 2)
            told = await ask(gateway.port)
            assert ("default/b", "busy", "1") == (
                told.header("provider"),
                told.header("reason"),
                told.header("attempts"),
            )
            assert ["default/a"] * 2 == [one.header("provider") for one in await asyncio.gather(*first)]


async def test_too_many_requests_are_told_at_once() -> None:
    """Beyond the process's bound a request is refused before its body is read, with a time to come back."""
    async with Mock(name="a", faults=["stall"]) as a:
        served = snapshot([provider("a", a.url, timeouts=LONG, max_concurrency=100)], [route("chat", *in_order("a"))])
        async with Serving(served, settings={"max_in_flight": 3}) as gateway:
            stuck = [asyncio.create_task(ask(gateway.port)) for _ in range(3)]
            await eventually(lambda: a.stats.in_flight == 3)
            told = await ask(gateway.port)
            assert (503, "overloaded", "1", "overloaded") == (
                told.status,
                told.header("reason"),
                told.answer.headers["retry-after"],
                (told.error or {})["code"],
            )
            for task in stuck:
                task.cancel()
            await gateway.reaches("understudy_requests_in_flight", 0)


def _event(text: str) -> bytes:
    data = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    data += b'{"content":"%b"},"finish_reason":null}]}\n\n' % text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_a_client_that_does_not_read_makes_the_upstream_wait() -> None:
    """A stream that nobody reads fills the sockets and then stands still; the gateway keeps next to nothing of it."""
    sent = 0
    event = _event("x" * 16_000)

    async def script(line: Line) -> None:
        nonlocal sent
        await line.request()
        await line.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await line.send(event)
            sent += len(event)

    async with RawUpstream(script) as upstream:
        there = provider("a", f"http://127.0.0.1:{upstream.port}", timeouts=LONG)
        async with Serving(snapshot([there], [route("chat", *in_order("a"))])) as gateway:
            before = _rss()
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
            body = chat_body(stream=True)
            writer.write(
                b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (PATH.encode(), len(body)) + body
            )
            await reader.read(16)
            stands_at = -1
            while stands_at != sent:  # until nothing more fits anywhere
                stands_at = sent
                await asyncio.sleep(0.2)
            # Both pairs of sockets hold some megabytes of it; were it not to stop, it would be hundreds by now.
            assert sent < 32 * MIB
            assert _rss() - before < 24 * MIB
            writer.transport.abort()


async def test_five_hundred_streams_at_once() -> None:
    """Streams side by side all come whole, and cost some kilobytes each."""
    async with Mock(name="a", settings=Settings(tokens=20, token_interval=0.1)) as mock:
        served = snapshot([provider("a", mock.url, timeouts=LONG)], [route("chat", *in_order("a"))])
        async with Serving(served) as gateway:
            await ask(gateway.port, stream=True)
            before = _rss()
            asked = [asyncio.create_task(ask(gateway.port, stream=True)) for _ in range(500)]
            await eventually(lambda: mock.stats.in_flight > 400)
            # The mock and the clients, which live in this process too, are in this figure.
            assert _rss() - before < 120 * MIB
            assert {(200, True, "1")} == {
                (told.status, told.whole, told.header("attempts")) for told in await asyncio.gather(*asked)
            }


async def test_retries_do_not_pile_up() -> None:
    """When everything fails, the repeats stay within the budget: no storm on an upstream that is down."""
    async with Mock(name="a", faults=["500"]) as a:
        policy = RetryPolicy(base_seconds=0, max_seconds=0.01, budget_percent=10)
        healthy = {"consecutive_failures": 1_000_000}
        one = provider("a", a.url)
        one = one.model_copy(update={"health": one.health.model_copy(update=healthy)})
        async with Serving(snapshot([one], [route("chat", *in_order("a"), retry=policy)])) as gateway:
            for _ in range(100):
                await ask(gateway.port)
            assert 100 < a.stats.requests <= 100 + 10 + 10 + 5


async def test_bodies_in_memory_are_bounded() -> None:
    """Bodies of requests under way are bounded together; one too many is told so, and has its turn afterwards."""
    holding, released = asyncio.Event(), asyncio.Event()

    async def hold(request: Request) -> Answer:
        body = await request.body()
        holding.set()
        await released.wait()
        return Answer(body=b"%d" % len(body))

    limits = Limits(body_bytes=60_000, bodies_bytes=100_000)
    server = Server([Route("/", {"POST": hold}, openai_errors)], errors=openai_errors, limits=limits)
    await server.start(listen("127.0.0.1", 0))
    async with RawHttp(server.port) as one:
        one.send("POST", "/", b"x" * 60_000)
        await holding.wait()
        refused = await exchange(server.port, "POST", "/", b"x" * 60_000)
        assert (503, "overloaded") == (refused.status, refused.headers["x-understudy-reason"])
        released.set()
        assert (await one.answer()).body == b"60000"
        assert (await exchange(server.port, "POST", "/", b"x" * 60_000)).body == b"60000"
    await server.close()


@pytest.mark.parametrize("value", ["[]", "{}", '{"a":0}', "0.5"])
async def test_what_a_body_holds_is_bounded(value: str) -> None:
    """A body within the bound of its bytes can stand for thirty times as many; it is refused before it is parsed."""
    bloated = f'{{"model":"chat","messages":[{{"role":"user","content":"x"}}],"x":[{f"{value}," * 2_000_000}0]}}'
    async with (
        Mock(name="a") as a,
        Serving(snapshot([provider("a", a.url)], [route("chat", *in_order("a"))])) as served,
    ):
        before = _rss()
        refused = await exchange(served.port, "POST", PATH, bloated.encode())
        assert (413, "large_body") == (refused.status, refused.headers["x-understudy-reason"])
        assert _rss() - before < 64 * MIB
        assert (await ask(served.port)).status == 200


async def test_a_long_text_is_not_too_much() -> None:
    """A program of a few million tokens, with all its commas and braces, passes."""
    body = chat_body(said='if (x, "y") {"z"}\n' * 400_000)
    async with (
        Mock(name="a") as a,
        Serving(snapshot([provider("a", a.url)], [route("chat", *in_order("a"))])) as served,
    ):
        assert (await exchange(served.port, "POST", PATH, body)).status == 200


async def test_connections_are_bounded() -> None:
    """A connection beyond the bound is told so and closed; when one ends, the next is welcome."""

    async def door(_request: Request) -> Answer:
        return Answer()

    limits = Limits(connections=2)
    server = Server([Route("/", {"GET": door}, openai_errors)], errors=openai_errors, limits=limits)
    await server.start(listen("127.0.0.1", 0))
    async with RawHttp(server.port) as one, RawHttp(server.port) as two:
        for client in (one, two):
            client.send("GET", "/", headers={"connection": "keep-alive"})
            await client.saw(b"HTTP/1.1 200 OK")
        refused = await exchange(server.port, "GET", "/")
        assert (503, "close") == (refused.status, refused.headers["connection"])
        one.leave()
        async with asyncio.timeout(10):
            while (await exchange(server.port, "GET", "/")).status != 200:
                pass
    await server.close()


async def test_a_client_that_never_reads_is_left() -> None:
    """An answer that nobody reads ends with its connection after its time, and holds nothing any longer."""
    written = asyncio.Event()

    async def large(request: Request) -> Answer | None:
        flow = await request.begin(Answer())
        with pytest.raises(ConnectionError):
            await flow.write(b"x" * 64 * MIB)
        written.set()
        return None

    server = Server(
        [Route("/", {"GET": large}, openai_errors)], errors=openai_errors, limits=Limits(unread_seconds=0.1)
    )
    await server.start(listen("127.0.0.1", 0))
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.wait_for(written.wait(), 10)
    writer.close()
    await server.close()


async def test_our_own_mistakes_are_told_without_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of the gateway's own is a 500 with an id, and the log has the cause under the same id, once."""

    async def broken(_request: Request) -> Answer:
        raise KeyError("something private")

    server = Server([Route("/", {"GET": broken}, openai_errors)], errors=openai_errors)
    await server.start(listen("127.0.0.1", 0))
    answer = await exchange(server.port, "GET", "/", headers={"x-request-id": "mine-1"})
    assert (500, "mine-1") == (answer.status, answer.headers["x-request-id"])
    assert b"private" not in answer.body
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert ["mine-1"] == [getattr(record, "request_id", None) for record in told]
    assert told[0].exc_info is not None
    await server.close()
