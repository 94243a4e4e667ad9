"""Time as a caller meets it: how long an upstream that cannot even be reached holds it up, and when to come back."""

import pytest

from harness.asking import ask
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_upstream import Line, RawUpstream
from understudy.mock import Mock
from understudy_api.config import RetryPolicy, Timeouts

IMPATIENT = Timeouts(connect_seconds=0.2, first_token_seconds=60, stream_idle_seconds=60, request_seconds=60)


async def _says_nothing(line: Line) -> None:
    """Accept a connection, and never take part in its handshake."""
    await line.closed()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_upstream_that_does_not_connect_is_given_up(stream: bool) -> None:
    """The connect timeout, with the handshake in it, passes once: the understudy answers. Alone it is a 504."""
    async with RawUpstream(_says_nothing) as raw, Mock(name="b") as b:
        silent = provider("a", f"https://127.0.0.1:{raw.port}", timeouts=IMPATIENT)
        routes = [route("chat", *in_order("a", "b")), route("alone", *in_order("a"))]
        async with Serving(snapshot([silent, provider("b", b.url)], routes)) as gateway:
            told = await ask(gateway.port, stream=stream)
            assert (200, True, "default/b", "connect_timeout", "2") == (
                told.status,
                told.whole,
                told.header("provider"),
                told.header("reason"),
                told.header("attempts"),
            )
            alone = await ask(gateway.port, model="alone", stream=stream)
            assert (504, "connect_timeout") == (alone.status, alone.header("reason"))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", ["429", "429;retry-after=7", "quota", "402"])
async def test_every_429_says_when_to_come_back(fault: str, stream: bool) -> None:
    """A 429 has a Retry-After in whole seconds, also where the provider gave none, and also while it rests."""
    async with Mock(name="a", faults=[fault]) as a:
        once = route("chat", *in_order("a"), retry=RetryPolicy(attempts=1))
        async with Serving(snapshot([provider("a", a.url)], [once])) as gateway:
            for _ in range(2):
                told = await ask(gateway.port, stream=stream)
                assert told.status == 429
                assert int(told.answer.headers["retry-after"]) >= 1
