"""A proxy process from its start to its end, and what becomes of requests meanwhile."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from harness.proxies import ProxyProcess, free_port, proxy_process, until_answers
from harness.raw_http import Answer, RawHttp, eventually, exchange
from harness.snapshots import KEY, a_snapshot
from understudy.mock import Mock, Settings

CHAT = "/v1/chat/completions"
SLOW = Settings(reply="one two three four five six seven eight", token_interval=0.1)


def question(**fields: Any) -> bytes:
    """A chat request."""
    return json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def ask(port: int, **fields: Any) -> Answer:
    """Ask the route `chat`."""
    return await exchange(port, "POST", CHAT, question(**fields))


async def _listens(port: int, *, wanted: bool = True) -> None:
    """Wait until somebody listens there, or nobody any more."""
    listens = not wanted
    async with asyncio.timeout(10):
        while listens is not wanted:
            await asyncio.sleep(0.02)
            try:
                async with RawHttp(port):
                    listens = True
            except ConnectionRefusedError:
                listens = False


async def test_answers_from_the_volume(tmp_path: Path) -> None:
    """Set up by its environment alone, as the image is."""
    async with Mock() as mock, proxy_process(tmp_path, a_snapshot(mock.url)) as proxy:
        assert (await ask(proxy.port)).status == 200
        assert (await proxy.get("/config")).json()["source"] == "volume"
        (line,) = proxy.logged("configuration loaded")
        assert line["revision"] == a_snapshot(mock.url).config.revision


async def test_drains_when_told_to_end(tmp_path: Path) -> None:
    """SIGTERM: not ready at once, still serving for a while, then running streams finish, then it ends well."""
    async with (
        Mock(settings=SLOW) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url), drain_delay_seconds="0.4") as proxy,
        RawHttp(proxy.port) as stream,
    ):
        stream.send("POST", CHAT, question(stream=True))
        await stream.saw(b"one")
        proxy.tell(signal.SIGTERM)
        ready = await until_answers(lambda: proxy.port, "/health/ready", 503)
        assert ready.json()["checks"]["accepting"]["detail"] == "shutting down"
        assert (await exchange(proxy.port, "GET", "/health/live")).status == 200
        async with RawHttp(proxy.port) as late:
            late.send("POST", CHAT, question(stream=True))
            await late.saw(b"one")  # it came before load balancers took note, and is served
            await _listens(proxy.port, wanted=False)
            for client in (stream, late):
                answer = await client.answer()
                assert answer.complete
                assert b"eight" in answer.body
                assert answer.body.endswith(b"data: [DONE]\n\n")
        assert await proxy.ended() == 0
        assert proxy.logged("ended")[-1]["cut"] == 0


async def test_cuts_what_outlasts_the_deadline(tmp_path: Path) -> None:
    """A stream that takes too long is told so in-band, and the process ends all the same."""
    endless = Settings(tokens=10_000, token_interval=0.05)
    async with (
        Mock(settings=endless) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url), drain_deadline_seconds="0.3") as proxy,
        RawHttp(proxy.port) as stream,
    ):
        stream.send("POST", CHAT, question(stream=True))
        await eventually(lambda: stream.received.count(b"data: ") > 3)
        proxy.tell(signal.SIGTERM)
        answer = await stream.answer()
        assert b'"error"' in answer.body
        assert not answer.body.endswith(b"[DONE]\n\n")
        assert await proxy.ended() == 0
        assert proxy.logged("ended")[-1]["cut"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Whoever asks twice does not want to wait for a minute."""
    async with (
        Mock(settings=Settings(tokens=10_000, token_interval=0.05)) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url)) as proxy,
        RawHttp(proxy.port) as stream,
    ):
        stream.send("POST", CHAT, question(stream=True))
        await eventually(lambda: stream.received.count(b"data: ") > 3)
        proxy.tell(number)
        await _listens(proxy.port, wanted=False)
        began = time.monotonic()
        proxy.tell(number)
        assert await proxy.ended() == 0
        assert time.monotonic() - began < 10
        assert proxy.logged("ended at once")


async def test_an_interrupt_from_the_keyboard_waits_for_no_load_balancer(tmp_path: Path) -> None:
    """Ctrl-C on a laptop ends an idle gateway at once, whatever a cluster would need."""
    async with proxy_process(tmp_path, a_snapshot(), drain_delay_seconds="3600") as proxy:
        proxy.tell(signal.SIGINT)
        assert await proxy.ended() == 0
        assert "interrupt again" in proxy.logged("ending")[0]["message"]


async def test_says_that_it_has_nothing_to_serve_yet(tmp_path: Path) -> None:
    """Without any configuration it is alive, not ready, and tells callers when to come back."""
    async with proxy_process(tmp_path) as proxy:
        ready = await until_answers(lambda: proxy.port, "/health/ready", 503)
        assert ready.json()["checks"]["configuration"]["detail"] == "none has been loaded yet"
        answer = await ask(proxy.port)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        proxy.publish(a_snapshot())
        await proxy.until_ready()


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        pytest.param({"port": "x"}, 2, "UNDERSTUDY_PORT is 'x'; it takes a whole number", id="bad setting"),
        pytest.param({"volume": ""}, 2, "there is nowhere to get a configuration from", id="no source"),
        pytest.param({"host": "192.0.2.1"}, 1, "cannot listen on 192.0.2.1, port 0", id="bad address"),
    ],
)
async def test_says_in_one_line_why_it_cannot_start(
    tmp_path: Path, settings: dict[str, str], code: int, said: str
) -> None:
    """No traceback, no usage page: what is wrong and what to do."""
    proxy = ProxyProcess(tmp_path, **settings)
    await asyncio.to_thread(proxy.process.start)
    assert await proxy.ended() == code
    (line,) = proxy.log.read_text().splitlines()
    assert line.startswith(f"understudy: {said}")


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_taken_port_is_one_clear_line(tmp_path: Path, workers: str) -> None:
    """A second gateway on the port of a first one says so, however many workers either has."""
    async with proxy_process(tmp_path, a_snapshot(), workers=workers, port=str(free_port())) as first:
        second = ProxyProcess(tmp_path, workers=workers, port=str(first.port))
        await asyncio.to_thread(second.process.start)
        assert await second.ended() == 1
        (line,) = second.log.read_text().splitlines()
        assert line == (
            f"understudy: cannot listen on 127.0.0.1, port {first.port}: something else listens there; "
            "stop it or choose another port"
        )


async def test_the_canary_is_in_no_log_line(tmp_path: Path) -> None:
    """The provider's key reaches the provider and nothing else, at the most talkative level, with all going wrong."""
    strict = Settings(require_key="another-key")
    async with Mock(settings=strict) as mock, proxy_process(tmp_path, a_snapshot(mock.url), log_level="debug") as proxy:
        refused = await ask(proxy.port)
        assert refused.status >= 500
        assert KEY not in refused.body.decode() + refused.head
        mock.set_faults(["garbage", "html:502", "reset"])
        for _ in range(3):
            await ask(proxy.port)
        await exchange(proxy.port, "POST", CHAT, question(), {"x-request-id": KEY, "authorization": f"Bearer {KEY}"})
        proxy.publish(a_snapshot(mock.url, route="other"))
        await eventually(lambda: len(proxy.logged("configuration loaded")) == 2)
        assert KEY not in (await proxy.get("/config?full=1")).body.decode()
        assert KEY not in (await proxy.get("/metrics")).body.decode()
        proxy.tell(signal.SIGTERM)
        await proxy.ended()
        assert any(request.headers["Authorization"] == f"Bearer {KEY}" for request in mock.requests)
    assert len([line for line in proxy.lines if line["logger"] == "access"]) == 5
    assert KEY not in proxy.log.read_text()


async def test_logs_nothing_of_what_people_say(tmp_path: Path) -> None:
    """Prompts and answers are no part of a log, at any level."""
    async with (
        Mock(settings=Settings(reply="the-answer")) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url), log_level="debug") as proxy,
    ):
        for stream in (False, True):
            messages = [{"role": "user", "content": "the-prompt"}]
            body = json.dumps({"model": "chat", "messages": messages, "stream": stream}).encode()
            assert b"the-answer" in (await exchange(proxy.port, "POST", CHAT, body)).body
        proxy.tell(signal.SIGTERM)
        await proxy.ended()
    text = proxy.log.read_text()
    assert "the-prompt" not in text
    assert "the-answer" not in text


async def test_goes_on_when_nobody_reads_the_log(tmp_path: Path) -> None:
    """Standard error is a pipe that is full: requests are answered as ever, and the process ends when told to."""
    port = free_port()
    reading, writing = os.pipe()
    async with Mock() as mock:
        proxy = ProxyProcess(tmp_path, port=str(port))
        proxy.publish(a_snapshot(mock.url))
        environment = {**os.environ, **proxy.environment}
        process = await asyncio.create_subprocess_exec(*proxy.argv, stderr=writing, env=environment)
        os.close(writing)
        try:
            await _listens(port)
            for _ in range(400):  # 130 KB of lines, and a pipe holds 64 KB
                assert (await ask(port)).status == 200
            process.terminate()
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            os.close(reading)
