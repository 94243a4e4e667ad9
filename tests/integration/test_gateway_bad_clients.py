"""Clients that do it wrong, by mistake or on purpose: each gets an answer in OpenAI's format or a closed connection."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from harness.asking import PATH, ask, chat_body
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import Answer, RawHttp, eventually, exchange
from understudy.mock import Mock

SMALL = {
    "max_body_bytes": 64 * 1024,
    "max_header_bytes": 8 * 1024,
    "header_seconds": 0.2,
    "body_seconds": 0.2,
    "idle_seconds": 0.4,
}
OK = chat_body()


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """The one upstream."""
    async with Mock(name="a") as made:
        yield made


@pytest.fixture
async def gateway(mock: Mock) -> AsyncIterator[Serving]:
    """A gateway with small bounds."""
    served = snapshot([provider("a", mock.url)], [route("chat", *in_order("a"))])
    async with Serving(served, settings=SMALL) as made:
        yield made


async def _raw(gateway: Serving, *parts: bytes, pause: float = 0.0) -> Answer:
    """What comes back for these bytes, each sent `pause` seconds after the one before."""
    async with RawHttp(gateway.port) as client:
        for part in parts:
            if client.open:
                client.send_bytes(part)
            await asyncio.sleep(pause)
        return await client.answer()


def _head(*lines: str) -> bytes:
    return "\r\n".join(("POST /v1/chat/completions HTTP/1.1", "host: x", *lines, "", "")).encode()


def _error(answer: Answer) -> dict[str, Any]:
    """The error of an answer that is a proper refusal: complete JSON with an id, and nothing of the inside."""
    assert answer.complete
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == answer.headers["request-id"]
    body = answer.json()
    assert {"error"} == set(body)
    assert {"message", "type", "param", "code"} == set(body["error"])
    assert "Traceback" not in json.dumps(body)
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "JSON", id="nothing"),
        pytest.param(b"{", "JSON", id="half an object"),
        pytest.param(b"[1,2]", "object", id="a list"),
        pytest.param(b"null", "object", id="null"),
        pytest.param(b'{"model": "chat"}', "messages", id="no messages"),
        pytest.param(b'{"messages": []}', "model", id="no model"),
        pytest.param(b'{"model": 7, "messages": []}', "model", id="a model that is a number"),
        pytest.param(b'{"model": "chat", "messages": "hi"}', "messages", id="messages that are a string"),
        pytest.param(b'{"model":"chat","messages":[{"role":"user","content":"\xff\xfe"}]}', "UTF-8", id="not UTF-8"),
        pytest.param(b'{"model":"chat","messages":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "", id="deeply nested"),
        pytest.param(OK.replace(b'"hi"', b"NaN"), "", id="NaN"),
        pytest.param(OK[:-1] + b', "stream": "yes"}', "stream", id="a stream that is a string"),
    ],
)
async def test_a_body_that_is_no_request(gateway: Serving, mock: Mock, body: bytes, says: str) -> None:
    """A wrong body is a 400 that names what is wrong with it, and nobody is asked."""
    answer = await exchange(gateway.port, "POST", PATH, body)
    error = _error(answer)
    assert (400, "invalid_request_error", 0) == (answer.status, error["type"], mock.stats.requests)
    assert says in error["message"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
async def test_the_content_type_does_not_matter(gateway: Serving, content_type: str) -> None:
    """The body tells what it is; curl's usual form type is no reason to refuse JSON."""
    assert (await ask(gateway.port, headers={"content-type": content_type})).status == 200


async def test_an_unknown_model_is_told_its_neighbors(gateway: Serving) -> None:
    """A misspelled name is a 404 with the name that was probably meant."""
    told = await ask(gateway.port, model="chta")
    error = _error(told.answer)
    assert (404, "model_not_found", "model") == (told.status, error["code"], error["param"])
    assert "chat" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        pytest.param("GET", PATH, 405, "POST", id="GET where POST is due"),
        pytest.param("DELETE", "/v1/models", 405, "GET, HEAD", id="DELETE where GET is due"),
        pytest.param("OPTIONS", PATH, 405, "POST", id="no CORS"),
        pytest.param("POST", "/v1/chat/completion", 404, None, id="a path that is not"),
        pytest.param("GET", "/../../etc/passwd", 404, None, id="a path that climbs"),
        pytest.param("GET", "/%2e%2e/%00", 404, None, id="a path with escapes"),
        pytest.param("POST", "/ns/Not_A_Namespace/v1/chat/completions", 404, None, id="no namespace"),
    ],
)
async def test_a_wrong_place(gateway: Serving, method: str, path: str, status: int, allow: str | None) -> None:
    """Unknown paths are 404; known ones with a wrong method are 405 and say which methods are right."""
    answer = await exchange(gateway.port, method, path, b"")
    _error(answer)
    assert (status, allow) == (answer.status, answer.headers.get("allow"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "//v1//chat/completions",
        "/ns/default/v1/chat/completions",
        f"{PATH}?x=1",
        f"http://x{PATH}",
    ],
)
async def test_a_path_written_differently(gateway: Serving, path: str) -> None:
    """What clients do to paths when they join them with a base URL does no harm."""
    assert (await exchange(gateway.port, "POST", path, OK)).status == 200


async def test_a_body_that_is_declared_too_large(gateway: Serving) -> None:
    """A length beyond the bound is refused before the body is read, and the connection ends."""
    answer = await _raw(gateway, _head("content-length: 99999999"), b"x" * 1000)
    assert _error(answer)["message"].startswith("The body is larger")
    assert (413, "close") == (answer.status, answer.headers["connection"])


async def test_a_body_that_turns_out_too_large(gateway: Serving) -> None:
    """Chunks are counted as they come."""
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    answer = await _raw(gateway, _head("transfer-encoding: chunked"), *[chunk] * 8)
    _error(answer)
    assert (413, "close") == (answer.status, answer.headers["connection"])


async def test_a_body_that_unpacks_too_large(gateway: Serving) -> None:
    """A compressed body is counted unpacked, and is not unpacked further than the bound."""
    bomb = gzip.compress(b"\0" * 64 * 1024 * 1024)
    answer = await _raw(gateway, _head("content-encoding: gzip", f"content-length: {len(bomb)}"), bomb)
    _error(answer)
    assert answer.status == 413


async def test_a_compressed_body_is_taken(gateway: Serving) -> None:
    """A client may compress what it sends."""
    answer = await exchange(gateway.port, "POST", PATH, gzip.compress(OK), {"content-encoding": "gzip"})
    assert answer.status == 200


async def test_a_compression_that_is_not_read(gateway: Serving) -> None:
    """The client is told which it may use."""
    answer = await _raw(gateway, _head("content-encoding: br", "content-length: 3"), b"abc")
    assert "gzip" in _error(answer)["message"]
    assert answer.status == 415


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(("content-encoding: gzip", "content-length: 9"), id="not what it is said to be packed as"),
        pytest.param(("transfer-encoding: chunked",), id="chunks that are none"),
    ],
)
async def test_a_body_that_is_not_what_the_headers_say(gateway: Serving, head: tuple[str, ...]) -> None:
    """A body that cannot be read as its headers say is a 400."""
    answer = await _raw(gateway, _head(*head), b"not that!\r\n")
    _error(answer)
    assert answer.status == 400


async def test_a_client_that_asks_before_it_sends(gateway: Serving) -> None:
    """Expect: 100-continue gets its 100, then the answer; a body too large is refused without one."""
    async with RawHttp(gateway.port) as client:
        client.send_bytes(_head("expect: 100-continue", f"content-length: {len(OK)}", "connection: close"))
        await client.saw(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send_bytes(OK)
        await client.saw(b"HTTP/1.1 200 OK")
    refused = await _raw(gateway, _head("expect: 100-continue", "content-length: 99999999"))
    assert refused.status == 413


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /v1/models HTTP/1.1\r\nx: " + b"y" * 20_000 + b"\r\n\r\n", id="one long header"),
        pytest.param(
            b"GET /v1/models HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % i for i in range(1000)) + b"\r\n",
            id="many headers",
        ),
        pytest.param(b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\n\r\n", id="a long path"),
        pytest.param(b"GET /v1/models HTTP/1.1\r\nx: " + b"y" * 200_000, id="a header without an end"),
    ],
)
async def test_a_flood_of_headers(gateway: Serving, head: bytes) -> None:
    """Heads beyond the bounds are refused with 431 as soon as the bound is passed."""
    answer = await _raw(gateway, head)
    _error(answer)
    assert (431, "close") == (answer.status, answer.headers["connection"])


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS on a plain port"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2 without asking"),
        pytest.param(b"hello\r\n\r\n", id="no HTTP at all"),
        pytest.param(b"POST /v1/chat/completions HTTP/1.1\r\nno colon here\r\n\r\n", id="a header without a colon"),
        pytest.param(_head("content-length: -5"), id="a negative length"),
        pytest.param(_head("content-length: 5", "content-length: 6"), id="two lengths"),
        pytest.param(_head("content-length: 5", "transfer-encoding: chunked"), id="a length and chunks: smuggling"),
        pytest.param(_head("transfer-encoding: gzip, identity"), id="an unknown transfer encoding"),
    ],
)
async def test_what_is_not_http(gateway: Serving, head: bytes) -> None:
    """What cannot be parsed is a 400 that ends the connection, quietly."""
    answer = await _raw(gateway, head)
    _error(answer)
    assert (400, "close") == (answer.status, answer.headers["connection"])
    assert not [line for line in gateway.log() if line["level"] in {"warning", "error"}]


async def test_a_client_that_dribbles_its_headers(gateway: Serving) -> None:
    """A head must arrive within its time, however busily it is sent."""
    answer = await _raw(gateway, b"POST /v1/chat", *[b"x"] * 40, pause=0.02)
    _error(answer)
    assert answer.status == 408


async def test_a_client_that_dribbles_its_body(gateway: Serving) -> None:
    """A body must arrive within its time, however busily it is sent."""
    answer = await _raw(gateway, _head("content-length: 1000"), *[b"x"] * 40, pause=0.02)
    _error(answer)
    assert (408, "close") == (answer.status, answer.headers["connection"])


async def test_a_client_that_says_nothing(gateway: Serving) -> None:
    """An idle connection is closed after its time, before and after a request."""
    async with RawHttp(gateway.port) as never, RawHttp(gateway.port) as once:
        once.send_bytes(_head(f"content-length: {len(OK)}") + OK)
        await once.saw(b"HTTP/1.1 200 OK")
        await eventually(lambda: not never.open and not once.open)
        assert bytes(never.received) == b""


async def test_a_client_that_dies_mid_upload(gateway: Serving, mock: Mock) -> None:
    """A body that never ends because its client left asks nobody and leaves nothing behind."""
    async with RawHttp(gateway.port) as client:
        client.send_bytes(_head("content-length: 1000") + b"x" * 10)
        await gateway.reaches("understudy_requests_in_flight", 1)
    await gateway.reaches("understudy_requests_in_flight", 0)
    assert mock.stats.requests == 0


async def test_pipelined_requests_are_answered_in_order(gateway: Serving) -> None:
    """Requests sent without waiting are answered one after the other, each whole."""
    bodies = [chat_body(said=f"number {number}") for number in range(5)]
    requests = [_head(f"content-length: {len(body)}") + body for body in bodies]
    last = _head("content-length: 0", "connection: close")
    async with RawHttp(gateway.port) as client:
        client.send_bytes(b"".join(requests) + last)
        await client.answer()
        received = bytes(client.received)
    places = [received.index(b"number %d" % number) for number in range(5)]
    assert places == sorted(places)
    assert received.count(b"HTTP/1.1 200 OK") == 5
    assert received.count(b"HTTP/1.1 400 Bad Request") == 1


_OFFER = ("connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA")
"""What Java's HTTP client sends first on every connection."""


@pytest.mark.parametrize("cut", [0, 400], ids=["one piece", "cut in the body"])
async def test_what_follows_an_offer_of_http_2_is_answered(gateway: Serving, cut: int) -> None:
    """An offered protocol is not taken up, and the requests behind it in the same piece are not lost."""
    bodies = [chat_body(said=f"number {number}" + "!" * 300) for number in range(3)]
    live = "\r\n".join(("GET /health/live HTTP/1.1", "host: x", *_OFFER, "", "")).encode()
    requests = [_head(*_OFFER, f"content-length: {len(body)}") + body for body in bodies]
    everything = requests[0] + live + b"".join(requests[1:]) + _head("content-length: 0", "connection: close")
    async with RawHttp(gateway.port) as client:
        for part in (everything[:cut], everything[cut:]):
            client.send_bytes(part)
            await asyncio.sleep(0.01)
        await client.answer()
        received = bytes(client.received)
    assert [1, 1, 1] == [received.count(b"number %d" % number) for number in range(3)]
    assert (4, 1) == (received.count(b"HTTP/1.1 200 OK"), received.count(b"HTTP/1.1 400 Bad Request"))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((_head(*_OFFER, "transfer-encoding: chunked") + b"0\r\n\r\n" + _head(),), id="chunked"),
        pytest.param((_head(*_OFFER)[:20], _head(*_OFFER)[20:] + _head()), id="a head in pieces"),
        pytest.param((b"\r\n\r\n" + _head(*_OFFER) + _head(),), id="behind empty lines"),
        pytest.param((_head(*_OFFER)[:-4], b"\r\n\r\n" + _head(*_OFFER)), id="its end in the next piece"),
        pytest.param((_head("content-length: 0") + _head(*_OFFER) + _head(),), id="behind another request"),
    ],
)
async def test_where_an_offer_ends_is_known_or_the_connection_ends(gateway: Serving, parts: tuple[bytes, ...]) -> None:
    """Where bytes behind it may have been lost the answer ends the connection: no middle is taken for a beginning."""
    answer = await _raw(gateway, *parts, pause=0.05)
    assert (400, "close") == (answer.status, answer.headers["connection"])


async def test_an_offer_of_http_2_keeps_its_connection(gateway: Serving) -> None:
    """A client that offers it on every connection must not need a new one for each request."""
    offering = _head(*_OFFER, f"content-length: {len(OK)}")
    async with RawHttp(gateway.port) as client:
        for parts in ((offering, OK), (offering + OK,), (_head(f"content-length: {len(OK)}") + OK,)):
            client.received.clear()
            for part in parts:
                client.send_bytes(part)
                await asyncio.sleep(0.01)
            await client.saw(b"HTTP/1.1 200 OK")
        assert client.open


async def test_a_refusal_keeps_the_connection_for_the_next_request(gateway: Serving) -> None:
    """After an error whose request was read completely, the same connection goes on."""
    bad = b"{}"
    async with RawHttp(gateway.port) as client:
        client.send_bytes(_head(f"content-length: {len(bad)}") + bad)
        await client.saw(b"HTTP/1.1 400")
        client.send_bytes(_head(f"content-length: {len(OK)}", "connection: close") + OK)
        await client.saw(b"HTTP/1.1 200 OK")


async def test_http_1_0(gateway: Serving) -> None:
    """Old clients get an answer, and a stream that ends with its connection."""
    for body in (OK, chat_body(stream=True)):
        head = b"POST /v1/chat/completions HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % len(body)
        answer = await _raw(gateway, head + body)
        assert answer.status == 200
        assert "transfer-encoding" not in answer.headers
        assert b"answering" in answer.body


async def test_head_is_get_without_a_body(gateway: Serving) -> None:
    """HEAD has the headers of GET."""
    got, headed = await exchange(gateway.port, "GET", "/v1/models"), await exchange(gateway.port, "HEAD", "/v1/models")
    assert (200, got.headers["content-length"], b"") == (headed.status, headed.headers["content-length"], headed.body)


async def test_it_goes_on_serving(gateway: Serving) -> None:
    """After all of this the next client is served."""
    for junk in (b"\0" * 100, b"GET / HTTP/1.1\r\n", _head("content-length: 5") + b"x"):
        async with RawHttp(gateway.port) as client:
            client.send_bytes(junk)
    assert (await ask(gateway.port)).status == 200
