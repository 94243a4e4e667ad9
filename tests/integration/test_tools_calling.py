"""Calls of tools over real sockets: whatever a handler does, there is an outcome in time; and where none is called."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.certificates import certificates
from harness.gateways import snapshot
from harness.raw_http import eventually
from harness.raw_upstream import Line, RawUpstream, Script, answering, ok
from harness.tools import ToolServer, tool, with_tools
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.exchange.resolver import Resolver, system_lookup
from understudy_proxy.tools.calling import MAX_ANSWER_BYTES
from understudy_proxy.tools.outcome import Outcome
from understudy_proxy.tools.tools import Tools

JSON = "content-type: application/json"
HOST = "tools.example.com"
METADATA = "169.254.169.254"


@dataclass
class Calls:
    """Keeps what is told of calls."""

    outcomes: list[str] = field(default_factory=list)

    def called(self, _tool: RuntimeTool, outcome: str, *, seconds: float, error: str | None, request_id: str) -> None:
        """Keep it."""
        del seconds, error, request_id
        self.outcomes.append(outcome)


@dataclass
class Names:
    """A name server that answers in turn; the last answer stays."""

    answers: list[tuple[str, ...]]
    asked: int = 0

    def __call__(self, host: str, _port: int) -> tuple[str, ...]:
        """The addresses, each time as the script goes on."""
        assert HOST == host
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def made(lookup: Callable[[str, int], tuple[str, ...]] = system_lookup) -> AsyncIterator[Tools]:
    """Tools with a resolver that asks `lookup` each time."""
    resolver = Resolver(lookup, fresh_seconds=0)
    tools = Tools(resolver, log=Calls())
    yield tools
    await tools.close()
    await resolver.close()


async def called(tools: Tools, url: str, *, seconds: float = 5.0) -> Outcome:
    """The outcome of one call."""
    configured = with_tools(snapshot([], []), [tool("t", url, timeout_seconds=seconds)])
    return await tools.run(build(configured, now=0).tools["default/t"], {"a": 1})


def head(*headers: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode()


async def endless(line: Line) -> None:
    """A megabyte, and more, and more."""
    await line.request()
    await line.send(head(JSON))
    while True:
        await line.send(b" " * 65536)


async def dripping(line: Line) -> None:
    """A byte now and then, for longer than anybody waits."""
    await line.request()
    await line.send(head(JSON, "content-length: 100000"))
    while True:
        await line.send(b" ")
        await asyncio.sleep(0.02)


async def silent(line: Line) -> None:
    """Reads, and says nothing."""
    await line.request()
    await line.closed()


async def cut(line: Line) -> None:
    """Half an answer."""
    await line.request()
    await line.send(head(JSON, "content-length: 100") + b'{"half": ')


async def gone(line: Line) -> None:
    """No answer at all."""
    await line.request()


async def reset(line: Line) -> None:
    """No answer, and not even an end."""
    await line.request()
    line.writer.transport.abort()


LARGE = b'"' + b"x" * (MAX_ANSWER_BYTES - 2) + b'"'


@pytest.mark.parametrize(
    ("script", "kind", "error"),
    [
        pytest.param(answering(ok(b'{"a": 1}', JSON)), "success", None, id="well"),
        pytest.param(answering(ok(LARGE, JSON)), "success", None, id="as large as may be"),
        pytest.param(answering(ok(LARGE + b" ", JSON)), "too_large", "more than 1048576 bytes", id="larger"),
        pytest.param(endless, "too_large", "more than 1048576 bytes", id="endless"),
        pytest.param(dripping, "timeout", "did not answer within 0.4 s", id="slow drip"),
        pytest.param(silent, "timeout", "did not answer within 0.4 s", id="silent"),
        pytest.param(cut, "unreachable", "the connection broke", id="cut"),
        pytest.param(gone, "unreachable", "the connection broke", id="closed unanswered"),
        pytest.param(reset, "unreachable", "t failed: ", id="reset"),
        pytest.param(answering(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "invalid_answer", "its answer is not HTTP", id="no HTTP"),
        pytest.param(answering(head("a: " + "b" * 100_000)), "invalid_answer", "not HTTP", id="endless header"),
        pytest.param(answering(ok(b"<html>", JSON)), "invalid_answer", "its answer is not JSON", id="no JSON"),
        pytest.param(
            answering(ok(gzip.compress(b"{}" * 100_000), JSON, "content-encoding: gzip")),
            "invalid_answer", "its answer is not JSON", id="packed, though nobody asked for that",
        ),
        pytest.param(
            answering(head(f"location: http://{METADATA}/latest", "content-length: 0", status="302 Found")),
            "redirect", f"would send on to http://{METADATA}/latest", id="redirect",
        ),
        pytest.param(
            answering(head("location: /again", "content-length: 0", status="307 Temporary Redirect")),
            "redirect", "would send on to /again", id="redirect to the same host",
        ),
        pytest.param(
            answering(head("location: http://h/\x1b[31m", "content-length: 0", status="301 Moved")),
            "redirect", "http://h/ [31m", id="redirect to nonsense",
        ),
    ],
)  # fmt: skip
async def test_what_handlers_do(script: Script, kind: str, error: str | None) -> None:
    """There is an outcome of the right kind, and a message that says what happened."""
    async with RawUpstream(script) as upstream, made() as tools:
        seconds = 0.4 if kind == "timeout" else 5.0
        outcome = await called(tools, f"http://127.0.0.1:{upstream.port}/", seconds=seconds)
    assert kind == outcome.kind, outcome
    assert (error is None) == outcome.success
    assert (error or "") in (outcome.error or "")
    assert 1 == upstream.connections


async def test_nobody_listens() -> None:
    """A refused connection is an outcome."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with made() as tools:
            outcome = await called(tools, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert "unreachable" == outcome.kind


async def test_no_such_name() -> None:
    """A name that nobody knows is an outcome, and says which name it was."""

    def nobody(host: str, _port: int) -> tuple[str, ...]:
        raise socket.gaierror(-2, f"Name or service not known: {host}")

    async with made(nobody) as tools:
        outcome = await called(tools, f"http://{HOST}/")
    assert "unreachable" == outcome.kind
    assert f"{HOST} cannot be resolved" in (outcome.error or "")


async def test_certificates_are_checked(tmp_path: Path) -> None:
    """A server with a certificate that nobody vouches for is not told anything."""
    made_up = certificates(tmp_path, host="localhost")
    if made_up is None:
        pytest.skip("needs openssl")
    async with RawUpstream(answering(ok(b"{}", JSON)), tls=made_up.serving()) as upstream, made() as tools:
        outcome = await called(tools, f"https://localhost:{upstream.port}/")
    assert "unreachable" == outcome.kind
    assert "certificate" in (outcome.error or "")


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("::1",),
        ("0.0.0.0",),
        (METADATA,),
        ("fe80::1",),
        (f"::ffff:{METADATA}",),
        ("::ffff:127.0.0.1",),
        ("fd00:ec2::254",),
        ("100.100.100.200",),
        ("127.0.0.1", METADATA),
    ],
)
async def test_names_that_lead_home(addresses: tuple[str, ...]) -> None:
    """A host's name may not lead to the gateway's own machine or to a cloud's metadata."""
    async with ToolServer() as server, made(Names([addresses])) as tools:
        outcome = await called(tools, f"http://{HOST}:{server.port}/echo")
    assert "forbidden_address" == outcome.kind, outcome
    assert addresses[0] in (outcome.error or "")
    assert [] == server.asked


@pytest.mark.parametrize("host", ["metadata.google.internal", "metadata", "instance-data", "localtest.me"])
async def test_names_of_metadata_servers(host: str) -> None:
    """Where such a name leads to the address, it is not called, whatever it is called."""
    async with made(lambda _host, _port: (METADATA,)) as tools:
        outcome = await called(tools, f"http://{host}/computeMetadata/v1/")
    assert "forbidden_address" == outcome.kind


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "LOOPBACK.test"])
async def test_addresses_in_disguise(host: str) -> None:
    """What only the system reads as an address is a name, and leads home."""
    found: list[str] = []

    def system(name: str, port: int) -> tuple[str, ...]:
        addresses = ("127.0.0.1",) if name.endswith("test") else system_lookup(name, port)
        found.extend(addresses)
        return addresses

    async with ToolServer() as server, made(system) as tools:
        outcome = await called(tools, f"http://{host}:{server.port}/echo")
    assert not outcome.success, found
    assert [] == server.asked


async def test_a_name_that_changes_its_mind() -> None:
    """What is connected to is what was looked at: each call asks once, and the second answer is looked at again."""
    names = Names([("192.0.2.1",), ("127.0.0.1",)])
    async with ToolServer() as server, made(names) as tools:
        first = await called(tools, f"http://{HOST}:{server.port}/echo", seconds=0.2)
        assert 1 == names.asked
        second = await called(tools, f"http://{HOST}:{server.port}/echo", seconds=0.2)
    assert first.kind in {"timeout", "unreachable"}
    assert "forbidden_address" == second.kind
    assert [] == server.asked


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LocalHost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"]
)
async def test_addresses_that_are_named(host: str) -> None:
    """An object that writes the address itself means it."""
    async with ToolServer() as server, made() as tools:
        outcome = await called(tools, f"http://{host}:{server.port}/echo")
    assert outcome.success, outcome
    assert 1 == len(server.asked)


async def test_the_network_around() -> None:
    """A name may lead to a private address: that is where tools live."""
    own = _own_address()
    if own is None:
        pytest.skip("this machine has no address but its own")
    async with RawUpstream(answering(ok(b"{}", JSON)), host=own) as upstream, made(Names([(own,)])) as tools:
        outcome = await called(tools, f"http://{HOST}:{upstream.port}/")
    assert outcome.success, outcome


async def test_one_of_several_addresses() -> None:
    """Those that must not be called are left out, and the others are called."""
    own = _own_address()
    if own is None:
        pytest.skip("this machine has no address but its own")
    names = Names([("127.0.0.1", own)])
    async with RawUpstream(answering(ok(b"{}", JSON)), host=own) as upstream, made(names) as tools:
        outcome = await called(tools, f"http://{HOST}:{upstream.port}/")
    assert outcome.success, outcome


async def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go nowhere else, whatever the environment says: a proxy would resolve the name anew."""
    async with ToolServer() as proxy, ToolServer() as server, made() as tools:
        monkeypatch.setenv("HTTP_PROXY", proxy.url("/"))
        monkeypatch.setenv("http_proxy", proxy.url("/"))
        outcome = await called(tools, server.url())
    assert outcome.success
    assert [] == proxy.asked


async def test_cookies_are_not_kept() -> None:
    """What one caller's call is given does not go along with the next one's."""
    received: list[str] = []

    async def script(line: Line) -> None:
        asked = await line.request()
        received.append(asked.headers.get("cookie", ""))
        await line.send(ok(b"{}", JSON, "set-cookie: session=1"))

    async with RawUpstream(script) as upstream, made() as tools:
        for _ in range(2):
            assert (await called(tools, f"http://127.0.0.1:{upstream.port}/")).success
    assert ["", ""] == received


async def test_cancelling() -> None:
    """The call ends at once, and is told of as such."""
    log = Calls()
    resolver = Resolver()
    tools = Tools(resolver, log=log)
    async with ToolServer() as server:
        call = asyncio.create_task(called(tools, server.url("/hang"), seconds=60))
        await eventually(lambda: bool(server.asked))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(server.left.wait(), 5)
    assert ["cancelled"] == log.outcomes
    await tools.close()
    await resolver.close()


def _own_address() -> str | None:
    """An address of this machine that is not loopback; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        own: str = probe.getsockname()[0]
    return None if own.startswith("127.") else own
