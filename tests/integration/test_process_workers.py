"""Several workers on one port: one answer, and one's death is nobody else's."""

import asyncio
import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parse

from harness.proxies import ProxyProcess, proxy_process
from harness.raw_http import PATIENCE_SECONDS, Answer, RawHttp, eventually, exchange
from harness.snapshots import a_snapshot
from understudy.mock import Mock, Settings

CHAT = "/v1/chat/completions"
WORKERS = 3


def question(**fields: Any) -> bytes:
    """A chat request."""
    return json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def ask(proxy: ProxyProcess, **fields: Any) -> Answer:
    """Ask the route `chat`, over a connection of its own."""
    return await exchange(proxy.port, "POST", CHAT, question(**fields))


def children_of(pid: int) -> set[int]:
    """Its processes."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def runs(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


def connections_of(pid: int) -> int:
    """Sockets that a process has open."""
    links = (link for link in Path(f"/proc/{pid}/fd").iterdir())
    found = 0
    for link in links:
        try:
            found += link.readlink().name.startswith("socket:")
        except OSError:
            continue
    return found


async def requests_of(proxy: ProxyProcess) -> float:
    """The requests that the metrics of all workers tell."""
    page = (await proxy.get("/metrics")).body.decode()
    samples = (sample for family in parse(page) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == "understudy_requests_total")


async def config_tells(proxy: ProxyProcess, revision: str) -> dict[str, Any]:
    """Wait until `/config` confirms a revision."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (told := (await proxy.get("/config")).json())["revision"] != revision:  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.02)
    answer: dict[str, Any] = told
    return answer


async def test_speak_with_one_voice(tmp_path: Path) -> None:
    """Metrics are of all workers, `/config` is what all serve, `/explain` is any one's."""
    async with Mock() as mock, proxy_process(tmp_path, a_snapshot(mock.url), workers=str(WORKERS)) as proxy:
        revision = a_snapshot(mock.url).config.revision
        told = await config_tells(proxy, revision)
        assert told["workers"] == [revision] * WORKERS
        assert told["source"] == "volume"
        for _ in range(30):
            assert (await ask(proxy)).status == 200
        assert await requests_of(proxy) == 30
        explained = (await proxy.get("/explain?model=chat")).json()
        assert [choice["provider"] for choice in explained["choices"]] == ["ai/main"]
        assert (await proxy.get("/healthz")).status == 200


async def test_confirm_a_reload_together(tmp_path: Path) -> None:
    """Once `/config` says a revision, every request gets it, whichever worker takes it."""
    async with Mock() as mock, proxy_process(tmp_path, a_snapshot(mock.url), workers=str(WORKERS)) as proxy:
        after = a_snapshot(mock.url, model="next")
        proxy.publish(after)
        await config_tells(proxy, after.config.revision)
        models = {(await ask(proxy)).headers["x-understudy-model"] for _ in range(30)}
        assert models == {"next"}


async def test_a_killed_worker_takes_no_other_request_with_it(tmp_path: Path) -> None:
    """The streams of the other workers finish, new requests are answered all the time, and it comes back."""
    slow = Settings(reply="one two three four five six seven eight", token_interval=0.1)
    async with (
        Mock() as quick,
        Mock(settings=slow) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url), workers=str(WORKERS)) as proxy,
    ):
        await config_tells(proxy, a_snapshot(mock.url).config.revision)
        for _ in range(9):
            await ask(proxy, max_tokens=1)
        counted = await requests_of(proxy)
        before = children_of(proxy.process.pid)
        streams = [RawHttp(proxy.port) for _ in range(12)]
        for stream in streams:
            await stream.__aenter__()
            stream.send("POST", CHAT, question(stream=True))
            await stream.saw(b"one")
        victim = max(before, key=connections_of)
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: victim not in children_of(proxy.process.pid))
        answers = await asyncio.gather(*(stream.answer() for stream in streams))
        whole = Counter(answer.complete for answer in answers)
        assert 0 < whole[False] < len(streams)  # its own are lost, and nobody else's
        assert all(answer.body.endswith(b"[DONE]\n\n") for answer in answers if answer.complete)
        await eventually(lambda: len(children_of(proxy.process.pid)) == len(before))
        await config_tells(proxy, a_snapshot(mock.url).config.revision)
        proxy.publish(a_snapshot(quick.url))
        await config_tells(proxy, a_snapshot(quick.url).config.revision)
        assert {(await ask(proxy)).status for _ in range(30)} == {200}
        assert await requests_of(proxy) >= counted + whole[True] + 30
        (line,) = proxy.logged("ended by itself")
        assert "signal 9" in line["message"]


async def test_new_requests_are_answered_while_one_is_away(tmp_path: Path) -> None:
    """Between the death of a worker and its return, requests go to the others; it opens once it can answer."""
    async with Mock() as mock, proxy_process(tmp_path, a_snapshot(mock.url), workers=str(WORKERS)) as proxy:
        revision = a_snapshot(mock.url).config.revision
        await config_tells(proxy, revision)
        statuses: Counter[int] = Counter()
        for victim in sorted(children_of(proxy.process.pid))[:WORKERS]:
            os.kill(victim, signal.SIGKILL)
            await eventually(lambda victim=victim: victim not in children_of(proxy.process.pid))  # type: ignore[misc]
            for _ in range(20):
                statuses[(await ask(proxy)).status] += 1
            await config_tells(proxy, revision)
        assert statuses == {200: 20 * WORKERS}


async def test_all_end_when_told_to(tmp_path: Path) -> None:
    """SIGTERM reaches every worker; running streams finish first; nothing stays behind."""
    slow = Settings(reply="one two three four", token_interval=0.1)
    async with (
        Mock(settings=slow) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url), workers=str(WORKERS)) as proxy,
    ):
        await config_tells(proxy, a_snapshot(mock.url).config.revision)
        children = children_of(proxy.process.pid)
        assert len(children) == WORKERS + 1
        streams = [RawHttp(proxy.port) for _ in range(6)]
        for stream in streams:
            await stream.__aenter__()
            stream.send("POST", CHAT, question(stream=True))
            await stream.saw(b"one")
        proxy.tell(signal.SIGTERM)
        answers = await asyncio.gather(*(stream.answer() for stream in streams))
        assert all(answer.body.endswith(b"[DONE]\n\n") for answer in answers)
        assert await proxy.ended() == 0
        assert not any(runs(child) for child in children)


async def test_a_second_signal_ends_them_at_once(tmp_path: Path) -> None:
    """Nobody waits for a stream that never ends."""
    endless = Settings(tokens=10_000, token_interval=0.05)
    async with Mock(settings=endless) as mock, proxy_process(tmp_path, a_snapshot(mock.url), workers="2") as proxy:
        await config_tells(proxy, a_snapshot(mock.url).config.revision)
        async with RawHttp(proxy.port) as stream:
            stream.send("POST", CHAT, question(stream=True))
            await eventually(lambda: stream.received.count(b"data: ") > 3)
            proxy.tell(signal.SIGTERM)
            await eventually(lambda: bool(proxy.logged("ending: ")))
            proxy.tell(signal.SIGTERM)
            assert await proxy.ended() == 0


async def test_ctrl_c_reaches_all_and_counts_once(tmp_path: Path) -> None:
    """The terminal interrupts every process of the group: running streams finish all the same, without any delay."""
    slow = Settings(reply="one two three four", token_interval=0.1)
    async with (
        Mock(settings=slow) as mock,
        proxy_process(tmp_path, a_snapshot(mock.url), workers="2", drain_delay_seconds="3600") as proxy,
        RawHttp(proxy.port) as stream,
    ):
        stream.send("POST", CHAT, question(stream=True))
        await stream.saw(b"one")
        proxy.process.signal(signal.SIGINT)
        assert (await stream.answer()).body.endswith(b"[DONE]\n\n")
        assert await proxy.ended() == 0


async def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    """A supervisor that is killed leaves no process behind that serves on without anybody to stop it."""
    async with proxy_process(tmp_path, a_snapshot(), workers="2") as proxy:
        await config_tells(proxy, a_snapshot().config.revision)
        children = children_of(proxy.process.pid)
        proxy.tell(signal.SIGKILL)
        await eventually(lambda: not any(runs(child) for child in children))
