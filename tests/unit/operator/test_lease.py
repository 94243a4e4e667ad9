"""One operator leads at a time, another takes over, and a lost connection is no reason to end."""

import asyncio
from collections.abc import Awaitable, Callable

from harness import virtual_time
from harness.memory_cluster import Call, MemoryCluster
from understudy_operator.cluster import LEASES, Unavailable
from understudy_operator.lease import Leadership, Terms


def leadership(cluster: MemoryCluster, identity: str) -> Leadership:
    """One operator's claim."""
    return Leadership(
        cluster,
        Terms("gateway", "understudy-operator", identity, lease_seconds=15, renew_seconds=10, retry_seconds=2),
    )


def spec(cluster: MemoryCluster) -> dict[str, object]:
    """The Lease's spec."""
    lease = cluster.look(LEASES, "gateway", "understudy-operator")
    assert lease is not None
    found: dict[str, object] = lease["spec"]
    return found


def play(script: Callable[[MemoryCluster], Awaitable[None]]) -> None:
    """Run a script in virtual time."""

    async def scenario() -> None:
        await script(MemoryCluster())

    virtual_time.run(scenario())


async def _acquired_at(claim: Leadership) -> float:
    await claim.acquire()
    return asyncio.get_running_loop().time()


def test_the_first_one_leads_at_once() -> None:
    """There is nothing to wait for."""

    async def script(cluster: MemoryCluster) -> None:
        claim = leadership(cluster, "a")
        assert not claim.held
        assert await _acquired_at(claim) == 0.0
        assert claim.held
        assert (spec(cluster)["holderIdentity"], spec(cluster)["leaseDurationSeconds"]) == ("a", 15)

    play(script)


def test_a_standby_waits_as_long_as_the_leader_renews() -> None:
    """Two operators never lead at once."""

    async def script(cluster: MemoryCluster) -> None:
        one, two = leadership(cluster, "a"), leadership(cluster, "b")
        await one.acquire()
        keeping = asyncio.create_task(one.keep())
        waiting = asyncio.create_task(two.acquire())
        await asyncio.sleep(600)
        assert one.held
        assert not two.held
        assert two.heard, "a standby that reads the Lease is ready"
        keeping.cancel()
        waiting.cancel()

    play(script)


def test_a_dead_leader_is_succeeded_once_its_lease_has_run_out() -> None:
    """Killed, a leader is followed within its lease duration and one try, and not before it stops writing itself."""

    async def script(cluster: MemoryCluster) -> None:
        one, two = leadership(cluster, "a"), leadership(cluster, "b")
        await one.acquire()
        taken = await _acquired_at(two)
        assert 15 <= taken <= 17
        assert not one.held, "the old one has stopped writing on its own"
        assert (spec(cluster)["holderIdentity"], spec(cluster)["leaseTransitions"]) == ("b", 2)

    play(script)


def test_a_leader_that_leaves_lets_go() -> None:
    """A rolling update does not wait for a Lease to run out."""

    async def script(cluster: MemoryCluster) -> None:
        one, two = leadership(cluster, "a"), leadership(cluster, "b")
        await one.acquire()
        waiting = asyncio.create_task(_acquired_at(two))
        await asyncio.sleep(5)
        await one.release()
        assert not one.held
        assert await waiting <= 7

    play(script)


def test_a_leader_that_sees_another_ends() -> None:
    """Whoever finds the Lease taken stops leading for good."""

    async def script(cluster: MemoryCluster) -> None:
        one, two = leadership(cluster, "a"), leadership(cluster, "b")
        await one.acquire()
        await two.acquire()  # `a` did not renew for so long
        async with asyncio.timeout(3):
            await one.keep()
        assert not one.held
        assert two.held

    play(script)


def test_an_outage_pauses_and_does_not_end() -> None:
    """While nobody can reach the API server, nobody can take the Lease: the leader stops writing, and goes on after."""

    async def script(cluster: MemoryCluster) -> None:
        one, two = leadership(cluster, "a"), leadership(cluster, "b")
        await one.acquire()
        keeping = asyncio.create_task(one.keep())
        waiting = asyncio.create_task(two.acquire())
        await asyncio.sleep(5)

        async def fail(_call: Call) -> None:
            raise Unavailable("connection refused")

        cluster.before = fail
        await asyncio.sleep(8)
        assert one.held, "not renewed for less than ten seconds"
        await asyncio.sleep(50)
        assert not one.held
        cluster.before = _fine
        await asyncio.sleep(5)
        assert one.held != two.held, "one of them leads"
        assert keeping.done() == two.held
        keeping.cancel()
        waiting.cancel()

    play(script)


def test_a_hanging_api_server_counts_as_gone() -> None:
    """An answer that never comes does not keep a leader believing."""

    async def script(cluster: MemoryCluster) -> None:
        one = leadership(cluster, "a")
        await one.acquire()
        keeping = asyncio.create_task(one.keep())

        async def hang(_call: Call) -> None:
            await asyncio.sleep(3600)

        cluster.before = hang
        await asyncio.sleep(30)
        assert not one.held
        cluster.before = _fine
        await asyncio.sleep(10)
        assert one.held
        keeping.cancel()

    play(script)


def test_two_that_reach_for_it_at_once() -> None:
    """Of two that find it free, one gets it."""

    async def script(cluster: MemoryCluster) -> None:
        claims = [leadership(cluster, name) for name in "ab"]
        waiting = [asyncio.create_task(claim.acquire()) for claim in claims]
        await asyncio.sleep(1)
        assert [claim.held for claim in claims].count(True) == 1
        for task in waiting:
            task.cancel()

    play(script)


def test_a_restarted_leader_takes_its_own_lease_back() -> None:
    """A container that restarts in its pod keeps its name, and need not wait for itself."""

    async def script(cluster: MemoryCluster) -> None:
        await leadership(cluster, "a").acquire()
        assert await _acquired_at(leadership(cluster, "a")) == 0.0

    play(script)


async def _fine(_call: Call) -> None:
    return
