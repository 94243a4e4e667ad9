"""What is kept until it is renewed: who waits for it, who does not, and what a failure costs."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from understudy_proxy.exchange.credentials.kept import RETRY_SECONDS, Kept, Lease
from understudy_proxy.failure import FailureKind, UpstreamError


@dataclass
class Source:
    """Gives out numbered values that last 100 seconds and are to be renewed after 60; fails as told."""

    fails: bool = False
    open: threading.Event = field(default_factory=threading.Event)
    fetched: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    def __call__(self, now: float) -> Lease[str]:
        """As a cloud's library does, in a thread."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.open.wait(10)
        self.at_once -= 1
        self.fetched += 1
        if self.fails:
            raise RuntimeError("the cloud says no to sk-0123456789abcdef")
        return Lease(f"value-{self.fetched}", renew_at=now + 60, until=now + 100)


async def settled() -> None:
    """Let what runs beside come to its end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others)


async def test_the_first_are_served_by_one() -> None:
    """Whoever comes while nothing is there yet waits for the same."""
    source = Source()
    kept = Kept(source, what="thing")
    assert ["value-1"] * 5 == await asyncio.gather(*[kept.get(0.0) for _ in range(5)])
    assert source.fetched == 1


async def test_the_old_serves_while_it_is_renewed() -> None:
    """From the time of renewal on requests go on with the old one, and one task gets the next."""
    source = Source()
    kept = Kept(source, what="thing")
    await kept.get(0.0)
    assert await kept.get(59.0) == "value-1"
    assert source.fetched == 1
    source.open.clear()
    assert ["value-1"] * 3 == [await kept.get(now) for now in (60.0, 80.0, 99.0)]
    source.open.set()
    await settled()
    assert await kept.get(99.5) == "value-2"
    assert source.most_at_once == 1


async def test_what_has_run_out_is_not_given() -> None:
    """After its time the next one is waited for."""
    source = Source()
    kept = Kept(source, what="thing")
    await kept.get(0.0)
    assert await kept.get(100.0) == "value-2"


async def test_a_failed_renewal_harms_nobody_while_the_old_lasts() -> None:
    """And it is not tried again at every request."""
    source = Source()
    kept = Kept(source, what="thing")
    await kept.get(0.0)
    source.fails = True
    assert await kept.get(60.0) == "value-1"
    await settled()
    assert await kept.get(61.0) == "value-1"
    await settled()
    assert source.fetched == 2
    source.fails = False
    assert await kept.get(61.0 + RETRY_SECONDS) == "value-1"
    await settled()
    assert await kept.get(99.0) == "value-3"


async def test_without_one_a_request_fails_and_says_why() -> None:
    """As a refused credential does, without a secret; for a while everybody hears the same without asking again."""
    source = Source(fails=True)
    kept = Kept(source, what="thing")
    for now in (0.0, 1.0):
        with pytest.raises(UpstreamError) as raised:
            await kept.get(now)
        assert raised.value.failure.kind is FailureKind.AUTHENTICATION
        assert raised.value.failure.message.startswith("no thing: RuntimeError: the cloud says no to")
        assert "sk-0123456789abcdef" not in str(raised.value)
    assert source.fetched == 1
    source.fails = False
    assert await kept.get(1.0 + RETRY_SECONDS) == "value-2"


async def test_a_caller_that_leaves_takes_nothing_along() -> None:
    """The others get what they wait for."""
    source = Source()
    source.open.clear()
    kept = Kept(source, what="thing")
    leaving, staying = asyncio.create_task(kept.get(0.0)), asyncio.create_task(kept.get(0.0))
    await asyncio.sleep(0)
    leaving.cancel()
    source.open.set()
    assert await staying == "value-1"
    assert source.fetched == 1


def test_the_value_is_not_shown() -> None:
    """Leases may end up in a debugger's line or a traceback."""
    assert "secret" not in repr(Lease("secret", 0.0, 1.0))
