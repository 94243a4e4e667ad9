"""The door `/mcp` from request to bytes: what each era of the protocol asks for, and what is refused in its words."""

import json
from typing import Any

import pytest

from harness.gateways import Serving, backend, provider, route, snapshot
from harness.mcp_calls import MODERN, PATH, READS, Told, call, message, modern, modern_headers, post, read
from harness.raw_http import exchange
from understudy.mock import Mock

HELLO = {"prompt": "Hello"}
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}


def serving(mock: Mock, **settings: Any) -> Serving:
    """A gateway with one route, the default."""
    return Serving(snapshot([provider("one", mock.url)], [route("default", backend("one"))]), settings=settings)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        *(pytest.param(each, each, id=each) for each in ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")),
        pytest.param("1999-01-01", "2025-11-25", id="one that nobody speaks"),
        pytest.param(MODERN, "2025-11-25", id="one without a handshake"),
    ],
)
async def test_the_handshake(asked: str, spoken: str) -> None:
    """The client's version where it is spoken, else the newest of its era; no session begins."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, message("initialize", {**INITIALIZE, "protocolVersion": asked}))
        noted = await post(gateway.port, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        pong = await post(gateway.port, message("ping"))
    assert (200, spoken) == (told.answer.status, told.result["protocolVersion"])
    assert ("understudy", {"listChanged": False}) == (
        told.result["serverInfo"]["name"],
        told.result["capabilities"]["tools"],
    )
    assert "mcp-session-id" not in told.answer.headers
    assert (202, b"") == (noted.answer.status, noted.answer.body)
    assert {} == pong.result


async def test_discovery() -> None:
    """The newer era asks who this is whenever it likes, and may keep the answer."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, modern("server/discover"), modern_headers("server/discover"))
    assert ([MODERN], "complete", "public") == (
        told.result["supportedVersions"],
        told.result["resultType"],
        told.result["cacheScope"],
    )
    assert told.result["ttlMs"] > 0
    assert "understudy" == told.result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"]


async def test_the_list_of_tools() -> None:
    """The same in both eras and at any time, each with what it takes; how long it holds is said where that is known."""
    async with Mock() as mock, serving(mock) as gateway:
        older = await post(gateway.port, message("tools/list"))
        again = await post(gateway.port, message("tools/list"))
        newer = await post(gateway.port, modern("tools/list"), modern_headers("tools/list"))
    assert older.answer.body == again.answer.body
    assert older.result["tools"] == newer.result["tools"]
    assert {"tools"} == set(older.result)
    assert {"tools", "resultType", "ttlMs", "cacheScope"} == set(newer.result)
    assert [
        "complete_text", "complete_chat", "list_providers", "get_metrics", "process_chat", "process_chat_stream",
    ] == [tool["name"] for tool in older.result["tools"]]  # fmt: skip
    assert ["object"] * 6 == [tool["inputSchema"]["type"] for tool in older.result["tools"]]


@pytest.mark.parametrize("era", ["2025-11-25", MODERN])
async def test_a_call(era: str) -> None:
    """What was said, for models and for programs, who said it, and headers as at every door."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await call(gateway.port, "complete_text", HELLO, era=era)
    assert not told.result["isError"]
    assert "Hello" in told.text
    assert told.text == told.result["structuredContent"]["content"]
    assert ("stop", "one", "m") == tuple(
        told.result["structuredContent"][name] for name in ("finish_reason", "provider", "model")
    )
    assert "default/one" == told.result["_meta"]["understudy.dev/provider"]
    assert ("default/default", "default/one") == tuple(
        told.answer.headers[f"x-understudy-{name}"] for name in ("route", "provider")
    )
    assert ("complete" if era == MODERN else None) == told.result.get("resultType")


@pytest.mark.parametrize("era", ["2025-11-25", MODERN])
@pytest.mark.parametrize("token", ["a", 0, 7])
async def test_progress(era: str, token: str | int) -> None:
    """Whoever wants to know hears each word as it comes, and the whole answer in the end."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await call(gateway.port, "complete_text", HELLO, token=token, era=era)
    assert ("text/event-stream; charset=utf-8", "no") == tuple(
        told.answer.headers[name] for name in ("content-type", "x-accel-buffering")
    )
    assert "default/one" == told.answer.headers["x-understudy-provider"]
    assert len(told.progress) > 3
    assert told.text == "".join(told.progress)
    assert [token] * len(told.progress) == [each["params"]["progressToken"] for each in told.messages[:-1]]
    counts = [each["params"]["progress"] for each in told.messages[:-1]]
    assert list(range(1, len(counts) + 1)) == counts


FORMS = [
    pytest.param("application/json", False, id="json alone"),
    pytest.param("text/event-stream", True, id="streams alone"),
    pytest.param("*/*", True, id="anything"),
    pytest.param("application/*, text/html;q=0.5", False, id="a kind of anything"),
    pytest.param("Text/Event-Stream;q=1, APPLICATION/JSON", True, id="in other letters"),
]


@pytest.mark.parametrize(("accept", "streams"), FORMS)
async def test_what_a_client_can_read(accept: str, *, streams: bool) -> None:
    """Who reads no streams hears no progress, and gets the answer all the same."""
    asked = message("tools/call", {"name": "complete_text", "arguments": HELLO, "_meta": {"progressToken": 1}})
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, asked, {**READS, "accept": accept})
    assert streams == bool(told.progress)
    assert "Hello" in told.text


async def test_a_stream_that_is_nothing_but_the_answer() -> None:
    """Who reads nothing but streams gets the answer in one."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, message("ping"), {**READS, "accept": "text/event-stream"})
        wrong = await post(gateway.port, modern("ping"), {**modern_headers("ping"), "accept": "text/event-stream"})
    assert [{"jsonrpc": "2.0", "id": 1, "result": {}}] == told.messages
    assert (404, "application/json") == (wrong.answer.status, wrong.answer.headers["content-type"])


DEEP = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + b"[" * 2000 + b"]" * 2000 + b"}"
GARBAGE = [
    pytest.param(b"", -32700, None, id="nothing"),
    pytest.param(b"{", -32700, None, id="half of something"),
    pytest.param(b"\xff\xfe", -32700, None, id="no text"),
    pytest.param(DEEP, -32700, None, id="too deep"),
    pytest.param(b"null", -32600, None, id="null"),
    pytest.param(b'"ping"', -32600, None, id="a word"),
    pytest.param(b"{}", -32600, None, id="an empty object"),
    pytest.param(b'{"id":1,"method":"ping"}', -32600, None, id="without a version"),
    pytest.param(b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600, None, id="another version"),
    pytest.param(b'{"jsonrpc":"2.0","id":1}', -32600, None, id="without a method"),
    pytest.param(b'{"jsonrpc":"2.0","id":1,"method":7}', -32600, None, id="a number as method"),
    pytest.param(b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None, id="null as id"),
    pytest.param(b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, None, id="a truth as id"),
    pytest.param(b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, None, id="a fraction as id"),
    pytest.param(b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, None, id="an object as id"),
    pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602, None, id="params in a list"),
    pytest.param(json.dumps(message("ping", {"_meta": {"progressToken": {}}})).encode(), -32602, None,
                 id="an object as token"),
    pytest.param(json.dumps(message("ping", {"_meta": {"progressToken": "t" * 257}})).encode(), -32602, None,
                 id="a long token"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "request_id"), GARBAGE)
async def test_what_is_no_message(body: bytes, code: int, request_id: object) -> None:
    """It is refused in the protocol's words, whatever it is."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, body)
    assert (400, code, request_id) == (told.answer.status, told.error["code"], told.last["id"])
    assert told.error["message"]


WRONG = [
    pytest.param(message("no/such"), -32601, id="a method that is not there"),
    pytest.param(message("resources/list"), -32601, id="what is not offered"),
    pytest.param(message("server/discover"), -32601, id="a method of the other era"),
    pytest.param(message("initialize"), -32602, id="a handshake without a version"),
    pytest.param(message("tools/list", {"cursor": "2"}), -32602, id="a page that is not there"),
    pytest.param(message("tools/call"), -32602, id="a call of nothing"),
    pytest.param(message("tools/call", {"name": 7}), -32602, id="a call of a number"),
    pytest.param(message("tools/call", {"name": "complete_text", "arguments": []}), -32602, id="arguments in a list"),
    pytest.param(message("tools/call", {"name": "no_such", "arguments": {}}), -32602, id="a tool that is not there"),
]


@pytest.mark.parametrize(("asked", "code"), WRONG)
async def test_what_cannot_be_asked(asked: dict[str, Any], code: int) -> None:
    """The older era has errors in answers; its clients take any other status for an outage."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, asked)
    assert (200, 1, code) == (told.answer.status, told.last["id"], told.error["code"])


NEWER = [
    pytest.param("no/such", None, 404, -32601, id="a method that is not there"),
    pytest.param("initialize", None, 404, -32601, id="a handshake"),
    pytest.param("ping", None, 404, -32601, id="a method of the other era"),
    pytest.param("tools/call", {"name": "no_such"}, 400, -32602, id="a tool that is not there"),
    pytest.param("tools/list", {"cursor": "2"}, 400, -32602, id="a page that is not there"),
]


@pytest.mark.parametrize(("method", "params", "status", "code"), NEWER)
async def test_what_cannot_be_asked_now(method: str, params: dict[str, Any] | None, status: int, code: int) -> None:
    """The newer era has a status for each error."""
    headers = modern_headers(method, (params or {}).get("name"))
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, modern(method, params), headers)
    assert (status, 1, code) == (told.answer.status, told.last["id"], told.error["code"])


CALL = {"name": "complete_text", "arguments": HELLO}
LIST = modern_headers("tools/list")
MISMATCHED = [
    pytest.param(modern("tools/list"), {**LIST, "mcp-method": "tools/call"}, -32020, id="another method"),
    pytest.param(modern("tools/list"), {**READS, "mcp-protocol-version": MODERN}, -32020, id="no method"),
    pytest.param(modern("tools/list"), {**READS, "mcp-method": "tools/list"}, -32020, id="no version"),
    pytest.param(modern("tools/list"), {**LIST, "mcp-protocol-version": "2025-11-25"}, -32020, id="an older version"),
    pytest.param(modern("tools/call", CALL), modern_headers("tools/call"), -32020, id="no name"),
    pytest.param(modern("tools/call", CALL), modern_headers("tools/call", "get_metrics"), -32020, id="another name"),
    pytest.param(modern("tools/call", CALL), modern_headers("tools/call", "=?base64?Z2V0X21ldHJpY3M=?="), -32020,
                 id="another name in disguise"),
    pytest.param(modern("tools/call", CALL), modern_headers("tools/call", "=?base64?%%?="), -32020, id="a garbled one"),
    pytest.param(message("tools/list"), LIST, -32602, id="without the envelope"),
    pytest.param(message("tools/list", {"_meta": {"io.modelcontextprotocol/protocolVersion": MODERN}}), LIST, -32602,
                 id="half of the envelope"),
    pytest.param(modern("tools/list", version="2099-01-01"), modern_headers("tools/list", version="2099-01-01"),
                 -32022, id="a version of the future"),
    pytest.param({"jsonrpc": "2.0", "method": "notifications/cancelled"}, {**READS, "mcp-protocol-version": "2099"},
                 -32022, id="a notification of the future"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "headers", "code"), MISMATCHED)
async def test_headers_that_say_something_else(asked: dict[str, Any], headers: dict[str, str], code: int) -> None:
    """Whatever is on the way routes by them, so they have to be true."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, asked, headers)
        assert 0 == mock.stats.requests
    assert (400, code) == (told.answer.status, told.error["code"])
    if code == -32022:
        assert [MODERN] == told.error["data"]["supported"]


async def test_a_name_in_disguise() -> None:
    """What a header cannot carry may be encoded."""
    headers = modern_headers("tools/call", "=?base64?Y29tcGxldGVfdGV4dA==?=")
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, modern("tools/call", CALL), headers)
    assert "Hello" in told.text


async def test_a_version_told_twice() -> None:
    """Others may read the first of two headers, or the last."""
    body = json.dumps(modern("tools/list")).encode()
    lines = {**LIST, "mcp-method": "tools/list\r\nmcp-method: tools/call"}
    async with Mock() as mock, serving(mock) as gateway:
        told = read(await exchange(gateway.port, "POST", PATH, body, lines))
    assert (400, -32020) == (told.answer.status, told.error["code"])


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_no_other_method(method: str) -> None:
    """There is no stream without a request, and no session to end."""
    async with Mock() as mock, serving(mock) as gateway:
        answer = await exchange(gateway.port, method, PATH, b"", {**READS, "mcp-session-id": "any"})
    assert (405, -32600) == (answer.status, answer.json()["error"]["code"])
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({**READS, "content-type": "text/plain"}, 415, id="words instead of JSON"),
        pytest.param({**READS, "accept": "text/html"}, 406, id="a client that reads neither"),
    ],
)
async def test_what_is_no_request_of_the_protocol(headers: dict[str, str], status: int) -> None:
    """The status is HTTP's, the body the protocol's."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, message("ping"), headers)
    assert (status, -32600) == (told.answer.status, told.error["code"])


async def test_no_other_path() -> None:
    """There is one endpoint; whoever misses it is told so in words that its client reads."""
    async with Mock() as mock, serving(mock) as gateway:
        near = await exchange(gateway.port, "POST", "/mcp/v1", json.dumps(message("ping")).encode(), READS)
        same = await exchange(gateway.port, "POST", "/ns/default/mcp/", json.dumps(message("ping")).encode(), READS)
    assert (404, -32600) == (near.status, near.json()["error"]["code"])
    assert (200, {}) == (same.status, same.json()["result"])


async def test_a_body_that_is_too_large() -> None:
    """It is not read to its end."""
    async with Mock() as mock, serving(mock, max_body_bytes=1000) as gateway:
        told = await post(gateway.port, b" " * 2000)
    assert (413, -32600) == (told.answer.status, told.error["code"])


async def test_responses_are_taken_note_of() -> None:
    """Nothing was asked of the client, and nothing comes of what it answers."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await post(gateway.port, {"jsonrpc": "2.0", "id": 1, "result": {}})
    assert (202, []) == (told.answer.status, told.messages)


async def batch(gateway: Serving, messages: list[Any], version: str | None = "2025-03-26") -> Told:
    """Send several messages at once."""
    return await post(gateway.port, messages, READS if version is None else {**READS, "mcp-protocol-version": version})


@pytest.mark.parametrize("version", ["2025-03-26", None])
async def test_a_batch(version: str | None) -> None:
    """One version had them: each message is answered as if it were alone."""
    messages = [
        message("ping", request="a"),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        message("tools/call", {"name": "complete_text", "arguments": HELLO}, request=2),
        message("no/such", request=3),
        message("initialize", INITIALIZE, request=4),
        7,
    ]
    async with Mock() as mock, serving(mock) as gateway:
        told = await batch(gateway, messages, version)
        quiet = await batch(gateway, messages[1:2], version)
    assert ["a", 2, 3, 4, None] == [each["id"] for each in told.last]
    assert [None, None, -32601, -32600, -32600] == [each.get("error", {}).get("code") for each in told.last]
    assert (202, []) == (quiet.answer.status, quiet.messages)


@pytest.mark.parametrize(
    ("messages", "version"),
    [
        pytest.param([message("ping")], "2025-06-18", id="of a version without batches"),
        pytest.param([message("ping")], MODERN, id="of the newer era"),
        pytest.param([], "2025-03-26", id="an empty one"),
        pytest.param([message("ping")] * 33, "2025-03-26", id="a large one"),
    ],
)
async def test_no_batch(messages: list[Any], version: str) -> None:
    """It is refused as a whole."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await batch(gateway, messages, version)
    assert (400, -32600, None) == (told.answer.status, told.error["code"], told.last["id"])


PAGES = [
    pytest.param("http://localhost:3000", "", 200, id="of this machine"),
    pytest.param("https://127.0.0.1", "", 200, id="of this machine by its address"),
    pytest.param("http://[::1]:8080", "", 200, id="of this machine in long"),
    pytest.param("https://evil.example", "", 403, id="of anybody"),
    pytest.param("http://localhost.evil.example", "", 403, id="that looks like this machine"),
    pytest.param("http://127.0.0.1:8080.evil.example", "", 403, id="that begins like this machine"),
    pytest.param("null", "", 403, id="of nobody"),
    pytest.param("https://Our.example", "https://our.example, https://other.example", 200, id="that is named"),
    pytest.param("https://evil.example", "https://our.example", 403, id="that is not named"),
    pytest.param("https://evil.example", "*", 200, id="of anybody, where all may"),
]


@pytest.mark.parametrize(("origin", "allowed", "status"), PAGES)
async def test_pages_that_may_ask(origin: str, allowed: str, status: int) -> None:
    """A browser says whose page sends a request, and is told whether that page may read the answer."""
    headers = {**READS, "origin": origin}
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    async with Mock() as mock, serving(mock, mcp_origins=allowed) as gateway:
        told = await post(gateway.port, message("ping"), headers)
        wrong = await post(gateway.port, b"{", headers)
        first = await exchange(gateway.port, "OPTIONS", PATH, b"", {"origin": origin, **asks})
    assert [status, status] == [told.answer.status, first.status]
    granted = origin if status == 200 else None
    for answer in (told.answer, wrong.answer, first):
        assert granted == answer.headers.get("access-control-allow-origin")
    assert (status == 200) == ("content-type" in first.headers.get("access-control-allow-headers", ""))


async def test_what_is_counted() -> None:
    """Methods, eras and outcomes, of closed sets whatever a client sends."""
    async with Mock(faults=["400"]) as mock, serving(mock) as gateway:
        await post(gateway.port, message("ping"))
        await post(gateway.port, message("secret/plans"))
        await call(gateway.port, "complete_text", HELLO, era=MODERN)
        await call(gateway.port, "get_metrics", {})
        counted = [
            await gateway.metric("understudy_mcp_requests_total", method=method, era=era, outcome=outcome)
            for method, era, outcome in (
                ("ping", "handshake", "success"),
                ("other", "handshake", "error"),
                ("tools/call", "modern", "failed"),
                ("tools/call", "handshake", "success"),
            )
        ]
        everything = await gateway.metric("understudy_mcp_requests_total")
    assert ([1, 1, 1, 1], 4) == (counted, everything)


async def test_before_the_first_configuration() -> None:
    """It answers who it is; what it does not know yet is an error that passes."""
    async with Serving(None) as gateway:
        known = await post(gateway.port, message("initialize", INITIALIZE))
        older = await post(gateway.port, message("tools/list"))
        newer = await post(gateway.port, modern("tools/list"), modern_headers("tools/list"))
        called = await call(gateway.port, "complete_text", HELLO)
    assert "understudy" == known.result["serverInfo"]["name"]
    assert [(200, -32603), (503, -32603)] == [(each.answer.status, each.error["code"]) for each in (older, newer)]
    assert 1 == newer.error["data"]["retry_after"]
    assert "1" == newer.answer.headers["retry-after"]
    assert called.result["isError"]
