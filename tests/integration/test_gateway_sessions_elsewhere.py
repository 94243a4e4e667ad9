"""Sessions together with what else gateways do: a fleet with one memory, and tools that the gateway runs."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from harness.asking import ask
from harness.callers import CALLERS
from harness.executing import MODEL, staged
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.missing import Missing
from harness.raw_http import eventually
from harness.redis import RedisServer, redis_server
from harness.sessions import Talk, begun, kept
from harness.vendors import VENDORS
from understudy.mock import Mock, Settings

STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of these tests' own."""
    try:
        with redis_server(tmp_path_factory.mktemp("redis")) as made:
            yield made
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """Whoever answers."""
    async with Mock(name="a") as made:
        yield made


def serving(mock: Mock, server: RedisServer) -> Serving:
    """A gateway of the fleet."""
    here = snapshot([provider("a", mock.url)], [route("chat", *in_order("a"))])
    return Serving(here, settings={"redis_url": server.url})


async def test_a_conversation_goes_on_at_another_gateway(mock: Mock, server: RedisServer) -> None:
    """Whichever of them a turn comes to; deleted at one, it is gone at the other."""
    async with serving(mock, server) as one, serving(mock, server) as two:
        session = await begun(one.port)
        for gateway, text in ((one, "first"), (two, "second"), (one, "third")):
            assert (await ask(gateway.port, said=text, session_id=session)).whole
        messages = await kept(two.port, session)
    assert ["first", "second", "third"] == [each["content"] for each in messages if each["role"] == "user"]


@STREAMS
async def test_turns_at_once_at_several_gateways(mock: Mock, server: RedisServer, stream: bool) -> None:
    """They come one after the other, and each knows the ones before it."""
    mock.settings = Settings(token_interval=0.005)
    async with serving(mock, server) as one, serving(mock, server) as two:
        session = await begun(one.port)
        turns = [ask((one, two)[n % 2].port, said=f"turn {n}", stream=stream, session_id=session) for n in range(4)]
        assert [True] * 4 == [answer.whole for answer in await asyncio.gather(*turns)]
        messages = await kept(one.port, session)
    assert 1 == mock.stats.max_in_flight
    assert [1, 3, 5, 7] == [len(request.json()["messages"]) for request in mock.requests]
    assert ["user", "assistant"] * 4 == [message["role"] for message in messages]


@STREAMS
async def test_a_memory_that_is_away(mock: Mock, tmp_path_factory: pytest.TempPathFactory, stream: bool) -> None:
    """A turn that cannot be kept is no turn: the client is told so, be it at the end of a stream."""
    mock.settings = Settings(tokens=30, token_interval=0.02)
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        async with serving(mock, server) as gateway:
            session = await begun(gateway.port)
            turn = asyncio.create_task(ask(gateway.port, stream=stream, session_id=session))
            await eventually(lambda: mock.stats.in_flight == 1)
            server.process.kill()
            answer = await turn
            refused = await ask(gateway.port, session_id=session)
    assert not answer.whole
    assert (503, "store_unavailable") == (refused.status, (refused.error or {})["code"])


@STREAMS
@pytest.mark.parametrize("caller", CALLERS)
async def test_everything_sent_again_is_not_doubled(caller: str, stream: bool) -> None:
    """Although the client never saw the rounds of tools that the answer is made of."""
    client = CALLERS[caller]
    async with staged() as stage:
        session = await begun(stage.port)
        talk = Talk(client, stage.port, session, stream=stream)
        history = [client.user("[say: Let me see.] [call: sums] [then: [call: sums] [then: [say: It is 42.]]]")]
        answer = await talk.go_on(history, model=MODEL)
        assert "Let me see.\n\nIt is 42." == answer.text
        await talk.go_on([*history, *answer.turns, client.user("[say: fine]")], model=MODEL)
        roles = [message["role"] for message in await kept(stage.port, session)]
    rounds = ["assistant", "tool", "assistant", "tool", "assistant"]
    assert ["user", *rounds, "user", "assistant"] == roles


@STREAMS
@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_the_gateways_tools_returned_is_kept(vendor: str, stream: bool) -> None:
    """The next turn goes on with calls and results that the client never saw."""
    async with staged(vendor=VENDORS[vendor]) as stage:
        session = await begun(stage.port)
        talk = Talk(CALLERS["openai"], stage.port, session, stream=stream)
        answer = await talk.say("[think: hm] [call: sums]", model=MODEL)
        assert ("stop", ()) == (answer.finish, answer.calls)
        again = await talk.say("[say: fine]", model=MODEL)
        assert "fine" == again.text
        messages = await kept(stage.port, session)
        last = stage.mock.requests[-1].body.decode()
    assert ["user", "assistant", "tool", "assistant", "user", "assistant"] == [each["role"] for each in messages]
    assert '{"sum":42}' == messages[2]["content"]
    assert "sums" in last
