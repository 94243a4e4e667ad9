"""What every transport does with upstreams good and bad: one suite over all implementations, on real sockets."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from harness.certificates import Certificates, certificates
from harness.raw_upstream import Line, RawUpstream, Received, answering, ok
from harness.upstreams import upstream
from understudy_api.config import MeshSource, Timeouts
from understudy_proxy.config.runtime import Upstream
from understudy_proxy.exchange.aiohttp_transport import AiohttpTransport
from understudy_proxy.exchange.http.transport import HttpTransport
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.transport import Receiving, Sending, Transport
from understudy_proxy.failure import FailureKind, UpstreamError

PATIENT = 5.0
LIMIT = 1024 * 1024
KNOWN_NAMES = {
    "models.test": ("127.0.0.1",),
    "nowhere-and-here.test": ("127.0.0.2", "127.0.0.1"),
    "secrets.test": ("169.254.169.254",),
    "secrets-and-here.test": ("127.0.0.1", "fd00:ec2::254"),
}


def _lookup(host: str, port: int) -> tuple[str, ...]:
    del port
    if host not in KNOWN_NAMES:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return KNOWN_NAMES[host]


@pytest.fixture(params=[HttpTransport, AiohttpTransport])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    """Each transport, with names of its own."""
    resolver = Resolver(_lookup)
    made: Transport = request.param(resolver)
    yield made
    await made.close()
    await resolver.close()


def _up(raw: RawUpstream, *, host: str = "127.0.0.1", connect_seconds: float = 5.0) -> Upstream:
    return upstream(f"http://{host}:{raw.port}/v1", timeouts=Timeouts(connect_seconds=connect_seconds))


async def _send(transport: Transport, to: Upstream, body: bytes = b"{}", *, within: float = PATIENT) -> Receiving:
    return await transport.send(Sending(to, "/chat/completions", body), within=within)


async def _read(transport: Transport, to: Upstream) -> bytes:
    """One request, its whole answer, the connection given back."""
    receiving = await _send(transport, to)
    try:
        return await receiving.read(limit=LIMIT, within=PATIENT)
    finally:
        receiving.close()


async def _failure(transport: Transport, to: Upstream) -> FailureKind:
    with pytest.raises(UpstreamError) as caught:
        await _read(transport, to)
    return caught.value.failure.kind


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((ok(b"hello"),), id="content-length"),
        pytest.param((b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 5\r\n\r\nhe", b"llo"), id="in pieces"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nhe\r\n3\r\nllo\r\n", b"0\r\n\r\n"),
            id="chunked",
        ),
        pytest.param((b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", ok(b"hello")), id="after an interim response"),
        pytest.param((b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"hello"),), id="after an unasked 100"),
        pytest.param((ok(gzip.compress(b"hello"), "content-encoding: gzip"),), id="gzip, though not asked for"),
        pytest.param((ok(zlib.compress(b"hello"), "content-encoding: deflate"),), id="deflate, though not asked for"),
    ],
)
async def test_reads_an_answer_and_keeps_the_connection(transport: Transport, parts: tuple[bytes, ...]) -> None:
    """However an answer is framed, it comes whole, and the next request goes over the same connection."""
    async with RawUpstream(answering(*parts)) as raw:
        to = _up(raw)
        assert [b"hello", b"hello"] == [await _read(transport, to), await _read(transport, to)]
        assert raw.connections == 1


async def test_an_answer_may_end_with_its_connection(transport: Transport) -> None:
    """A body without a length is whole when the connection ends, as HTTP/1.0 servers have it."""

    async def script(line: Line) -> None:
        await line.request()
        await line.send(b"HTTP/1.0 200 OK\r\n\r\nhello")

    async with RawUpstream(script) as raw:
        assert await _read(transport, _up(raw)) == b"hello"


async def test_sends_what_is_to_be_sent(transport: Transport) -> None:
    """The upstream gets the path below its base URL, its own headers, the request's, and the exact body."""
    got: list[Received] = []

    async def script(line: Line) -> None:
        got.append(await line.request())
        await line.send(ok(b""))

    async with RawUpstream(script) as raw:
        sending = Sending(_up(raw), "/chat/completions", b'{"a":"\xc3\xa9"}', headers=(("traceparent", "00-1-2-3"),))
        (await transport.send(sending, within=PATIENT)).close()
        assert got[0].line == "POST /v1/chat/completions HTTP/1.1"
        assert got[0].body == b'{"a":"\xc3\xa9"}'
        expected = {
            "host": f"127.0.0.1:{raw.port}",
            "authorization": "Bearer secret",
            "traceparent": "00-1-2-3",
            "content-length": "10",
        }
        assert expected == {name: got[0].headers.get(name) for name in expected}
        assert set(got[0].headers) <= {*expected, "connection"}


async def test_status_and_headers_are_given_as_they_came(transport: Transport) -> None:
    """Redirects are not followed, and header names can be looked up in lower case."""
    head = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n"
    async with RawUpstream(answering(head)) as raw:
        receiving = await _send(transport, _up(raw))
        assert (receiving.status, receiving.headers["retry-after"]) == (307, "7")
        receiving.close()


async def test_connects_to_the_address_and_speaks_to_the_host(transport: Transport) -> None:
    """An endpoint behind a Service is reached at its address, and sees the host of the URL."""
    got: list[Received] = []

    async def script(line: Line) -> None:
        got.append(await line.request())
        await line.send(ok(b"here"))

    async with RawUpstream(script) as raw:
        to = upstream("http://vllm.models.svc:8000/v1")
        sending = Sending(to, "/chat/completions", b"{}", address=f"127.0.0.1:{raw.port}")
        receiving = await transport.send(sending, within=PATIENT)
        assert await receiving.read(limit=LIMIT, within=PATIENT) == b"here"
        receiving.close()
        assert got[0].headers["host"] == "vllm.models.svc:8000"


async def test_tries_every_address_of_a_name(transport: Transport) -> None:
    """An address that refuses is no failure while another one of the same name answers."""
    async with RawUpstream(answering(ok(b"hello"))) as raw:
        assert await _read(transport, _up(raw, host="nowhere-and-here.test")) == b"hello"


async def _silent(line: Line) -> None:
    await line.request()
    await line.closed()


async def _hang_up(line: Line) -> None:
    await line.request()


def _once(data: bytes) -> Callable[[Line], object]:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(data)

    return script


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(_hang_up, FailureKind.CONNECTION_RESET, id="closed without an answer"),
        pytest.param(_once(b"HTTP/1.1 200 OK\r\ncont"), FailureKind.CONNECTION_RESET, id="closed inside the head"),
        pytest.param(
            _once(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhell"), FailureKind.INTERRUPTED, id="body cut"
        ),
        pytest.param(
            _once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\n"),
            FailureKind.INTERRUPTED,
            id="last chunk missing",
        ),
        pytest.param(_once(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), FailureKind.INVALID_RESPONSE, id="another protocol"),
        pytest.param(
            _once(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\ncontent-length: 0\r\n\r\n"),
            FailureKind.INVALID_RESPONSE,
            id="head without an end in sight",
        ),
        pytest.param(_once(ok(b"x" * (LIMIT + 1))), FailureKind.INVALID_RESPONSE, id="larger than the limit"),
        pytest.param(
            _once(ok(gzip.compress(b"\0" * 64 * LIMIT), "content-encoding: gzip")),
            FailureKind.INVALID_RESPONSE,
            id="larger than the limit once unpacked",
        ),
        pytest.param(
            _once(ok(b"not gzip at all", "content-encoding: gzip")), FailureKind.INVALID_RESPONSE, id="broken gzip"
        ),
        pytest.param(
            _once(ok(b"whatever", "content-encoding: br")), FailureKind.INVALID_RESPONSE, id="packed as nobody asked"
        ),
    ],
)
async def test_says_what_is_wrong(transport: Transport, script: object, expected: FailureKind) -> None:
    """Each way in which an upstream fails is told apart from the others."""
    async with RawUpstream(script) as raw:  # type: ignore[arg-type] # the table's scripts are of several shapes
        assert expected == await _failure(transport, _up(raw))


async def test_nobody_listens(transport: Transport) -> None:
    """A refused connection is told as one."""
    async with RawUpstream(_silent) as raw:
        gone = _up(raw)
    assert await _failure(transport, gone) == FailureKind.CONNECT_REFUSED


async def test_a_name_that_leads_nowhere(transport: Transport) -> None:
    """A name that cannot be resolved is told as one."""
    assert await _failure(transport, upstream("http://missing.test/v1")) == FailureKind.NAME_NOT_RESOLVED


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(transport: Transport) -> None:
    """The server may close an idle connection at any time: the request goes out again on a new one, unnoticed."""

    async def script(line: Line) -> None:
        await line.request()
        await line.send(ok(b"hello"))
        if line.number == 1:
            await line.request()  # and hangs up instead of answering

    async with RawUpstream(script) as raw:
        to = _up(raw)
        assert [b"hello", b"hello"] == [await _read(transport, to), await _read(transport, to)]
        assert raw.connections == 2


async def test_what_comes_after_an_answer_never_becomes_the_next_one(transport: Transport) -> None:
    """A second answer that nobody asked for ends the connection; the next request gets its own."""

    async def script(line: Line) -> None:
        await line.request()
        await line.send(ok(b"first") + ok(b"smuggled") if line.number == 1 else ok(b"second"))
        await line.closed()

    async with RawUpstream(script) as raw:
        to = _up(raw)
        assert await _read(transport, to) == b"first"
        await asyncio.sleep(0)
        assert await _read(transport, to) == b"second"


async def test_waits_no_longer_than_told_for_the_head(transport: Transport) -> None:
    """An upstream that dribbles its head byte by byte wins no time by it."""

    async def script(line: Line) -> None:
        await line.request()
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"y" * 1000:
            await line.send(bytes([byte]))
            await asyncio.sleep(0.01)

    async with RawUpstream(script) as raw:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENT):
                await _send(transport, _up(raw), within=0.1)
        # The transport gave up by itself: the outer bound, far longer, was not reached.
        assert raw.connections == 1


async def test_waits_no_longer_than_told_for_a_piece(transport: Transport) -> None:
    """Silence in the middle of a body ends the wait, and what came before it is not lost."""

    async def script(line: Line) -> None:
        await line.request()
        await line.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n")
        await line.closed()

    async with RawUpstream(script) as raw:
        receiving = await _send(transport, _up(raw))
        assert await receiving.chunk(within=PATIENT) == b"he"
        with pytest.raises(TimeoutError):
            await receiving.chunk(within=0.02)
        receiving.close()


async def test_gives_pieces_out_as_they_come(transport: Transport) -> None:
    """A piece is there before the next one is sent."""
    asked = asyncio.Event()

    async def script(line: Line) -> None:
        await line.request()
        await line.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two"):
            await line.send(b"3\r\n" + piece + b"\r\n")
            await asked.wait()
            asked.clear()
        await line.send(b"0\r\n\r\n")
        await line.closed()

    async with RawUpstream(script) as raw:
        receiving = await _send(transport, _up(raw))
        for expected in (b"one", b"two"):
            assert expected == await receiving.chunk(within=PATIENT)
            asked.set()
        assert await receiving.chunk(within=PATIENT) == b""
        receiving.close()


async def test_closing_early_cancels_the_upstream_at_once(transport: Transport) -> None:
    """An answer that is wanted no more ends its connection, even while nothing comes."""
    left = asyncio.Event()

    async def script(line: Line) -> None:
        await line.request()
        await line.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n")
        await line.closed()
        left.set()

    async with RawUpstream(script) as raw:
        receiving = await _send(transport, _up(raw))
        await receiving.chunk(within=PATIENT)
        receiving.close()
        await asyncio.wait_for(left.wait(), PATIENT)


async def test_cancelling_while_waiting_for_the_head_cancels_the_upstream(transport: Transport) -> None:
    """A request that is cancelled before any answer came leaves no connection behind."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def script(line: Line) -> None:
        await line.request()
        asked.set()
        await line.closed()
        left.set()

    async with RawUpstream(script) as raw:
        sending = asyncio.create_task(_send(transport, _up(raw)))
        await asyncio.wait_for(asked.wait(), PATIENT)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await asyncio.wait_for(left.wait(), PATIENT)


async def test_an_unread_answer_makes_the_upstream_wait(transport: Transport) -> None:
    """What is not read is not taken in: the sockets fill up, and the memory of the gateway does not."""
    piece = b"x" * 65536
    sent = 0

    async def script(line: Line) -> None:
        nonlocal sent
        await line.request()
        await line.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (1024 * len(piece)))
        for _ in range(1024):
            await line.send(piece)
            sent += len(piece)
        await line.closed()

    async with RawUpstream(script) as raw:
        receiving = await _send(transport, _up(raw))
        before = -1
        while sent != before:  # until nothing more fits
            before = sent
            await asyncio.sleep(0.1)
        assert sent < 24 * LIMIT
        total = 0
        while got := await receiving.chunk(within=PATIENT):
            total += len(got)
        assert total == 1024 * len(piece)
        receiving.close()


async def test_an_answer_before_the_end_of_the_request_is_taken(transport: Transport) -> None:
    """An upstream may refuse a large request before it has read it."""

    async def script(line: Line) -> None:
        await line.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        await line.closed()

    async with RawUpstream(script) as raw:
        receiving = await _send(transport, _up(raw), b"x" * 8 * LIMIT)
        assert (413, b"big") == (receiving.status, await receiving.read(limit=LIMIT, within=PATIENT))
        receiving.close()


async def test_a_new_configuration_keeps_the_connections(transport: Transport) -> None:
    """After `forget`, another object for the same place goes over the kept connection, with its own headers."""
    got: list[Received] = []

    async def script(line: Line) -> None:
        while True:
            got.append(await line.request())
            await line.send(ok(b"hello"))

    async with RawUpstream(script) as raw:
        await _read(transport, _up(raw))
        transport.forget()
        rotated = upstream(f"http://127.0.0.1:{raw.port}/v1", headers={"Authorization": "Bearer rotated"})
        await _read(transport, rotated)
        assert ["Bearer secret", "Bearer rotated"] == [request.headers["authorization"] for request in got]
        assert raw.connections == 1


async def test_an_abandoned_address_keeps_no_idle_connection() -> None:
    """Who leads nowhere any more is not asked on a kept connection; other addresses keep theirs."""
    resolver = Resolver(_lookup)
    transport = HttpTransport(resolver)
    try:
        async with RawUpstream(answering(ok(b"hello"))) as gone, RawUpstream(answering(ok(b"hello"))) as stays:
            for raw in (gone, stays):
                await _read(transport, _up(raw))
            transport.abandon(f"127.0.0.1:{gone.port}")
            for raw in (gone, stays):
                await _read(transport, _up(raw))
            assert (2, 1) == (gone.connections, stays.connections)
    finally:
        await transport.close()
        await resolver.close()


async def test_nothing_stays_of_an_abandoned_address() -> None:
    """Agents of a mesh come and go for as long as a process lives; what was made to call one goes with it."""
    resolver = Resolver(_lookup)
    transport = HttpTransport(resolver)
    try:
        async with RawUpstream(answering(ok(b"hello"))) as raw:
            address = f"127.0.0.1:{raw.port}"
            for number in range(3):
                sending = Sending(upstream(f"http://agent-{number}:1"), "/mcp", b"{}", address=address)
                receiving = await transport.send(sending, within=5)
                await receiving.read(limit=100, within=5)
                receiving.close()
                transport.abandon(address)
            assert ({}, {}) == (transport._pools, transport._heads)
    finally:
        await transport.close()
        await resolver.close()


async def test_a_server_that_hangs_up_at_once_has_failed(transport: Transport) -> None:
    """A connection that is accepted and closed is a failure like any other, not an error of the gateway's."""

    async def script(line: Line) -> None:
        del line

    async with RawUpstream(script) as raw:
        for number in range(20):
            with pytest.raises(UpstreamError) as caught:
                await _send(transport, _up(raw), b"x" * 100_000 * (number % 2))
            assert caught.value.failure.kind == FailureKind.CONNECTION_RESET


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for `models.test`."""
    made = certificates(Path(tmp_path_factory.mktemp("tls")), host="models.test")
    if made is None:
        pytest.skip("needs openssl to make certificates: apt install openssl")
    return made


async def test_verifies_who_answers(transport: Transport, tls: Certificates) -> None:
    """Over TLS the certificate must be from the trusted CA and for the host of the URL."""
    async with RawUpstream(answering(ok(b"hello")), tls=tls.serving()) as raw:
        good = upstream(f"https://models.test:{raw.port}/v1", tls=tls.trusting())
        assert await _read(transport, good) == b"hello"
        other_name = upstream(f"https://127.0.0.1:{raw.port}/v1", "b", tls=tls.trusting())
        other_ca = upstream(f"https://models.test:{raw.port}/v1", "c")
        assert [FailureKind.TLS_FAILED] * 2 == [
            await _failure(transport, other_name),
            await _failure(transport, other_ca),
        ]


async def test_a_server_name_and_an_address_do_not_weaken_tls(transport: Transport, tls: Certificates) -> None:
    """The configured server name is the one verified; an endpoint's address is verified by the host of the URL."""
    async with RawUpstream(answering(ok(b"hello")), tls=tls.serving()) as raw:
        named = upstream(f"https://127.0.0.1:{raw.port}/v1", tls=tls.trusting(), server_name="models.test")
        assert await _read(transport, named) == b"hello"
        for host, expected in (("models.test", None), ("other.test", FailureKind.TLS_FAILED)):
            to = upstream(f"https://{host}/v1", host, tls=tls.trusting())
            sending = Sending(to, "/chat/completions", b"{}", address=f"127.0.0.1:{raw.port}")
            failed = None
            try:
                (await transport.send(sending, within=PATIENT)).close()
            except UpstreamError as error:
                failed = error.failure.kind
            assert expected == failed


async def test_a_server_that_accepts_and_says_nothing_of_tls(transport: Transport, tls: Certificates) -> None:
    """Connecting includes the handshake, and has a bound of its own."""

    async def script(line: Line) -> None:
        await line.closed()

    async with RawUpstream(script) as raw:
        to = upstream(f"https://models.test:{raw.port}/v1", tls=tls.trusting(), timeouts=Timeouts(connect_seconds=0.1))
        assert await _failure(transport, to) == FailureKind.CONNECT_TIMEOUT


async def test_an_egress_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `HTTP_PROXY` set, aiohttp's transport goes out through the proxy; hosts of `NO_PROXY` are asked directly."""
    got: list[str] = []

    async def script(line: Line) -> None:
        while True:
            got.append((await line.request()).line)
            await line.send(ok(b"by proxy"))

    async with RawUpstream(script) as proxy, RawUpstream(answering(ok(b"directly"))) as direct:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        resolver = Resolver(_lookup)
        transport = AiohttpTransport(resolver)
        try:
            assert await _read(transport, upstream("http://vendor.test/v1")) == b"by proxy"
            assert await _read(transport, _up(direct)) == b"directly"
        finally:
            await transport.close()
            await resolver.close()
    assert got == ["POST http://vendor.test/v1/chat/completions HTTP/1.1"]


@pytest.mark.parametrize("host", ["secrets.test", "secrets-and-here.test"])
async def test_an_agent_that_says_it_is_where_secrets_are(transport: Transport, host: str) -> None:
    """A name that an agent gives itself is not called where clouds keep credentials; one that leads here is."""
    async with RawUpstream(answering(ok(b"{}"))) as raw:
        mesh = replace(_up(raw), mesh=MeshSource(capability="llm"))
        with pytest.raises(UpstreamError, match=f"{host} leads to") as refused:
            await transport.send(Sending(mesh, "", b"{}", address=f"{host}:{raw.port}"), within=PATIENT)
        assert FailureKind.NAME_NOT_RESOLVED == refused.value.failure.kind
        receiving = await transport.send(Sending(mesh, "", b"{}", address=f"models.test:{raw.port}"), within=PATIENT)
        assert b"{}" == await receiving.read(limit=LIMIT, within=PATIENT)
        receiving.close()
