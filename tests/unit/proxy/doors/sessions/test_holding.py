"""One turn at a time: who waits, who is sent away, and what a proxy that dies leaves behind."""

import asyncio

import pytest

from harness.virtual_time import run
from understudy_proxy.doors.door import Refused
from understudy_proxy.doors.sessions.holding import LEASE_SECONDS, MAX_WAITING, WAIT_SECONDS, Holding
from understudy_proxy.state.memory import MemoryStore

KEY = "session/ns/sess_1"
LONG = 3600.0


def a_store() -> MemoryStore:
    """Whose seconds are the loop's."""
    return MemoryStore(max_bytes=10_000, now=asyncio.get_running_loop().time)


async def a_turn(holding: Holding, *, takes: float, log: list[str], name: str) -> None:
    """Hold the session for so long."""
    async with holding.hold(KEY, ttl_seconds=LONG):
        log.append(f"{name} begins")
        await asyncio.sleep(takes)
        log.append(f"{name} ends")


def test_turns_do_not_overlap() -> None:
    """Even when they come by different proxies to the store that these share."""

    async def main() -> None:
        store, log = a_store(), list[str]()
        names = ("a", "b", "c")
        await asyncio.gather(*(a_turn(Holding(store), takes=2, log=log, name=name) for name in names))
        assert sorted(log[::2]) == sorted(f"{name} begins" for name in names)
        for begun, ended in zip(log[::2], log[1::2], strict=True):
            assert begun.split()[0] == ended.split()[0]

    run(main())


def test_whoever_waits_too_long_is_sent_away() -> None:
    """409, when to come back, and not before the patience is at its end; the turn under way is not disturbed."""

    async def main() -> None:
        store, log = a_store(), list[str]()
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(a_turn(Holding(store), takes=10 * WAIT_SECONDS, log=log, name="first"))
        await asyncio.sleep(0.1)
        asked = loop.time()
        with pytest.raises(Refused) as refused:
            await a_turn(Holding(store), takes=1, log=log, name="second")
        assert WAIT_SECONDS - 1 < loop.time() - asked <= WAIT_SECONDS
        assert (409, "session_busy") == (refused.value.status, refused.value.code)
        assert "1" == dict(refused.value.headers)["retry-after"]
        await first
        assert ["first begins", "first ends"] == log

    run(main())


def test_not_everybody_may_wait() -> None:
    """Beyond so many, turns are sent away at once; those that wait have their turns."""

    async def main() -> None:
        holding, log = Holding(a_store()), list[str]()
        waiting = [
            asyncio.create_task(a_turn(holding, takes=0.1, log=log, name=str(n))) for n in range(MAX_WAITING + 1)
        ]
        await asyncio.sleep(0.01)
        with pytest.raises(Refused, match="wait for it already"):
            await a_turn(holding, takes=0, log=log, name="one more")
        await asyncio.gather(*waiting)
        assert 2 * (MAX_WAITING + 1) == len(log)
        await a_turn(holding, takes=0, log=log, name="later")

    run(main())


@pytest.mark.parametrize("failure", [ValueError, asyncio.CancelledError])
def test_a_turn_that_fails_lets_go(failure: type[BaseException]) -> None:
    """The next one begins at once."""

    async def main() -> None:
        holding = Holding(a_store())
        with pytest.raises(failure):
            async with holding.hold(KEY, ttl_seconds=LONG):
                raise failure
        before = asyncio.get_running_loop().time()
        await a_turn(holding, takes=0, log=[], name="next")
        assert before == asyncio.get_running_loop().time()

    run(main())


def test_a_proxy_that_died_holds_nothing_for_long() -> None:
    """Its mark is forgotten when it is not renewed any more."""

    async def main() -> None:
        store = a_store()
        await store.add(f"{KEY}/turn", b"of a dead one", ttl_seconds=LEASE_SECONDS)
        await asyncio.sleep(1)
        await a_turn(Holding(store), takes=0, log=[], name="next")
        assert LEASE_SECONDS <= asyncio.get_running_loop().time() <= LEASE_SECONDS + 1

    run(main())


def test_the_session_outlives_a_long_turn() -> None:
    """It does not expire while somebody speaks in it, and has its whole time afterwards."""

    async def main() -> None:
        store = a_store()
        await store.put(KEY, b"session", ttl_seconds=1)
        async with Holding(store).hold(KEY, ttl_seconds=1):
            await asyncio.sleep(100)
        assert b"session" == await store.get(KEY)
        await asyncio.sleep(1)
        assert await store.get(KEY) is None

    run(main())
