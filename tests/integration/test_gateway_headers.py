"""Headers, both ways: what a caller sees of a request's course, and what an upstream sees of the caller."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from harness.asking import PATH, ask, chat_body
from harness.gateways import KEY, Serving, backend, in_order, persona, provider, route, snapshot
from harness.raw_http import RawHttp, exchange
from harness.raw_upstream import Line, RawUpstream
from understudy.mock import Mock, Settings
from understudy_api.config import Prompt

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """The upstream that is asked first."""
    async with Mock(name="a") as made:
        yield made


@pytest.fixture
async def gateway(mock: Mock) -> AsyncIterator[Serving]:
    """A route with an understudy, and a persona."""
    async with Mock(name="b") as b:
        providers = [provider("a", mock.url), provider("b", b.url)]
        targets = [route("chat", *in_order("a", "b")), persona("pirate", backend("a"), prompt=Prompt(system="Arr."))]
        async with Serving(snapshot(providers, targets)) as made:
            yield made


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("model", "label"),
    [
        pytest.param("chat", "default/chat", id="route"),
        pytest.param("persona/pirate", "persona/default/pirate", id="persona"),
        pytest.param("a/m", "provider/default/a", id="provider's model"),
    ],
)
async def test_an_answer_says_who_gave_it(gateway: Serving, model: str, label: str, *, stream: bool) -> None:
    """Route, provider, model and attempts are on every answer, and both names of the request id."""
    told = await ask(gateway.port, model=model, stream=stream)
    seen = {name: told.header(name) for name in ("route", "provider", "model", "attempts", "reason")}
    assert seen == {"route": label, "provider": "default/a", "model": "m", "attempts": "1", "reason": None}
    assert told.answer.headers["x-request-id"] == told.answer.headers["request-id"]


async def test_a_stream_is_not_held_back_on_its_way(gateway: Serving) -> None:
    """A stream's headers keep caches and proxies from holding events, and it has no length."""
    headers = (await ask(gateway.port, stream=True)).answer.headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert "content-length" not in headers


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param("req-42_a.b:c/d", True, id="sane"),
        pytest.param("x" * 128, True, id="as long as may be"),
        pytest.param("x" * 129, False, id="too long"),
        pytest.param("a b", False, id="with a space"),
        pytest.param('a"b', False, id="with a quotation mark"),
        pytest.param("é", False, id="not ASCII"),
    ],
)
async def test_request_ids(gateway: Serving, mock: Mock, sent: str, *, kept: bool) -> None:
    """A sane id of the client's is kept, for the answer, the upstream and the log; anything else is replaced."""
    async with RawHttp(gateway.port) as client:
        body = chat_body()
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\nx-request-id: {sent}\r\nconnection: close\r\n"
        client.send_bytes(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = await client.answer()
    given = answer.headers["x-request-id"]
    assert kept == (given == sent)
    assert mock.requests[0].headers["x-request-id"] == given
    async with asyncio.timeout(5):
        while not any(line.get("request_id") == given for line in gateway.log()):  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.01)


async def test_two_requests_have_two_ids(gateway: Serving) -> None:
    """An id that the gateway makes is its request's alone."""
    ids = {(await ask(gateway.port)).answer.headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


async def test_an_upstream_sees_the_gateway_and_not_the_caller(gateway: Serving, mock: Mock) -> None:
    """Of the caller's headers only the trace goes on; the credential is the gateway's own."""
    sent = {
        "authorization": "Bearer the caller's",
        "api-key": "mine",
        "cookie": "session=1",
        "x-forwarded-for": "10.1.2.3",
        "accept-encoding": "gzip, br",
        "te": "trailers",
        "traceparent": TRACE,
        "tracestate": "vendor=1",
    }
    await ask(gateway.port, headers=sent)
    seen = {name.lower(): value for name, value in mock.requests[0].headers.items()}
    own = {"host", "content-type", "content-length", "accept-encoding", "user-agent", "authorization", "x-request-id"}
    assert own | {"traceparent", "tracestate"} == set(seen)
    assert (f"Bearer {KEY}", TRACE, "identity") == (seen["authorization"], seen["traceparent"], seen["accept-encoding"])


async def test_an_upstream_s_own_headers_stay_there() -> None:
    """What an upstream says about its connection, its cookies or its limits is not the gateway's to say."""
    body = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}).encode()

    async def script(line: Line) -> None:
        await line.request()
        await line.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: a=b\r\nserver: vendor\r\n"
            b"x-ratelimit-remaining-requests: 1\r\nkeep-alive: timeout=1\r\nconnection: close\r\n"
            b"access-control-allow-origin: *\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )

    async with RawUpstream(script) as raw:
        there = provider("a", f"http://127.0.0.1:{raw.port}")
        async with Serving(snapshot([there], [route("chat", *in_order("a"))])) as gateway:
            told = await ask(gateway.port)
            assert told.text == "hi"
            leaked = {
                "set-cookie",
                "server",
                "x-ratelimit-remaining-requests",
                "keep-alive",
                "access-control-allow-origin",
            }
            assert not leaked & set(told.answer.headers)


async def test_a_refusal_says_how_it_went(gateway: Serving, mock: Mock) -> None:
    """An error says who was tried, how often and why it failed, as far as that is known."""
    mock.set_faults(["500"])
    told = await ask(gateway.port, model="a/m")
    seen = {name: told.header(name) for name in ("route", "provider", "attempts", "reason")}
    assert seen == {"route": "provider/default/a", "provider": "default/a", "attempts": "2", "reason": "server_error"}
    unknown = await ask(gateway.port, model="nobody")
    assert ("model_not_found", None) == (unknown.header("reason"), unknown.header("route"))


async def test_the_namespace_of_the_path_decides() -> None:
    """A path that pins a namespace finds what only that namespace may see, and `default` does not."""
    async with Mock(name="a", settings=Settings(reply="hello")) as mock:
        served = snapshot([provider("a", mock.url)], [route("chat", *in_order("a"))])
        key = "LLMRoute/default/chat"
        private = served.config.targets[key].model_copy(update={"visible_to": ()})
        config = served.config.model_copy(update={"targets": {key: private}})
        async with Serving(served.__class__(config=config, credentials=served.credentials)) as gateway:
            for prefix, expected in (("/ns/default", 200), ("", 200), ("/ns/other", 404)):
                assert (await exchange(gateway.port, "POST", prefix + PATH, chat_body())).status == expected
                listed = (await exchange(gateway.port, "GET", f"{prefix}/v1/models")).json()["data"]
                assert ("chat" in {model["id"] for model in listed}) == (expected == 200)


async def test_without_a_configuration_nobody_is_served_and_all_are_told() -> None:
    """Before the first configuration a request is told to come back, not that its model does not exist."""
    async with Serving(None) as gateway:
        told = await ask(gateway.port)
        assert (503, "no_configuration", "1") == (
            told.status,
            told.header("reason"),
            told.answer.headers["retry-after"],
        )
