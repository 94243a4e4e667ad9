"""The mock on real sockets: what a client sees of every fault, and what the mock remembers of the client."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from harness.raw_http import Answer, RawHttp, eventually, exchange
from understudy.mock import Mock, Settings

CHAT = "/v1/chat/completions"
WORDS = "one two three four five"


def question(**fields: Any) -> bytes:
    """Return the body of a chat request."""
    return json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def ask(mock: Mock, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Send a chat request, and return all that came back."""
    return await exchange(mock.port, "POST", CHAT, body, headers)


def told(answer: Answer) -> list[Any]:
    """Return what the events of a stream tell: each text, finish reason or error, and [DONE]."""
    seen: list[Any] = []
    for event in answer.body.decode().split("\n\n")[:-1]:
        data = event.removeprefix("data: ")
        if data == "[DONE]":
            seen.append(data)
            continue
        chunk = json.loads(data)
        if "error" in chunk:
            seen.append(chunk["error"]["type"])
            continue
        choice = chunk["choices"][0]
        seen.append(choice["finish_reason"] or choice["delta"].get("role") or choice["delta"]["content"].strip())
    return seen


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """A mock that says five words."""
    async with Mock(name="ada", settings=Settings(reply=WORDS)) as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "seen", "complete", "reset"),
    [
        pytest.param(
            "delay:50ms",
            ["assistant", "one", "two", "three", "four", "five", "stop", "[DONE]"],
            True,
            False,
            id="only late",
        ),
        pytest.param("cut-after:2", ["assistant", "one", "two"], False, False, id="closed mid-stream"),
        pytest.param("reset-after:2", ["assistant", "one", "two"], False, True, id="reset mid-stream"),
        pytest.param("end-after:2", ["assistant", "one", "two"], True, False, id="a good end without the end"),
        pytest.param("error-first", ["server_error"], True, False, id="error first"),
        pytest.param("error-first;error=429", ["requests"], True, False, id="error of a kind"),
        pytest.param("role-then-error", ["assistant", "server_error"], True, False, id="error after the role"),
        pytest.param("error-after:2", ["assistant", "one", "two", "server_error"], True, False, id="error mid-stream"),
    ],
)
async def test_a_stream_goes_wrong(mock: Mock, fault: str, seen: list[str], complete: bool, reset: bool) -> None:
    """The client of a stream gets these events, and the connection ends this way."""
    mock.set_faults([fault])
    answer = await ask(mock, question(stream=True))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert (seen, complete, reset) == (told(answer), answer.complete, answer.reset)


@pytest.mark.parametrize("chunks", [200, 5000])
async def test_what_was_sent_before_a_reset_arrives(mock: Mock, chunks: int) -> None:
    """A client that reads gets all chunks before a reset, however many."""
    mock.settings = Settings(tokens=6000)
    mock.set_faults([f"reset-after:{chunks}"])
    answer = await ask(mock, question(stream=True))
    assert (1 + chunks, True) == (len(answer.chunks), answer.reset)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        pytest.param("400", 400, None, id="400"),
        pytest.param("context", 400, "context_length_exceeded", id="context"),
        pytest.param("401", 401, "invalid_api_key", id="401"),
        pytest.param("403", 403, "permission_denied", id="403"),
        pytest.param("404", 404, "model_not_found", id="404"),
        pytest.param("429", 429, "rate_limit_exceeded", id="429"),
        pytest.param("quota", 429, "insufficient_quota", id="quota"),
        pytest.param("500", 500, None, id="500"),
        pytest.param("503", 503, "server_is_overloaded", id="503"),
        pytest.param("529", 529, "server_is_overloaded", id="529"),
    ],
)
async def test_a_status(mock: Mock, fault: str, status: int, code: str | None, stream: bool) -> None:
    """A refusal is JSON in OpenAI's form, also where a stream was asked for."""
    mock.set_faults([fault])
    answer = await ask(mock, question(stream=stream))
    assert (status, "application/json", code) == (
        answer.status,
        answer.headers["content-type"],
        answer.json()["error"]["code"],
    )


async def test_retry_after(mock: Mock) -> None:
    """The headers that tell when to come back are sent as the script has them."""
    mock.set_faults(["429;retry-after=2;retry-after-ms=1500"])
    headers = (await ask(mock, question())).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")


async def test_a_redirect_says_where_to(mock: Mock) -> None:
    """A scripted redirect points back at itself."""
    mock.set_faults(["302"])
    answer = await ask(mock, question())
    assert (answer.status, answer.headers["location"]) == (302, CHAT)


@pytest.mark.parametrize(
    ("fault", "head", "reset"),
    [pytest.param("refuse", "", False, id="closed"), pytest.param("reset", "", True, id="reset")],
)
async def test_no_answer_at_all(mock: Mock, fault: str, head: str, reset: bool) -> None:
    """The connection ends before a byte was sent."""
    mock.set_faults([fault])
    answer = await ask(mock, question())
    assert (head, b"", reset) == (answer.head, answer.body, answer.reset)


@pytest.mark.parametrize(
    ("fault", "stream", "status", "content_type", "start"),
    [
        pytest.param("html:502", False, 502, "text/html", b"<html>", id="a page"),
        pytest.param("garbage", False, 200, "application/json", b'{"choices": [{', id="no JSON"),
        pytest.param(
            "garbage", True, 200, "text/event-stream; charset=utf-8", b'data: {"choices": [{', id="no JSON in a stream"
        ),
        pytest.param("empty", False, 200, "application/json", b"", id="nothing"),
    ],
)
async def test_an_answer_nobody_can_use(
    mock: Mock, fault: str, stream: bool, status: int, content_type: str, start: bytes
) -> None:
    """The answer is good HTTP, and no JSON."""
    mock.set_faults([fault])
    answer = await ask(mock, question(stream=stream))
    assert (status, content_type, True) == (answer.status, answer.headers["content-type"], answer.complete)
    assert start == answer.body[: len(start)]
    with pytest.raises(ValueError, match="line 1 column"):
        json.loads(answer.body.removeprefix(b"data: "))


@pytest.mark.parametrize(
    ("fault", "complete", "reset"),
    [
        pytest.param("cut-after:1", False, False, id="closed half-way"),
        pytest.param("reset-after:1", False, True, id="reset half-way"),
        pytest.param("end-after:1", True, False, id="half of it, as if it were all"),
    ],
)
async def test_a_whole_answer_goes_wrong(mock: Mock, fault: str, complete: bool, reset: bool) -> None:
    """An answer in one piece is interrupted half-way."""
    good = await ask(mock, question())
    mock.set_faults([fault])
    answer = await ask(mock, question())
    assert (complete, reset) == (answer.complete, answer.reset)
    half = good.body[: len(good.body) // 2]
    assert half.replace(b"ada-1", b"ada-2") == answer.body
    assert int(answer.headers["content-length"]) == len(half if complete else good.body)


@pytest.mark.parametrize("fault", ["error-first", "error-after:3", "role-then-error"])
async def test_an_error_with_status_200(mock: Mock, fault: str) -> None:
    """An answer in one piece becomes an error body that says nothing of it in its status."""
    mock.set_faults([fault])
    answer = await ask(mock, question())
    assert (answer.status, answer.json()["error"]["type"]) == (200, "server_error")


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        pytest.param("stall", b"\r\n\r\n", id="after the headers"),
        pytest.param("stall-after:0", b'"role":"assistant"', id="after the role"),
        pytest.param("stall-after:2", b'" two"', id="after two chunks"),
    ],
)
async def test_falls_silent(mock: Mock, fault: str, last: bytes) -> None:
    """The stream stays open with nothing more in it, until the client leaves, which is noticed at once."""
    mock.set_faults([fault])
    async with RawHttp(mock.port) as client:
        client.send("POST", CHAT, question(stream=True))
        await client.saw(last)
        assert (client.open, mock.stats.in_flight, mock.requests[0].finished) == (True, 1, False)
        assert b"three" not in client.received
        client.leave()
        await eventually(lambda: mock.requests[0].finished)
    assert (mock.requests[0].client_left, mock.stats.aborted, mock.stats.in_flight) == (True, 1, 0)


async def test_slow_headers(mock: Mock) -> None:
    """The head comes in bits; after it, the answer is whole."""
    mock.set_faults(["slow-headers:400ms"])
    async with RawHttp(mock.port) as client:
        client.send("POST", CHAT, question())
        await eventually(lambda: client.reads > 0)
        assert b"\r\n\r\n" not in client.received
        answer = await client.answer()
    assert (answer.status, answer.complete, answer.json()["choices"][0]["message"]["content"]) == (200, True, WORDS)


async def test_a_client_that_leaves_before_the_headers(mock: Mock) -> None:
    """Who leaves during a delay is noticed, too."""
    mock.set_faults(["delay:1h"])
    async with RawHttp(mock.port) as client:
        client.send("POST", CHAT, question())
        await eventually(lambda: mock.stats.in_flight == 1)
        client.leave()
        await eventually(lambda: mock.stats.in_flight == 0)
    assert (mock.stats.aborted, mock.requests[0].status) == (1, None)


async def test_each_event_is_a_chunk_of_its_own(mock: Mock) -> None:
    """A reader sees the events as the server made them."""
    answer = await ask(mock, question(stream=True))
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in answer.chunks)
    assert len(answer.chunks) == len(told(answer))


async def test_a_paced_stream_says_the_same(mock: Mock) -> None:
    """Delays change when a stream comes, and nothing else; new settings hold from the next request on."""
    fast = told(await ask(mock, question(stream=True)))
    mock.settings = Settings(reply=WORDS, first_token_delay=0.02, token_interval=0.005)
    assert fast == told(await ask(mock, question(stream=True)))


async def test_a_fault_for_one_request(mock: Mock) -> None:
    """A request can bring its own fault, which uses up none of the script."""
    mock.set_faults(["500;times=1"])
    asked = await ask(mock, question(), {"x-mock-fault": "404"})
    scripted = await ask(mock, question())
    after = await ask(mock, question())
    assert (asked.status, scripted.status, after.status) == (404, 500, 200)


@pytest.mark.parametrize("fault", ["bogus", "500;times=1"])
async def test_a_fault_for_one_request_that_cannot_be_given(mock: Mock, fault: str) -> None:
    """Who asks for a fault wrongly is told, in the wire format."""
    answer = await ask(mock, question(), {"x-mock-fault": fault})
    assert (answer.status, "x-mock-fault" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"{", 400, id="no JSON"),
        pytest.param(b"\xff", 400, id="no UTF-8"),
        pytest.param(b"[" * 100_000, 400, id="deep nesting"),
        pytest.param(b"[]", 400, id="no object"),
        pytest.param(question(n="many"), 400, id="wrong type"),
        pytest.param(question(model="other"), 404, id="unknown model"),
    ],
)
async def test_refuses_by_itself(body: bytes, status: int) -> None:
    """What cannot be answered is refused in the wire format, and uses up no scripted fault."""
    async with Mock(faults=["503;times=1"], settings=Settings(models=("gpt",))) as mock:
        answer = await ask(mock, body)
        assert (status, True) == (answer.status, bool(answer.json()["error"]["message"]))
        assert (await ask(mock, question())).status == 503


async def test_refuses_what_is_too_large(mock: Mock) -> None:
    """A body beyond the bound is refused before all of it was read, and not remembered."""
    async with RawHttp(mock.port) as client:
        client.send("POST", CHAT, bytes(33 * 1024 * 1024))
        await client.saw(b"request_too_large")
    assert (mock.requests[0].status, mock.requests[0].body) == (413, b"")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x00\x01\r\n\r\n", id="no HTTP"),
        pytest.param(b"POST /v1/models HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n", id="broken chunks"),
        pytest.param(
            b"POST /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-encoding: gzip\r\n"
            b"content-length: 3\r\n\r\nabc",
            id="broken gzip",
        ),
    ],
)
async def test_refuses_what_cannot_be_read(mock: Mock, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that are no request get 400, and no traceback in the log."""
    async with RawHttp(mock.port) as client:
        client.send_bytes(data)
        answer = await client.answer()
    assert (answer.status, caplog.text) == (400, "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"authorization": "Bearer sk-right"}, 200, id="the right key"),
        pytest.param({"authorization": "Bearer sk-wrong"}, 401, id="a wrong key"),
        pytest.param({}, 401, id="no key"),
    ],
)
async def test_requires_a_key(headers: dict[str, str], status: int) -> None:
    """Only the one key is let in, if one is required; it is not told."""
    async with Mock(settings=Settings(require_key="sk-right")) as mock:
        answer = await ask(mock, question(), headers)
    assert (status, False) == (answer.status, b"sk-right" in answer.body)
