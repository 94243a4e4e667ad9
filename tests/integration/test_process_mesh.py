"""A mesh's registry with several workers: whichever of them an agent reaches, all know of it."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from harness.proxies import ProxyProcess, proxy_process
from harness.raw_http import PATIENCE_SECONDS, exchange
from harness.snapshots import a_snapshot
from understudy.mock import Mock

WORKERS = "3"
TRIES = 20
"""Each is a connection of its own, and so some worker's."""


def first_child_of(pid: int) -> int:
    """The first of its processes."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


async def tell(proxy: ProxyProcess, agent_id: str) -> None:
    """Register an agent."""
    body = {"agent_id": agent_id, "tools": []}
    await exchange(proxy.port, "POST", "/heartbeat", json.dumps(body).encode())


async def beat(proxy: ProxyProcess, agent_id: str) -> int:
    """Say that it is still there; 0 where a worker that is killed just now was to answer."""
    answer = await exchange(proxy.port, "HEAD", f"/heartbeat/{agent_id}")
    return answer.status if answer.head else 0


async def healthy(proxy: ProxyProcess, query: str = "status=healthy") -> list[dict[str, Any]]:
    """Who is there."""
    agents: list[dict[str, Any]] = (await exchange(proxy.port, "GET", f"/agents?{query}")).json()["agents"]
    return agents


async def test_all_workers_know_an_agent(tmp_path: Path) -> None:
    """Whichever it told; and all of them know when it leaves."""
    async with Mock() as mock, proxy_process(tmp_path, a_snapshot(mock.url), workers=WORKERS) as proxy:
        await tell(proxy, "agent-1")
        assert {200} == {await beat(proxy, "agent-1") for _ in range(TRIES)}
        lists = [await healthy(proxy) for _ in range(TRIES)]
        assert {"agent-1"} == {found[0]["id"] for found in lists}
        assert {"understudy"} == {found[-1]["name"] for found in lists}
        metrics = (await proxy.get("/metrics")).body.decode()
        assert 'understudy_mesh_agents{status="healthy"} 1' in metrics
        assert {"http://test:80"} == {found[-1]["endpoint"] for found in lists}
        await exchange(proxy.port, "DELETE", "/agents/agent-1")
        assert {410} == {await beat(proxy, "agent-1") for _ in range(TRIES)}


async def test_the_worker_that_keeps_the_registry_dies(tmp_path: Path) -> None:
    """Agents are told to tell all again, and are known to all workers again."""
    async with Mock() as mock, proxy_process(tmp_path, a_snapshot(mock.url), workers=WORKERS) as proxy:
        await tell(proxy, "agent-1")
        os.kill(first_child_of(proxy.process.pid), signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while {200} != {await beat(proxy, "agent-1") for _ in range(TRIES)}:
                await tell(proxy, "agent-1")


@pytest.mark.parametrize("workers", ["1", WORKERS])
async def test_one_registration_of_a_pod(tmp_path: Path, workers: str) -> None:
    """In somebody else's registry, however many workers there are; and none when it has ended."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    async with Mock() as mock, proxy_process(tmp_path / "theirs", a_snapshot(mock.url)) as theirs:
        settings = {"workers": workers, "mesh_registry_url": f"http://127.0.0.1:{theirs.port}", "mesh_host": "ours"}
        async with proxy_process(tmp_path / "ours", a_snapshot(mock.url), **settings) as ours:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(found := await healthy(theirs)) < 2:  # noqa: ASYNC110 - asked over HTTP
                    await asyncio.sleep(0.02)
            assert ["http://ours:80", "http://test:80"] == [agent["endpoint"] for agent in found]
            ours.tell(signal.SIGTERM)
            assert 0 == await ours.ended()
            gone = await healthy(theirs, "status=unhealthy")
            assert ["http://ours:80"] == [agent["endpoint"] for agent in gone]
