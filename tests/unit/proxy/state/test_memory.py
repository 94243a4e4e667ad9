"""What every store promises, shown by the one in memory; and the bound of that one."""

import pytest

from understudy_proxy.state.memory import MemoryStore
from understudy_proxy.state.store import Store

LONG = 100.0


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Whose seconds the store counts."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Store:
    """An empty one."""
    return MemoryStore(max_bytes=10_000, now=clock)


async def test_a_value_is_kept_for_its_time(store: Store, clock: Clock) -> None:
    """To the end of it, and no longer."""
    await store.put("a", b"1", ttl_seconds=10)
    clock.now += 9.9
    assert b"1" == await store.get("a")
    clock.now += 0.1
    assert await store.get("a") is None
    assert not await store.delete("a")


async def test_only_one_adds(store: Store, clock: Clock) -> None:
    """The first one does, and the next one when its time is over."""
    assert await store.add("a", b"1", ttl_seconds=10)
    assert not await store.add("a", b"2", ttl_seconds=10)
    assert b"1" == await store.get("a")
    clock.now += 10
    assert await store.add("a", b"2", ttl_seconds=10)


@pytest.mark.parametrize(
    ("there", "old", "swapped", "left"),
    [
        pytest.param(b"1", b"1", True, b"2", id="as it was"),
        pytest.param(b"x", b"1", False, b"x", id="changed meanwhile"),
        pytest.param(None, b"1", False, None, id="gone meanwhile"),
    ],
)
async def test_a_swap_overwrites_nobody(
    store: Store, there: bytes | None, old: bytes, swapped: bool, left: bytes | None
) -> None:
    """It replaces what it was told is there, or nothing."""
    if there is not None:
        await store.put("a", there, ttl_seconds=LONG)
    assert swapped is await store.swap("a", old, b"2", ttl_seconds=LONG)
    assert left == await store.get("a")


async def test_a_swap_keeps_for_so_long_from_now(store: Store, clock: Clock) -> None:
    """The time begins anew."""
    await store.put("a", b"1", ttl_seconds=10)
    clock.now += 9
    assert await store.swap("a", b"1", b"2", ttl_seconds=10)
    clock.now += 9
    assert b"2" == await store.get("a")


async def test_a_touch_prolongs(store: Store, clock: Clock) -> None:
    """What is there is kept on; what is not there does not come back."""
    await store.put("a", b"1", ttl_seconds=10)
    clock.now += 9
    assert await store.touch("a", ttl_seconds=10)
    clock.now += 9
    assert b"1" == await store.get("a")
    clock.now += 1
    assert not await store.touch("a", ttl_seconds=10)


@pytest.mark.parametrize(
    ("value", "dropped"), [pytest.param(b"1", True, id="its own"), pytest.param(b"2", False, id="another's")]
)
async def test_only_its_own_is_dropped(store: Store, value: bytes, dropped: bool) -> None:
    """Whoever lost a key to another does not take it from that one."""
    await store.put("a", b"1", ttl_seconds=LONG)
    assert dropped is await store.drop("a", value)
    assert dropped is (await store.get("a") is None)


async def test_the_bound_holds(store: Store) -> None:
    """Beyond it the value goes that was used longest ago; what is larger than the bound is not kept at all."""
    for name in "abc":
        await store.put(name, b"x" * 3000, ttl_seconds=LONG)
    await store.get("a")
    await store.put("d", b"x" * 3000, ttl_seconds=LONG)
    assert [True, False, True, True] == [await store.get(name) is not None for name in "abcd"]
    assert not await store.add("e", b"x" * 10_000, ttl_seconds=LONG)
    assert not await store.swap("a", b"x" * 3000, b"x" * 10_000, ttl_seconds=LONG)
    assert b"x" * 3000 == await store.get("a")
