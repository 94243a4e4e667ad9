"""Who is asked, what is understood, and how it is counted."""

from typing import Any

import pytest
from aiohttp import ClientSession, web

from harness.memory_cluster import MemoryCluster
from understudy_operator.rollout import Answer, Pod, PodFleet, Rollout, read_answer, running_pods, tally

READY = [{"type": "Ready", "status": "True"}]


def pod(name: str, *, status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A proxy pod that is ready at 10.0.0.1."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "gateway", "labels": {"app": "proxy"}, **metadata},
        "status": {"podIP": "10.0.0.1", "conditions": READY} if status is None else status,
    }


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(pod("a"), (Pod("a", "10.0.0.1"),), id="ready"),
        pytest.param(pod("a", deletionTimestamp="2026-01-01T00:00:00Z"), (), id="on its way out"),
        pytest.param(
            pod("a", status={"podIP": "10.0.0.1", "conditions": []}),
            (Pod("a", "10.0.0.1", ready=False),),
            id="not ready yet",
        ),
        pytest.param(
            pod("a", status={"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "False"}]}),
            (Pod("a", "10.0.0.1", ready=False),),
            id="not ready any more",
        ),
        pytest.param(
            pod("a", status={"podIP": "10.0.0.1", "conditions": READY, "phase": "Failed"}),
            (),
            id="ended",
        ),
        pytest.param(pod("a", status={"conditions": READY}), (), id="without an address"),
        pytest.param(pod("a", status={}), (), id="just created"),
    ],
)
def test_who_is_asked(manifest: dict[str, Any], expected: tuple[Pod, ...]) -> None:
    """All that run; whether a silent one counts is for Kubernetes to say."""
    assert running_pods([manifest]) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"revision": "r1"}', Answer("r1"), id="it runs r1"),
        pytest.param(
            b'{"revision": "r1", "rejected": {"revision": "r2", "message": "too new"}}',
            Answer("r1", "r2", "too new"),
            id="it refused r2",
        ),
        pytest.param(
            b'{"revision": null, "rejected": {"revision": "r2"}}',
            Answer(None, "r2", "no reason given"),
            id="it runs nothing and gives no reason",
        ),
        pytest.param(b'{"revision": "r1", "rejected": null, "state": {}}', Answer("r1"), id="no refusal"),
        pytest.param(b"<html>", Answer(), id="not JSON"),
        pytest.param(b"[]", Answer(), id="not an object"),
        pytest.param(b'{"revision": 3, "rejected": []}', Answer(), id="wrong types"),
    ],
)
def test_what_is_understood(body: bytes, expected: Answer) -> None:
    """A proxy that speaks otherwise confirms nothing, and breaks nothing."""
    assert read_answer(body) == expected


def test_the_count() -> None:
    """Each ready proxy confirms, refuses or lags, and nothing else."""
    answers = {
        "new": Answer("r2"),
        "old": Answer("r1"),
        "mute": Answer(),
        "refuses": Answer("r1", "r2", "no"),
        "refused before": Answer("r1", "r1.5", "no"),
        "came round": Answer("r2", "r2", "first no, then yes"),
    }
    assert tally("r2", answers, overdue=False) == Rollout(
        "r2", confirmed=2, total=6, lagging=("mute", "old", "refused before"), refused={"refuses": "no"}
    )


@pytest.mark.parametrize(
    ("rollout", "live"),
    [
        pytest.param(Rollout("r", confirmed=2, total=2), True, id="all"),
        pytest.param(Rollout("r", confirmed=1, total=2, lagging=("a",)), False, id="some"),
        pytest.param(Rollout("r"), False, id="there are none"),
    ],
)
def test_when_it_is_live(rollout: Rollout, live: bool) -> None:
    """A fleet of none runs nothing."""
    assert rollout.live == live


async def test_the_fleet_is_asked_over_http() -> None:
    """Answers, errors, endless bodies and closed ports: each proxy counts for what it says, and none stops another."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.host.startswith("127.0.0.2"):
            return web.json_response({"revision": "r1", "state": {"padding": "x" * 300_000}})
        if request.host.startswith("127.0.0.3"):
            return web.Response(status=500, text='{"revision": "r1"}')
        if request.host.startswith("127.0.0.4"):
            raise web.HTTPFound("http://127.0.0.2/")
        return web.Response(body=b'{"revision": "' + b"x" * 3_000_000)

    app = web.Application()
    app.router.add_get("/config", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = 0
    for last in (2, 3, 4, 5):
        await web.TCPSite(runner, f"127.0.0.{last}", port).start()
        port = runner.addresses[0][1]
    cluster = MemoryCluster(
        *(pod(f"p{last}", status={"podIP": f"127.0.0.{last}", "conditions": READY}) for last in (2, 3, 4, 5, 6)),
        pod("unready-but-answers", status={"podIP": "127.0.0.2"}),
        pod("unready-and-silent", status={"podIP": "127.0.0.6"}),
    )
    try:
        async with ClientSession() as session:
            fleet = PodFleet(cluster, session, namespace="gateway", selector="app=proxy", admin_port=port)
            assert await fleet.ask() == {
                "p2": Answer("r1"),
                "p3": Answer(),
                "p4": Answer(),
                "p5": Answer(),
                "p6": Answer(),
                "unready-but-answers": Answer("r1"),
            }
    finally:
        await runner.cleanup()
