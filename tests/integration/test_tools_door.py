"""`/v1/tools`: tools listed, checked and run, against a server of tools."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from harness.gateways import Serving, snapshot
from harness.raw_http import Answer, RawHttp, eventually, exchange
from harness.tools import CREDENTIAL, QUERY, TOKEN, ToolServer, tool, with_tools
from understudy_api.config import Snapshot, Tool
from understudy_proxy.tools.tools import MAX_OF_ONE

LIST, EXECUTE = "/v1/tools", "/v1/tools/execute"


def configured(*tools: Tool, token: str = TOKEN) -> Snapshot:
    """A configuration of tools alone."""
    return with_tools(snapshot([], []), tools, token=token)


async def execute(
    port: int, name: str, arguments: object = None, *, headers: Mapping[str, str] | None = None, path: str = EXECUTE
) -> Answer:
    """Run a tool."""
    return await exchange(port, "POST", path, json.dumps({"name": name, "arguments": arguments}).encode(), headers)


def functions(answer: Answer) -> list[str]:
    """The listed functions."""
    return [each["function"]["name"] for each in answer.json()["data"]]


async def test_the_list() -> None:
    """OpenAI's form, sorted, with who runs it; what has no handler is listed, too, for clients to run."""
    tools = [tool("search", "http://tools/", parameters=QUERY), tool("ask_user", None)]
    async with Serving(configured(*tools)) as serving:
        answer = await exchange(serving.port, "GET", LIST)
    function = {"name": "search", "description": "Does search.", "parameters": QUERY}
    nothing = {"type": "object", "properties": {}}
    assert 200 == answer.status
    assert answer.json() == {
        "object": "list",
        "data": [
            {
                "type": "function",
                "function": {"name": "ask_user", "description": "Does ask_user.", "parameters": nothing},
                "id": "default/ask_user",
                "executable": False,
            },
            {"type": "function", "function": function, "id": "default/search", "executable": True},
        ],
    }


@pytest.mark.parametrize(
    ("path", "listed", "ran"),
    [
        pytest.param("", ["mine", "open"], "default/mine", id="default namespace"),
        pytest.param("/ns/other", ["mine", "open", "shared"], "other/mine", id="a friend"),
        pytest.param("/ns/third", ["open"], None, id="a stranger"),
    ],
)
async def test_whose_tools(path: str, listed: list[str], ran: str | None) -> None:
    """One's own tool comes first under a name; others' only where they are open to the caller."""
    async with ToolServer() as server:
        tools = (
            tool("mine", server.url(), key="default/mine"),
            tool("mine", server.url(), key="other/mine"),
            tool("shared", server.url(), key="ops/shared", visible_to=("other",)),
            tool("open", server.url(), key="ops/open", visible_to=None),
        )
        async with Serving(configured(*tools)) as serving:
            answer = await exchange(serving.port, "GET", path + LIST)
            run = await execute(serving.port, "mine", path=path + EXECUTE)
    assert listed == functions(answer)
    assert ran == run.headers.get("x-understudy-tool")
    assert (404 if ran is None else 200) == run.status


async def test_a_call() -> None:
    """The arguments go out as JSON with the tool's headers and token, and nothing of the caller's but its ids."""
    told = {
        "authorization": "Bearer of-the-caller",
        "cookie": "a=b",
        "x-request-id": "req-7",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    async with ToolServer() as server:
        ours = tool("search", server.url(), parameters=QUERY, headers={"x-team": "a"}, credential=CREDENTIAL)
        async with Serving(configured(ours)) as serving:
            answer = await execute(serving.port, "search", {"query": "tides"}, headers=told)
        (asked,) = server.asked
    assert (200, {"success": True, "result": {"echo": {"query": "tides"}}}) == (answer.status, answer.json())
    assert "default/search" == answer.headers["x-understudy-tool"]
    assert ("POST", {"query": "tides"}) == (asked.method, asked.json())
    expected = {
        "authorization": f"Bearer {TOKEN}",
        "content-type": "application/json",
        "x-team": "a",
        "user-agent": "understudy",
        "x-request-id": "req-7",
        "x-understudy-tool": "default/search",
        "traceparent": told["traceparent"],
    }
    assert expected.items() <= asked.headers.items()
    assert "cookie" not in asked.headers


@pytest.mark.parametrize("name", ["get-chunk", "get_chunk"])
async def test_hyphens(name: str) -> None:
    """In names `-` and `_` are the same."""
    async with ToolServer() as server, Serving(configured(tool("get_chunk", server.url()))) as serving:
        assert 200 == (await execute(serving.port, name)).status


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_methods_without_a_body(method: str) -> None:
    """They carry the arguments in the query, beside what the URL has there; what is no text as JSON."""
    async with ToolServer() as server:
        ours = tool("look", server.url("/echo?v=1"), method=method)
        async with Serving(configured(ours)) as serving:
            answer = await execute(serving.port, "look", {"q": "a&b=c d", "n": 2, "tags": ["x"], "deep": None})
        (asked,) = server.asked
    assert 200 == answer.status
    assert (method, b"") == (asked.method, asked.body)
    assert {"v": "1", "q": "a&b=c d", "n": "2", "tags": '["x"]', "deep": "null"} == asked.query


async def test_what_an_address_fixes() -> None:
    """No argument takes the place of what the object's own URL has in its query."""
    async with ToolServer() as server:
        ours = tool("look", server.url("/echo?tenant=a"), method="GET")
        async with Serving(configured(ours)) as serving:
            answer = await execute(serving.port, "look", {"tenant": "b"})
    assert (400, "invalid_arguments") == (answer.status, answer.json()["code"])
    assert "tenant is no argument" in answer.json()["error"]
    assert [] == server.asked


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_other_methods(method: str) -> None:
    """They carry a body."""
    async with ToolServer() as server, Serving(configured(tool("save", server.url(), method=method))) as serving:
        answer = await execute(serving.port, "save", '{"a": 1}')
    assert {"echo": {"a": 1}} == answer.json()["result"]
    assert method == server.asked[0].method


@pytest.mark.parametrize(
    ("body", "status", "code", "error"),
    [
        pytest.param(b"{", 400, "bad_request", "The body is not JSON", id="no JSON"),
        pytest.param(b"[]", 400, "bad_request", "The body must be an object", id="no object"),
        pytest.param(b'{"name": 3}', 400, "bad_request", "name is missing", id="no name"),
        pytest.param(b'{"name": "serch"}', 404, "tool_not_found", "The tool 'serch' does not exist", id="unknown"),
        pytest.param(b'{"name": "search"}', 400, "invalid_arguments",
                     'search was not called: arguments: "query" is a required property', id="no arguments"),
        pytest.param(b'{"name": "search", "arguments": {"query": 5}}', 400, "invalid_arguments",
                     'search was not called: query: 5 is not of type "string"', id="bad arguments"),
        pytest.param(b'{"name": "search", "arguments": "{oops"}', 400, "invalid_arguments",
                     "search was not called: arguments are not JSON", id="garbage"),
        pytest.param(b'{"name": "ask_user"}', 400, "not_executable",
                     "ask_user is not run by the gateway: it has no spec.handler", id="the client's own"),
        pytest.param(b'{"name": "locked"}', 400, "not_executable",
                     "locked is not run by the gateway: its credential 'default/none/token' came without a value",
                     id="no token"),
    ],
)  # fmt: skip
async def test_what_is_not_called(body: bytes, status: int, code: str, error: str) -> None:
    """An error of HTTP, in the form of a failed call; the tool hears nothing of it."""
    missing = CREDENTIAL.model_copy(update={"name": "default/none/token"})
    async with ToolServer() as server:
        tools = (
            tool("search", server.url(), parameters=QUERY),
            tool("ask_user", None),
            tool("locked", server.url(), credential=missing),
        )
        async with Serving(configured(*tools)) as serving:
            answer = await exchange(serving.port, "POST", EXECUTE, body)
    said = answer.json()
    assert (status, False, code) == (answer.status, said["success"], said["code"])
    assert said["error"].startswith(error)
    assert code == answer.headers["x-understudy-reason"]
    assert [] == server.asked


async def test_the_wrong_method() -> None:
    """As any other error of these doors."""
    async with Serving(configured()) as serving:
        answer = await exchange(serving.port, "GET", EXECUTE)
    assert (405, False) == (answer.status, answer.json()["success"])


@pytest.mark.parametrize("path", ["/config?full=1", "/metrics", "/explain?model=m", "/samples", "/healthz"])
async def test_the_admin_port_is_no_tool(path: str) -> None:
    """An object that names the gateway's own admin port reads nothing there, whatever headers it sets."""
    async with Serving(configured()) as serving:
        peek = tool("peek", serving.admin_url + path, method="GET", headers={"X-Understudy-Tool": ""})
        assert await serving.source.push(configured(peek))
        answer = await execute(serving.port, "peek")
    assert "failed" == answer.json()["code"]
    assert "it answered 403 Forbidden: The admin port is not for tools" in answer.json()["error"]


async def test_what_operators_see() -> None:
    """Which tools cannot be called, and why; what may be a key is masked."""
    missing = CREDENTIAL.model_copy(update={"name": "default/none/token"})
    tools = (
        tool("locked", "http://h/run?key=hush-hush", credential=missing, headers={"x-key": "hush-hush"}),
        tool("ask_user", None),
    )
    async with Serving(configured(*tools)) as serving:
        told = (await exchange(serving.gateway.admin_port, "GET", "/config?full=1")).json()
    assert {"default/locked"} == told["state"]["toolsOut"].keys()
    assert "came without a value" in told["state"]["toolsOut"]["default/locked"]
    assert {"default/locked", "default/ask_user"} == told["config"]["tools"].keys()
    assert "hush-hush" not in str(told)


async def test_no_configuration_yet() -> None:
    """Said as such, and when to come back."""
    async with Serving(None) as serving:
        answers: Iterable[Answer] = (
            await exchange(serving.port, "GET", LIST),
            await execute(serving.port, "search"),
        )
    for answer in answers:
        assert (503, False, "1") == (answer.status, answer.json()["success"], answer.headers["retry-after"])


async def test_a_tool_that_fails() -> None:
    """It was called: a 200 that says that it failed, in the tool's own words."""
    says = {"/fails": (422, {"detail": "no index of that name"})}
    async with ToolServer(says) as server, Serving(configured(tool("search", server.url("/fails")))) as serving:
        answer = await execute(serving.port, "search")
    said = answer.json()
    assert (200, False, "failed") == (answer.status, said["success"], said["code"])
    assert said["error"].endswith(": no index of that name")
    assert "failed" == answer.headers["x-understudy-reason"]


async def test_one_tool_that_hangs() -> None:
    """It takes up so many calls and no more; the next is told to come back, and other tools go on."""
    async with ToolServer() as server:
        tools = (tool("hang", server.url("/hang")), tool("echo", server.url()))
        async with Serving(configured(*tools)) as serving:
            waiting = [asyncio.create_task(execute(serving.port, "hang")) for _ in range(MAX_OF_ONE)]
            await eventually(lambda: len(server.asked) == MAX_OF_ONE)
            busy, other = await execute(serving.port, "hang"), await execute(serving.port, "echo")
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await serving.reaches("understudy_tool_calls_total", MAX_OF_ONE, outcome="cancelled")
    assert (503, "busy") == (busy.status, busy.json()["code"])
    assert ("1", "true") == (busy.headers["retry-after"], busy.headers["x-should-retry"])
    assert 200 == other.status


async def test_a_client_that_leaves() -> None:
    """Its call ends at the tool."""
    async with ToolServer() as server, Serving(configured(tool("hang", server.url("/hang")))) as serving:
        async with RawHttp(serving.port) as client:
            client.send("POST", EXECUTE, b'{"name": "hang"}')
            await eventually(lambda: bool(server.asked))
        await asyncio.wait_for(server.left.wait(), 5)
        await serving.reaches("understudy_tool_calls_total", 1, tool="default/hang", outcome="cancelled")


async def test_numbers_and_lines() -> None:
    """Each call is counted by its tool and how it ended, and has a line without arguments, results or token."""
    async with ToolServer(says={"/fails": (500, f"quoting Bearer {TOKEN}")}) as server:
        tools = (
            tool("echo", server.url(), credential=CREDENTIAL),
            tool("fails", server.url("/fails"), credential=CREDENTIAL),
        )
        async with Serving(configured(*tools)) as serving:
            await execute(serving.port, "echo", {"private": "words"}, headers={"x-request-id": "req-8"})
            failed = await execute(serving.port, "fails")
            refused = await execute(serving.port, "fails", "private words")
            assert 1 == await serving.metric("understudy_tool_calls_total", tool="default/echo", outcome="success")
            assert 1 == await serving.metric("understudy_tool_calls_total", tool="default/fails", outcome="failed")
            assert 3 == await serving.metric("understudy_tool_call_duration_seconds_count")
            await eventually(lambda: 3 == len(calls(serving)))
            told = calls(serving)
    assert TOKEN not in failed.body.decode()
    assert "default/echo" == told[0]["tool"]
    assert ("success", "req-8") == (told[0]["outcome"], told[0]["request_id"])
    assert ["failed", "invalid_arguments"] == [line["outcome"] for line in told[1:]]
    assert 400 == refused.status
    assert TOKEN not in str(serving.log())
    assert "private" not in str(serving.log())
    assert "quoting" not in str(serving.log())


async def test_a_tool_that_is_gone() -> None:
    """So are its numbers, and what it was called by."""
    async with ToolServer() as server, Serving(configured(tool("echo", server.url(), parameters=QUERY))) as serving:
        assert 200 == (await execute(serving.port, "echo", {"query": "q"})).status
        assert await serving.source.push(configured(tool("other", server.url()), token="tok-another-one"))
        assert 404 == (await execute(serving.port, "echo", {"query": "q"})).status
        assert 0 == await serving.metric("understudy_tool_calls_total")


async def test_a_new_token_and_a_new_schema() -> None:
    """What serves next is called with the new token, and checked by the new schema."""
    async with ToolServer() as server, Serving(configured(tool("echo", server.url(), parameters=QUERY))) as serving:
        assert 400 == (await execute(serving.port, "echo")).status
        edited = tool("echo", server.url(), credential=CREDENTIAL)
        assert await serving.source.push(configured(edited, token="tok-the-next-one"))
        assert 200 == (await execute(serving.port, "echo")).status
    assert "Bearer tok-the-next-one" == server.asked[-1].headers["authorization"]


def calls(serving: Serving) -> list[dict[str, Any]]:
    """The lines about calls."""
    return [line for line in serving.log() if "tool call" == line["message"]]
