"""What a mock remembers, what can be asked and told of it while it runs, and how it dies and returns."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from harness.raw_http import PATIENCE_SECONDS, Answer, RawHttp, eventually, exchange
from understudy.mock import Mock, Settings

CHAT = "/v1/chat/completions"
WORDS = "one two three"


def question(**fields: Any) -> bytes:
    """Return the body of a chat request."""
    return json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def ask(mock: Mock, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Send a chat request, and return all that came back."""
    return await exchange(mock.port, "POST", CHAT, body, headers)


async def call(mock: Mock, method: str, path: str, body: Any = None) -> Answer:
    """Send any request, with a JSON body if there is one."""
    return await exchange(mock.port, method, path, json.dumps(body).encode() if body is not None else b"")


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """A mock that says three words."""
    async with Mock(name="ada", settings=Settings(reply=WORDS)) as running:
        yield running


async def test_remembers_what_it_received(mock: Mock) -> None:
    """A test finds the request as it was sent, and how it was answered."""
    mock.set_faults(["cut-after:2"])
    await ask(mock, question(stream=True, temperature=0.5), {"authorization": "Bearer sk-1", "X-Extra": "1"})
    (seen,) = mock.requests
    assert (seen.number, seen.method, seen.path, seen.model) == (1, "POST", CHAT, "gpt")
    assert (seen.stream, seen.fault, seen.status, seen.chunks_sent) == (True, "cut-after:2", 200, 3)
    assert (seen.headers["Authorization"], seen.headers["x-extra"]) == ("Bearer sk-1", "1")
    assert json.loads(question(stream=True, temperature=0.5)) == seen.json()
    assert (seen.finished, seen.client_left) == (True, False)


async def test_models(mock: Mock) -> None:
    """The models are listed, and told about one by one, also by names with a slash."""
    mock.settings = Settings(models=("small", "org/large"))
    listed = (await call(mock, "GET", "/v1/models")).json()
    assert [model["id"] for model in listed["data"]] == ["small", "org/large"]
    assert (await call(mock, "GET", "/v1/models/org%2Flarge")).json() == listed["data"][1]
    assert (await call(mock, "GET", "/v1/models/none")).status == 404


async def test_health(mock: Mock) -> None:
    """A mock is well until it is told not to be; asking after its health is not a request to remember."""
    assert (await call(mock, "GET", "/health")).status == 200
    assert (await call(mock, "PUT", "/_mock/health", {"status": 503})).json() == {"status": 503}
    assert (await call(mock, "GET", "/health")).status == 503
    assert mock.requests == []


async def test_the_script_can_be_changed_from_outside(mock: Mock) -> None:
    """Faults are put, read with what they have seen and given, and taken away."""
    await call(mock, "PUT", "/_mock/faults", ["429;times=1", "500;model=other"])
    statuses = [(await ask(mock, question())).status for _ in range(2)]
    shown = (await call(mock, "GET", "/_mock/faults")).json()
    assert statuses == [429, 200]
    assert shown == [
        {"fault": "429;times=1", "seen": 2, "given": 1},
        {"fault": "500;model=other", "seen": 0, "given": 0},
    ]
    assert (await call(mock, "DELETE", "/_mock/faults")).json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "advice"),
    [
        pytest.param("PUT", "/_mock/faults", ["429", "bogus"], 400, 'fault "bogus"', id="a fault that is none"),
        pytest.param("PUT", "/_mock/faults", {"faults": []}, 400, "a list of faults", id="no list"),
        pytest.param("PUT", "/_mock/faults", None, 400, "no JSON", id="no JSON"),
        pytest.param("PUT", "/_mock/health", {"status": 99}, 400, "from 200 to 599", id="a status that is none"),
        pytest.param("POST", "/_mock/stats", None, 405, "takes GET", id="wrong method"),
        pytest.param("GET", "/_mock/nothing", None, 404, "there are /_mock/requests", id="wrong address"),
    ],
)
async def test_a_wrong_word_from_outside(
    mock: Mock, method: str, path: str, body: Any, status: int, advice: str
) -> None:
    """What cannot be done is explained, and changes nothing."""
    mock.set_faults(["503"])
    answer = await call(mock, method, path, body)
    assert (status, True) == (answer.status, advice in answer.json()["error"])
    assert ([line.fault.text for line in mock.script.lines], mock.health_status) == (["503"], 200)


async def test_requests_can_be_read_from_outside(mock: Mock) -> None:
    """What was received is shown with secrets masked, counted, and forgotten on request."""
    await ask(mock, question(), {"authorization": "Bearer sk-0123456789abcdef"})
    (shown,) = (await call(mock, "GET", "/_mock/requests")).json()
    assert (shown["headers"]["authorization"], shown["body"]) == ("Bearer ***cdef", json.loads(question()))
    assert (await call(mock, "DELETE", "/_mock/requests")).json() == []
    assert (await call(mock, "GET", "/_mock/stats")).json() == {
        "requests": 1,
        "streams": 0,
        "in_flight": 0,
        "max_in_flight": 1,
        "aborted": 0,
        "faults": 0,
    }


async def test_odd_bytes_are_shown(mock: Mock) -> None:
    """A header or a body that is no text does not keep a person from seeing the request."""
    async with RawHttp(mock.port) as client:
        client.send_bytes(
            b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
            b"x-odd: \xff\r\ncontent-length: 1\r\n\r\n\xff"
        )
        await client.answer()
    (shown,) = (await call(mock, "GET", "/_mock/requests")).json()
    assert (shown["path"], shown["body"], shown["status"]) == ("/v1/embeddings", "\ufffd", 400)


async def test_dies_and_returns(mock: Mock) -> None:
    """A mock that stops drops its streams and refuses connections; it returns at the same address, with its memory."""
    mock.set_faults(["stall-after:1;times=1"])
    url = mock.url
    async with RawHttp(mock.port) as client:
        client.send("POST", CHAT, question(stream=True))
        await client.saw(b"one")
        await mock.stop()
        assert (await client.answer()).complete is False
    with pytest.raises(ConnectionRefusedError):
        await ask(mock, question())
    await mock.start()
    assert (await ask(mock, question())).status == 200
    assert (url, 2) == (mock.url, len(mock.requests))
    assert (mock.requests[0].client_left, mock.stats.aborted, mock.stats.in_flight) == (False, 0, 0)


async def test_a_dead_mock_keeps_its_port() -> None:
    """No other program gets the port of a mock that is about to return; a closed one gives it back."""
    async with Mock() as mock:
        await mock.stop()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", mock.port))
        await mock.close()
        with socket.socket() as other:
            other.bind(("127.0.0.1", mock.port))


async def test_an_idle_connection_dies_with_the_mock(mock: Mock) -> None:
    """A client that keeps connections for later finds them closed."""
    async with RawHttp(mock.port) as client:
        client.send("POST", CHAT, question(), {"connection": "keep-alive"})
        await client.saw(WORDS.encode())
        assert client.open
        await mock.stop()
        await client.answer()
    assert not client.open


async def test_many_streams_at_once() -> None:
    """The most requests in flight at one time are counted, and closing the mock waits for none of them."""
    async with Mock(faults=["stall-after:1"]) as mock:
        clients = [RawHttp(mock.port) for _ in range(50)]
        for client in clients:
            await client.__aenter__()
            client.send("POST", CHAT, question(stream=True))
        await eventually(lambda: mock.stats.in_flight == 50)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await mock.close()
    answers = [await client.answer() for client in clients]
    assert (50, {False}) == (mock.stats.max_in_flight, {answer.complete for answer in answers})


async def test_a_port_that_is_taken(mock: Mock) -> None:
    """Two mocks cannot have one address."""
    with pytest.raises(OSError, match="in use"):
        await Mock(port=mock.port).start()


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        pytest.param({"name": "a b"}, "use letters, digits", id="name"),
        pytest.param({"dialect": "latin"}, "there are anthropic", id="dialect"),
        pytest.param({"faults": ["bogus"]}, 'fault "bogus"', id="fault"),
    ],
)
def test_a_mock_that_cannot_be(wrong: dict[str, Any], advice: str) -> None:
    """What is wrong about a mock is said when it is made."""
    with pytest.raises(ValueError, match=advice):
        Mock(**wrong)
