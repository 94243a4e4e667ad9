"""Several operators, operators that die, and an API server that is gone: the fleet runs on, and statuses catch up."""

import asyncio
import time

from harness.apiserver import ApiServer
from harness.control_plane import ControlPlane, control_plane
from harness.figures import tell
from harness.manifests import provider, route, secret
from understudy_operator.cluster import LEASES, Query

QUICK_LEASE = {"lease_seconds": "3", "renew_seconds": "2", "retry_seconds": "0.5"}


async def _set_up(plane: ControlPlane) -> None:
    await plane.apply(
        secret("key", namespace=plane.namespace, key="sk-1"),
        provider("main", namespace=plane.namespace, secret_name="key"),
        route("chat", namespace=plane.namespace),
    )
    await plane.says(route("chat", namespace=plane.namespace), "Ready", "True Ready")


async def _holder(plane: ControlPlane) -> str:
    lease = await plane.cluster.get(Query(LEASES, plane.namespace, "understudy-operator"))
    return str(lease["spec"]["holderIdentity"])


async def test_the_second_operator_stands_by_and_takes_over(apiserver: ApiServer) -> None:
    """One leads; killed, it is followed within its Lease; what changed meanwhile is caught up with."""
    async with control_plane(apiserver, operator=False) as plane:
        first = await plane.start_operator(**QUICK_LEASE)
        await _set_up(plane)
        second = await plane.start_operator(**QUICK_LEASE)
        await asyncio.sleep(1.5)  # three times its retry: it has tried
        assert await second.fetch("/healthz") == (200, "standing by\n")
        assert await second.fetch("/readyz") == (200, "standing by\n")
        assert (second.logged("leading"), await second.metric("leader"), await _holder(plane)) == (0, 0, "operator-0")
        await asyncio.to_thread(first.process.kill)
        killed = time.monotonic()
        late = route("late", namespace=plane.namespace)
        await plane.apply(late)
        await plane.says(late, "Ready", "True Ready")
        tell("leader killed to next edit live", time.monotonic() - killed)
        assert await _holder(plane) == "operator-1"
        # All other statuses were right as they were.
        assert await second.metric('status_writes_total{outcome="written"}') <= 2


async def test_a_leader_that_is_asked_to_end_hands_over(apiserver: ApiServer) -> None:
    """SIGTERM: it ends with 0 and lets go of the Lease, so that the next one leads at once."""
    async with control_plane(apiserver, operator=False) as plane:
        first = await plane.start_operator()  # with the usual Lease of 15 s
        await _set_up(plane)
        second = await plane.start_operator(retry_seconds="0.5")
        asked = time.monotonic()
        await asyncio.to_thread(first.process.stop)
        tell("SIGTERM to ended", time.monotonic() - asked)
        assert first.lines[-1]["message"] == "ended"
        await plane.until(
            lambda: second.logged("leading") == 1, what="the second leads", within_seconds=12
        )  # before the Lease ends
        tell("SIGTERM to the next one leading", time.monotonic() - asked)


async def test_a_leader_that_was_frozen_ends_when_it_wakes(apiserver: ApiServer) -> None:
    """A process that slept through its Lease does not go on as if nothing had been."""
    async with control_plane(apiserver, operator=False) as plane:
        first = await plane.start_operator(**QUICK_LEASE)
        await _set_up(plane)
        second = await plane.start_operator(**QUICK_LEASE)
        await asyncio.to_thread(first.process.pause)
        await plane.until(lambda: second.logged("leading") == 1, what="the second leads", within_seconds=30)
        await asyncio.to_thread(first.process.resume)
        await plane.until(lambda: not first.process.running, what="the first has ended", within_seconds=30)
        assert first.logged("another operator leads now") == 1
        assert await _holder(plane) == "operator-1"


async def test_killed_at_any_moment_it_leaves_a_whole_configuration(apiserver: ApiServer) -> None:
    """Killed again and again while it publishes, with edits going on: every proxy only ever loads whole ones."""
    async with control_plane(apiserver, operator=False) as plane:
        await plane.start_operator(**QUICK_LEASE)
        await _set_up(plane)
        for number in range(6):
            # The same name, as a restarted container has: it leads again at once.
            operator = plane.operators[-1]
            await plane.apply(route(f"r{number}", namespace=plane.namespace))
            published = operator.logged("published")
            await asyncio.sleep(0.09 + 0.015 * number)  # from before the first write to after the last
            await asyncio.to_thread(operator.process.kill)
            await plane.published()  # raises when it is not whole
            assert operator.logged("published") - published in (0, 1)
            await plane.start_operator(identity="operator-0", **QUICK_LEASE)
        last = route("r5", namespace=plane.namespace)
        await plane.says(last, "Ready", "True Ready")
        targets = (await plane.published()).config.targets
        assert {f"LLMRoute/{plane.namespace}/r{number}" for number in range(6)} <= targets.keys()
        for proxy in plane.proxies:
            assert proxy.loaded[-1].config.targets == targets
            assert all(loaded.config.revision == loaded.credentials.revision for loaded in proxy.loaded)


async def test_the_api_server_is_gone_for_a_while(apiserver: ApiServer) -> None:
    """The fleet keeps what it runs, the operator survives, and an edit from just before catches up."""
    async with control_plane(apiserver) as plane:
        await _set_up(plane)
        operator = plane.operators[0]
        before = [proxy.revision for proxy in plane.proxies]
        late = route("late", namespace=plane.namespace)
        await plane.apply(late)
        await asyncio.to_thread(apiserver.kill)
        try:
            await asyncio.sleep(12)
            assert operator.process.running
            assert all(proxy.revision in (before[0], proxy.loaded[-1].config.revision) for proxy in plane.proxies)
        finally:
            await asyncio.to_thread(apiserver.start)
        back = time.monotonic()
        await plane.says(late, "Ready", "True Ready")
        tell("API server back to caught up", time.monotonic() - back)
        edited = route("chat", namespace=plane.namespace, retry={"attempts": 5})
        applied = await plane.apply(edited)
        await plane.says(edited, "Ready", "True Ready")
        tell("and an edit after that to Ready", time.monotonic() - applied)
        assert operator.process.running


async def test_the_api_server_hangs_for_a_while(apiserver: ApiServer) -> None:
    """Connections that are open and silent: the operator stops writing, and goes on when answers come."""
    async with control_plane(apiserver, operator=False) as plane:
        operator = await plane.start_operator(**QUICK_LEASE)
        await _set_up(plane)
        await asyncio.to_thread(apiserver.pause)
        try:
            await asyncio.sleep(6)
            assert operator.logged("the lease cannot be reached") >= 1
        finally:
            await asyncio.to_thread(apiserver.resume)
        late = route("late", namespace=plane.namespace)
        await plane.apply(late)
        await plane.says(late, "Ready", "True Ready")
        assert operator.process.running
