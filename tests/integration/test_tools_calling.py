"""Calls of tools over real sockets: whatever a handler does, there is an outcome in time."""

import asyncio
import gzip
import socket
from pathlib import Path

import pytest

from harness.certificates import certificates
from harness.raw_http import eventually
from harness.raw_upstream import Line, RawUpstream, Script, answering, ok
from harness.running_tools import KeptCalls, called, running_tools
from harness.tools import ToolServer
from understudy_proxy.tools.calling import MAX_ANSWER_BYTES

JSON = "content-type: application/json"
METADATA = "169.254.169.254"


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
    async with RawUpstream(script) as upstream, running_tools() as tools:
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
        async with running_tools() as tools:
            outcome = await called(tools, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert "unreachable" == outcome.kind


async def test_certificates_are_checked(tmp_path: Path) -> None:
    """A server with a certificate that nobody vouches for is not told anything."""
    made_up = certificates(tmp_path, host="localhost")
    if made_up is None:
        pytest.skip("needs openssl")
    async with RawUpstream(answering(ok(b"{}", JSON)), tls=made_up.serving()) as upstream, running_tools() as tools:
        outcome = await called(tools, f"https://localhost:{upstream.port}/")
    assert "unreachable" == outcome.kind
    assert "certificate" in (outcome.error or "")


async def test_cookies_are_not_kept() -> None:
    """What one caller's call is given does not go along with the next one's."""
    received: list[str] = []

    async def script(line: Line) -> None:
        asked = await line.request()
        received.append(asked.headers.get("cookie", ""))
        await line.send(ok(b"{}", JSON, "set-cookie: session=1"))

    async with RawUpstream(script) as upstream, running_tools() as tools:
        for _ in range(2):
            assert (await called(tools, f"http://127.0.0.1:{upstream.port}/")).success
    assert ["", ""] == received


async def test_cancelling() -> None:
    """The call ends at once, and is told of as such."""
    log = KeptCalls()
    async with ToolServer() as server, running_tools(log=log) as tools:
        call = asyncio.create_task(called(tools, server.url("/hang"), seconds=60))
        await eventually(lambda: bool(server.asked))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(server.left.wait(), 5)
    assert ["cancelled"] == log.outcomes
