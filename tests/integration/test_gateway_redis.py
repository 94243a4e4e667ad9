"""What is kept between requests, shared by gateways through a real Redis; and what happens while that is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
from openai import AsyncOpenAI

from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.missing import Missing
from harness.raw_http import PATIENCE_SECONDS, exchange
from harness.redis import RedisServer, redis_server
from understudy.mock import Mock
from understudy.mock.settings import Settings as MockSettings
from understudy_proxy.settings import BadSetting, Settings
from understudy_proxy.state.redis import RedisStore
from understudy_proxy.state.store import Store, StoreUnavailable

LONG = 100.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of these tests' own."""
    try:
        with redis_server(tmp_path_factory.mktemp("redis")) as made:
            yield made
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    """One of its clients."""
    made = RedisStore(server.url)
    yield made
    await made.close()


@pytest.fixture
async def other(server: RedisServer) -> AsyncIterator[RedisStore]:
    """Another one."""
    made = RedisStore(server.url)
    yield made
    await made.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Mock]:
    """Whoever answers."""
    async with Mock(name="a") as made:
        yield made


def _serving(upstream: Mock, server: RedisServer) -> Serving:
    here = snapshot([provider("a", upstream.url)], [route("chat", *in_order("a"))])
    return Serving(here, settings={"redis_url": server.url})


async def _until_gone(store: Store, key: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await store.get(key) is not None:  # noqa: ASYNC110 - Redis tells nobody that a time is over
            await asyncio.sleep(0.005)


async def _listen(client: AsyncOpenAI, heard: list[str]) -> None:
    stream = await client.responses.create(model="chat", input="hi", stream=True)
    async for event in stream:
        heard.append(event.type)  # noqa: PERF401 - what was heard before it broke counts


async def test_what_one_keeps_the_other_finds(store: RedisStore, other: RedisStore) -> None:
    """Byte by byte, until it is deleted."""
    value = bytes(range(256))
    await store.put("found", value, ttl_seconds=LONG)
    assert value == await other.get("found")
    assert await other.delete("found")
    assert not await store.delete("found")
    assert await store.get("found") is None


async def test_values_go_when_their_time_is_over(store: RedisStore) -> None:
    """However they came; a touch gives them new time."""
    await store.put("put", b"1", ttl_seconds=0.05)
    await store.add("add", b"1", ttl_seconds=0.05)
    await store.put("swap", b"1", ttl_seconds=LONG)
    await store.swap("swap", b"1", b"2", ttl_seconds=0.05)
    await store.put("touch", b"1", ttl_seconds=0.05)
    assert await store.touch("touch", ttl_seconds=LONG)
    for key in ("put", "add", "swap"):
        await _until_gone(store, key)
    assert b"1" == await store.get("touch")
    assert not await store.touch("put", ttl_seconds=LONG)


async def test_of_many_who_add_one_does(store: RedisStore, other: RedisStore) -> None:
    """Whoever else is at it."""
    await store.delete("lock")
    added = await asyncio.gather(
        *(each.add("lock", str(n).encode(), ttl_seconds=LONG) for n in range(20) for each in (store, other))
    )
    assert added.count(True) == 1


async def test_of_many_who_swap_one_does(store: RedisStore, other: RedisStore) -> None:
    """None overwrites what it has not seen."""
    await store.put("swapped", b"before", ttl_seconds=LONG)
    swapped = await asyncio.gather(
        *(
            each.swap("swapped", b"before", str(n).encode(), ttl_seconds=LONG)
            for n in range(20)
            for each in (store, other)
        )
    )
    assert swapped.count(True) == 1
    assert not await store.swap("absent", b"before", b"after", ttl_seconds=LONG)


async def test_only_its_own_is_dropped(store: RedisStore, other: RedisStore) -> None:
    """Whoever lost a key to another does not take it from that one."""
    await store.put("mine", b"1", ttl_seconds=LONG)
    assert not await other.drop("mine", b"2")
    assert b"1" == await store.get("mine")
    assert await other.drop("mine", b"1")
    assert await store.get("mine") is None


async def test_a_wrong_password_is_told_without_it(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """It is away for whoever asks; the log says why, once."""
    store = RedisStore(server.url.replace(server.password, "guessed-word"))
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.get("a")
    await store.close()
    assert len(caplog.messages) == 1
    assert "guessed-word" not in caplog.text


async def test_a_response_is_gone_on_with_at_another_gateway(upstream: Mock, server: RedisServer) -> None:
    """The fleet has one memory."""
    async with _serving(upstream, server) as one, _serving(upstream, server) as two:
        async with AsyncOpenAI(base_url=one.base_url, api_key="k", max_retries=0) as client:
            first = await client.responses.create(model="chat", input="I am Ada.")
        async with AsyncOpenAI(base_url=two.base_url, api_key="k", max_retries=0) as client:
            await client.responses.create(model="chat", input="Who am I?", previous_response_id=first.id)
    assert b"I am Ada." in upstream.requests[-1].body


async def test_a_store_that_is_away_stops_nothing_else(
    upstream: Mock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What needs it is told to come again, in time; chats go on; and it is used again when it is back."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        async with (
            _serving(upstream, server) as gateway,
            AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as client,
        ):
            await client.responses.create(model="chat", input="hi")
            server.process.kill()
            with pytest.raises(openai.InternalServerError) as caught:
                await client.responses.create(model="chat", input="hi")
            assert caught.value.status_code == 503
            assert caught.value.code == "store_unavailable"
            assert "1" == caught.value.response.headers["retry-after"]
            answer = await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "hi"}])
            assert answer.choices[0].message.content
            ready = await exchange(gateway.port, "GET", "/health/ready")
            assert ready.status == 200
            server.start()
            assert (await client.responses.create(model="chat", input="hi")).output_text
        messages = [line["message"] for line in gateway.log()]
    assert [True, True] == [
        any(message.startswith("the shared store is out of reach") for message in messages),
        "the shared store is back" in messages,
    ]
    assert server.password not in str(gateway.log())


async def test_a_frozen_store_is_not_waited_for(upstream: Mock, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One that takes connections and says nothing is as good as away."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        async with (
            _serving(upstream, server) as gateway,
            AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as client,
        ):
            server.process.pause()
            try:
                with pytest.raises(openai.InternalServerError, match="out of reach"):
                    async with asyncio.timeout(20):
                        await client.responses.create(model="chat", input="hi")
            finally:
                server.process.resume()


async def test_a_stream_that_cannot_be_kept_says_so_at_its_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The client does not take for kept what is not."""
    async with Mock(name="a", settings=MockSettings(token_interval=0.02)) as upstream:
        with redis_server(tmp_path_factory.mktemp("redis")) as server:
            async with (
                _serving(upstream, server) as gateway,
                AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as client,
            ):
                server.process.kill()
                heard: list[str] = []
                with pytest.raises(openai.APIError, match="not complete"):
                    await _listen(client, heard)
    assert "response.output_text.delta" in heard
    assert "response.completed" not in heard


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost:6379", "memcached://secret@localhost"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    """At the start, without repeating what may hold a password."""
    with pytest.raises(BadSetting, match="UNDERSTUDY_REDIS_URL takes an address that begins with redis://") as caught:
        Settings(redis_url=url)
    assert "secret" not in str(caught.value)
