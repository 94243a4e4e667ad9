"""The tools behind `/mcp`: what they answer, what a model reads when they fail, and that nothing goes on for nobody."""

import asyncio
import json
from typing import Any

import jsonschema_rs
import pytest

from harness.executing import MODEL
from harness.executing import staged as executing
from harness.gateways import Serving, backend, in_order, provider, route, snapshot
from harness.mcp_calls import MODERN, PATH, READS, call, listed, message, modern, modern_headers, post, read
from harness.raw_http import PATIENCE_SECONDS, RawHttp, eventually, exchange
from harness.tools import QUERY, ToolServer, tool, with_tools
from understudy.mock import Mock, Settings
from understudy_api.config import Snapshot

HELLO = {"prompt": "Hello"}
SLOW = Settings(tokens=1000, token_interval=0.01)


def house(mock: Mock, *names: str) -> Snapshot:
    """Routes of these names, in the order of their age, to a provider that is called `the-one`."""
    one = provider("the-one", mock.url, models=("m", "n"))
    return snapshot([one], [route(name, backend("the-one")) for name in names or ("default",)])


def chat(*said: str, **fields: Any) -> dict[str, Any]:
    """Arguments of `complete_chat`."""
    return {"messages": [{"role": "user", "content": each} for each in said], **fields}


NAMED = [
    pytest.param({}, "default/older", "m", id="nothing: the oldest route"),
    pytest.param({"model": "younger"}, "default/younger", "m", id="a route"),
    pytest.param({"model": "the-one/n"}, "provider/default/the-one", "n", id="a provider's model"),
    pytest.param({"provider": "the-one", "model": "n"}, "provider/default/the-one", "n", id="both apart"),
    pytest.param(
        {"provider": "the_one", "model": "the_one/n"}, "provider/default/the-one", "n", id="one of them twice"
    ),
    pytest.param({"provider": "the_one"}, "provider/default/the-one", "m", id="a provider: its first model"),
]


@pytest.mark.parametrize(("named", "label", "model"), NAMED)
async def test_which_model_answers(named: dict[str, str], label: str, model: str) -> None:
    """The one that is named, or whoever stands for no name."""
    async with Mock() as mock, Serving(house(mock, "older", "younger")) as gateway:
        told = await call(gateway.port, "complete_text", {**HELLO, **named})
        (asked,) = mock.requests
    assert (label, model) == (told.result["_meta"]["understudy.dev/route"], json.loads(asked.body)["model"])


async def test_the_default_is_the_route_called_so() -> None:
    """However old others are."""
    async with Mock() as mock, Serving(house(mock, "older", "default")) as gateway:
        told = await call(gateway.port, "complete_text", HELLO)
    assert "default/default" == told.result["_meta"]["understudy.dev/route"]


async def test_what_is_said_of_a_text() -> None:
    """The system prompt and the parameters reach the model; what no model takes is left out."""
    asked = {**HELLO, "system": "Rhyme.", "temperature": 0.5, "max_tokens": 7, "stop": ["."], "stream": True, "x": 1}
    async with Mock() as mock, Serving(house(mock)) as gateway:
        await call(gateway.port, "complete_text", asked)
        body = json.loads(mock.requests[0].body)
    assert [("system", "Rhyme."), ("user", "Hello")] == [(each["role"], each["content"]) for each in body["messages"]]
    assert (0.5, 7, False) == (body["temperature"], body["max_tokens"], body.get("stream", False))


async def test_what_a_model_calls() -> None:
    """Calls of the client's own tools come back for it to run."""
    clock = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
    async with Mock() as mock, Serving(house(mock)) as gateway:
        told = await call(gateway.port, "complete_chat", chat("[call]", tools=[clock]))
    (made,) = told.result["structuredContent"]["tool_calls"]
    assert ("clock", "tool_calls") == (made["function"]["name"], told.result["structuredContent"]["finish_reason"])
    assert "clock" in told.text


FAILURES = [
    pytest.param("complete_text", {}, "missing_required_parameter", id="no prompt"),
    pytest.param("complete_text", {"prompt": 7}, "invalid_type", id="a number as prompt"),
    pytest.param("complete_text", {**HELLO, "temperature": "hot"}, "invalid_type", id="a word as temperature"),
    pytest.param("complete_text", {**HELLO, "model": "no-such"}, "model_not_found", id="a model that is not there"),
    pytest.param("complete_text", {**HELLO, "model": 7}, "invalid_type", id="a number as model"),
    pytest.param("complete_text", {**HELLO, "provider": "nobody"}, "provider_not_found", id="nobody's model"),
    pytest.param("complete_text", {**HELLO, "session_id": "sess_none"}, "session_not_found", id="no session"),
    pytest.param("complete_text", {**HELLO, "n": 2}, "invalid_value", id="two answers"),
    pytest.param("complete_chat", {}, "missing_required_parameter", id="no messages"),
    pytest.param("complete_chat", {"messages": []}, "invalid_value", id="no message"),
    pytest.param("complete_chat", {"messages": ["Hello"]}, "invalid_type", id="a word as message"),
    pytest.param("get_metrics", {"provider": "nobody"}, "provider_not_found", id="nobody's metrics"),
    pytest.param("get_metrics", {"provider": 7}, "invalid_type", id="a number as provider"),
    pytest.param("list_providers", {"include_metrics": "yes"}, "invalid_type", id="a word as truth"),
    pytest.param("process_chat", {}, "missing_required_parameter", id="no request"),
    pytest.param("process_chat", {"request": {}}, "missing_required_parameter", id="a request without messages"),
    pytest.param("process_chat", {"request": {"messages": [], "tools": 7}}, "invalid_type", id="a number as tools"),
]


@pytest.mark.parametrize(("name", "arguments", "code"), FAILURES)
async def test_what_a_model_reads_of_its_mistakes(name: str, arguments: dict[str, Any], code: str) -> None:
    """They are results, so that it can do better: a sentence for it, a code for programs."""
    async with Mock() as mock, Serving(house(mock)) as gateway:
        told = await call(gateway.port, name, arguments)
        assert 0 == mock.stats.requests
    assert (200, True) == (told.answer.status, told.result["isError"])
    assert told.text.endswith((".", "?"))
    assert code == told.result["_meta"]["understudy.dev/error"]["code"]


@pytest.mark.parametrize("token", [None, 1])
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        pytest.param("500", 502, id="an outage"),
        pytest.param("429;retry-after=7", 429, id="too many requests"),
        pytest.param("400", 400, id="the request is wrong"),
    ],
)
async def test_nobody_answers(fault: str, status: int, token: int | None) -> None:
    """The failure is a result, with what passes and when."""
    async with Mock(faults=[fault]) as mock, Serving(house(mock)) as gateway:
        told = await call(gateway.port, "complete_text", HELLO, token=token)
    details = told.result["_meta"]["understudy.dev/error"]
    assert told.result["isError"]
    assert details["status"] in {status, 500}
    assert (7 if "429" in fault else None) == details.get("retry_after")
    assert told.answer.headers["x-understudy-reason"] == details["reason"]


async def test_failover_goes_unnoticed() -> None:
    """The next one answers, and the result says who and why."""
    async with Mock(faults=["500"]) as ill, Mock() as well:
        both = [provider("a", ill.url), provider("b", well.url)]
        async with Serving(snapshot(both, [route("default", *in_order("a", "b"))])) as gateway:
            told = await call(gateway.port, "complete_text", HELLO, token=1)
    assert not told.result["isError"]
    assert ("default/b", "server_error") == tuple(
        told.result["_meta"][f"understudy.dev/{name}"] for name in ("provider", "reason")
    )


@pytest.mark.parametrize("name", ["complete_text", "process_chat_stream"])
@pytest.mark.parametrize("fault", ["cut-after:2", "end-after:2", "error-after:2", "stall-after:2"])
async def test_an_answer_that_is_cut(fault: str, name: str) -> None:
    """What was said stays said; the result says that it is not all, and no frame ends it well."""
    asked = {**HELLO, "request": chat("Hello")}
    paced = Settings(token_interval=0.02)
    async with Mock(faults=[fault], settings=paced) as mock, Serving(house(mock)) as gateway:
        told = await call(gateway.port, name, asked, token=1)
        await gateway.reaches("understudy_requests_in_flight", 0)
    assert 2 == len(told.progress)
    assert not any('"end"' in each for each in told.progress)
    assert told.result["isError"]
    assert "not complete" in told.text
    assert told.answer.complete


async def test_a_session() -> None:
    """A call may be a turn of a conversation, by its argument or its header."""
    async with Mock() as mock, Serving(house(mock)) as gateway:
        begun = await exchange(gateway.port, "POST", "/v1/sessions", b"{}")
        session = begun.json()["id"]
        await call(gateway.port, "complete_text", {"prompt": "one", "session_id": session})
        asked = message("tools/call", {"name": "complete_chat", "arguments": chat("two")})
        await post(gateway.port, asked, {**READS, "x-session-id": session})
        await call(gateway.port, "complete_text", {"prompt": "three", "session_id": session}, token=1)
        said = [each["content"] for each in json.loads(mock.requests[-1].body)["messages"]]
    assert ["one", "two", "three"] == said[::2]
    assert 5 == len(said)


async def test_the_metrics() -> None:
    """Requests, who answered them, who failed, and how fast they were."""
    async with Mock(faults=["429;retry-after=60"]) as ill, Mock() as well:
        both = [provider("a", ill.url), provider("b", well.url), provider("c", well.url)]
        async with Serving(snapshot(both, [route("default", *in_order("a", "b"))])) as gateway:
            await call(gateway.port, "complete_text", HELLO)
            await call(gateway.port, "complete_text", HELLO, token=1)
            await call(gateway.port, "complete_text", {**HELLO, "model": "no-such"})
            told = await call(gateway.port, "get_metrics", {})
            of_one = await call(gateway.port, "get_metrics", {"provider": "default/b"})
            schema = (await listed(gateway.port))["get_metrics"]["outputSchema"]
            providers = await call(gateway.port, "list_providers", {"include_metrics": True})
    metrics = told.result["structuredContent"]
    assert metrics == json.loads(told.text)
    jsonschema_rs.validate(schema, metrics)
    answered = {name: metrics[name] for name in ("total_requests", "success_requests", "failed_requests")}
    assert {"total_requests": 2, "success_requests": 2, "failed_requests": 0} == answered
    assert {"a": 0, "b": 2, "c": 0} == metrics["provider_usage"]
    assert {"a": 1, "b": 0, "c": 0} == metrics["provider_errors"]
    assert 1 == metrics["fallbacks"]
    b, c = metrics["provider_metrics"]["b"], metrics["provider_metrics"]["c"]
    assert (2, 0, 1) == (b["request_count"], b["error_count"], b["stream_count"])
    assert b["token_count"] > 0
    assert ["p50", "p90", "p95", "p99"] == list(b["latency_percentiles"])
    assert sorted(b["latency_percentiles"].values()) == list(b["latency_percentiles"].values())
    nothing = {"request_count": 0, "error_count": 0, "stream_count": 0, "token_count": 0, "latency_percentiles": {}}
    assert nothing == c
    assert {"b": b} == of_one.result["structuredContent"]["provider_metrics"]
    assert b == {each["name"]: each for each in providers.result["structuredContent"]["providers"]}["b"]["metrics"]


async def test_the_providers() -> None:
    """The same that `/api/v1/providers` lists; numbers only for who asks for them."""
    async with Mock() as mock, Serving(house(mock)) as gateway:
        told = await call(gateway.port, "list_providers", {})
        same = await exchange(gateway.port, "GET", "/api/v1/providers")
    assert same.json() == told.result["structuredContent"]["providers"]


async def test_the_functions_of_tools() -> None:
    """What the gateway runs for models, it runs for clients: listed with what it takes, checked, and run."""
    parameters = {"properties": {"query": {"type": "string"}}, "required": ["query"]}
    async with Mock() as mock, ToolServer({"/words": (200, "plain words"), "/ill": (500, {"oops": 1})}) as server:
        tools = [
            tool("search_it", server.url(), parameters=QUERY),
            tool("words", server.url("/words"), parameters=parameters),
            tool("ill", server.url("/ill")),
            tool("ask_user", None),
            tool("get_metrics", server.url("/ill")),
        ]
        async with Serving(with_tools(house(mock), tools)) as gateway:
            known = await listed(gateway.port)
            found = await call(gateway.port, "search-it", {"query": "moon"})
            words = await call(gateway.port, "words", {"query": "moon"})
            wrong = await call(gateway.port, "search_it", {"query": 7})
            ill = await call(gateway.port, "ill", {})
            theirs = await call(gateway.port, "ask_user", {})
            ours = await call(gateway.port, "get_metrics", {})
        asked = server.asked[0]
    assert ["ill", "search_it", "words"] == [name for name in known if name in {each.function for each in tools}][1:]
    assert "ask_user" not in known
    assert (QUERY, {"type": "object", **parameters}) == (
        known["search_it"]["inputSchema"],
        known["words"]["inputSchema"],
    )
    assert ({"query": "moon"}, {"echo": {"query": "moon"}}) == (asked.json(), found.result["structuredContent"])
    assert {"echo": {"query": "moon"}} == json.loads(found.text)
    assert "default/search_it" == found.answer.headers["x-understudy-tool"]
    assert ("plain words", None) == (words.text, words.result.get("structuredContent"))
    assert [True, True, True] == [each.result["isError"] for each in (wrong, ill, theirs)]
    assert ["invalid_arguments", "failed", "not_executable"] == [
        each.result["_meta"]["understudy.dev/error"]["code"] for each in (wrong, ill, theirs)
    ]
    assert "query" in wrong.text
    assert "total_requests" in ours.text


@pytest.mark.parametrize("token", [None, 1])
async def test_a_persona_whose_tools_are_run(token: int | None) -> None:
    """The client gets the answer after them, and hears what is said on the way."""
    said = "[say: Let me see.] [call: sums] [then: [say: It is 42.]]"
    async with executing() as stage:
        told = await call(stage.port, "complete_chat", chat(said, model=MODEL), token=token)
        assert ["/sums"] == [one.path for one in stage.tools.asked]
    assert ("1", "Let me see.\n\nIt is 42.") == (told.result["_meta"]["understudy.dev/tool-calls"], told.text)
    assert ("stop", None) == tuple(
        told.result["structuredContent"].get(name) for name in ("finish_reason", "tool_calls")
    )
    assert (told.text if token else "") == "".join(told.progress)


@pytest.mark.parametrize("era", ["2025-11-25", MODERN])
@pytest.mark.parametrize(
    ("token", "fault"),
    [
        pytest.param(1, None, id="in the middle of a stream"),
        pytest.param(1, "stall-after:2", id="while it is silent"),
        pytest.param(None, "delay:60s", id="while a whole answer is made"),
    ],
)
async def test_a_client_that_leaves(era: str, token: int | None, fault: str | None) -> None:
    """The model is asked no longer."""
    params: dict[str, Any] = {"name": "complete_text", "arguments": HELLO}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    newer = era == MODERN
    asked = modern("tools/call", params) if newer else message("tools/call", params)
    headers = modern_headers("tools/call", "complete_text") if newer else READS
    async with Mock(faults=[fault] if fault else [], settings=SLOW) as mock, Serving(house(mock)) as gateway:
        async with RawHttp(gateway.port) as client:
            client.send("POST", PATH, json.dumps(asked).encode(), headers)
            await eventually(lambda: mock.stats.in_flight == 1)
            await client.saw(b"notifications/progress" if token is not None else b"")
        await eventually(lambda: mock.stats.aborted == 1)
        await gateway.reaches("understudy_requests_in_flight", 0)


async def test_a_client_that_leaves_a_function() -> None:
    """The tool is waited for no longer."""
    asked = message("tools/call", {"name": "hang", "arguments": {}})
    async with Mock() as mock, ToolServer() as server:
        hanging = with_tools(house(mock), [tool("hang", server.url("/hang"))])
        async with Serving(hanging) as gateway, RawHttp(gateway.port) as client:
            client.send("POST", PATH, json.dumps(asked).encode(), READS)
            await eventually(lambda: bool(server.asked))
            client.leave()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await server.left.wait()


@pytest.mark.parametrize("token", [None, 1])
async def test_a_gateway_that_goes(token: int | None) -> None:
    """Whoever heard something hears that there is no more; whoever did not may ask again."""
    params: dict[str, Any] = {"name": "complete_text", "arguments": HELLO}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    async with Mock(settings=SLOW) as mock, Serving(house(mock)) as gateway, RawHttp(gateway.port) as client:
        client.send("POST", PATH, json.dumps(message("tools/call", params)).encode(), READS)
        await eventually(lambda: mock.stats.in_flight == 1)
        await client.saw(b"notifications/progress" if token is not None else b"")
        assert 1 == await gateway.gateway.drain(deadline_seconds=0)
        told = read(await client.answer())
    assert (503 if token is None else 200, -32603) == (told.answer.status, told.error["code"])
    assert "shutting down" in told.error["message"]
    assert (None if token is None else 1) == told.last["id"]


async def test_calls_in_a_batch_run_side_by_side() -> None:
    """None waits for the one before it."""
    calls = [message("tools/call", {"name": "complete_text", "arguments": HELLO}, request=each) for each in range(5)]
    async with Mock(settings=Settings(token_interval=0.05)) as mock, Serving(house(mock)) as gateway:
        asking = asyncio.create_task(post(gateway.port, calls))
        await eventually(lambda: mock.stats.in_flight == 5)
        told = await asking
    assert list(range(5)) == [each["id"] for each in told.last]
    assert not any(each["result"]["isError"] for each in told.last)
