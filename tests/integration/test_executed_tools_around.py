"""Personas whose tools the gateway runs: what is counted, traced, kept and given up around an answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.asking import PATH, ask, chat_body
from harness.callers import CALLERS
from harness.callers.caller import Asking
from harness.executing import CITY, MODEL, Stage, helper, staged
from harness.gateways import Serving, provider
from harness.raw_http import RawHttp, eventually, exchange
from harness.raw_upstream import Line, RawUpstream, ok
from harness.sessions import Talk, begun, kept
from harness.tools import ToolServer, tool
from understudy.mock import Mock
from understudy_api.config import Pricing

STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ROUNDS = "[call: sums, breaks] [then: [call: sums] [then: [say: It is 42.]]]"
ROUTE = "persona/default/helper"


@STREAMS
async def test_every_call_is_counted(stream: bool) -> None:
    """Each turn of the model is a request of its own, each run of a tool a call."""
    async with staged() as stage:
        await ask(stage.port, model=MODEL, stream=stream, said=ROUNDS)
        metric = stage.gateway.metric
        assert 3 == await metric("understudy_requests_total", route=ROUTE, status_class="2xx")
        assert 2 == await metric("understudy_tool_calls_total", tool="default/sums", outcome="success")
        assert 1 == await metric("understudy_tool_calls_total", tool="default/breaks", outcome="failed")
        assert 0 == await metric("understudy_requests_in_flight")
        await eventually(lambda: 3 == len(ended(stage)))
        first, *later = ended(stage)
        assert {first["request_id"]} == {line["request_id"] for line in later}


def ended(stage: Stage) -> list[dict[str, Any]]:
    """The lines of requests that ended."""
    return [line for line in stage.gateway.log() if line.get("route") == ROUTE and "status" in line]


@STREAMS
async def test_every_call_is_traced(stream: bool) -> None:
    """Model and tools get the ids by which the client follows its request."""
    headers = {"traceparent": TRACE, "x-request-id": "mine-1"}
    async with staged() as stage:
        await ask(stage.port, model=MODEL, stream=stream, said=ROUNDS, headers=headers)
        got = [*(each.headers for each in stage.tools.asked), *(each.headers for each in stage.mock.requests)]
        assert 6 == len(got)
        assert {(TRACE, "mine-1")} == {(each["traceparent"], each["x-request-id"]) for each in got}


@STREAMS
async def test_plain_doors_tell_all_of_it(stream: bool) -> None:
    """`/api/v1/chat` says how many calls were run, and what all turns took."""
    async with staged() as stage:
        body = {"persona": "helper", "stream": stream, "messages": [{"role": "user", "content": ROUNDS}]}
        answer = await exchange(stage.port, "POST", "/api/v1/chat", json.dumps(body).encode())
        said = answer.json() if not stream else json.loads(answer.body.split(b"data: ")[-1])
        assert (3, "stop") == (said["executed_tool_calls"], said["finish_reason"])
        assert "tool_calls" not in said
        spent = await stage.gateway.metric("understudy_tokens_total", type="input")
        assert spent == said["usage"]["prompt_tokens"]


@STREAMS
async def test_an_agent_pays_for_all_of_it(stream: bool) -> None:
    """The internal door adds the cost of every turn to the agent's account."""
    pricing = Pricing(input="1", output="2", cached_input="1", cache_write="1", reasoning="2")
    secret = {"x-internal-secret": "secret-of-the-house"}
    async with Mock(name="a") as mock, ToolServer(says={"/sums": (200, 42), "/breaks": (200, 0)}) as server:
        one = provider("a", mock.url)
        one = one.model_copy(update={"models": {"m": one.models["m"].model_copy(update={"pricing": pricing})}})
        tools = [tool("sums", server.url("/sums")), tool("breaks", server.url("/breaks"))]
        async with Serving(helper([one], tools), settings={"internal_secret": secret["x-internal-secret"]}) as gateway:
            body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": ROUNDS}]}
            body["metadata"] = {"agent_id": "agent-1"}
            answer = await exchange(gateway.port, "POST", "/internal/llm/proxy", json.dumps(body).encode(), secret)
            said = answer.json() if not stream else json.loads(answer.body.split(b"data: ")[-1])
            read, written = [await gateway.metric("understudy_tokens_total", type=kind) for kind in ("input", "output")]
            assert (read, written) == (said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"])
            assert pytest.approx((read + 2 * written) / 1e6) == said["cost"]
            used = await exchange(gateway.port, "GET", "/internal/llm/usage?agent_id=agent-1", headers=secret)
            assert (1, read + written) == (used.json()["total_requests"], used.json()["total_tokens"])


@STREAMS
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_session_keeps_what_was_looked_up(caller: str, stream: bool) -> None:
    """Calls and results are part of the conversation: the next turn's model knows them."""
    async with staged() as stage:
        session = await begun(stage.port)
        talk = Talk(CALLERS[caller], stage.port, session, stream=stream)
        await talk.say("[say: Let me see.] [call: sums] [then: [say: It is 42.]]", model=MODEL)
        assert ["user", "assistant", "tool", "assistant"] == [
            message["role"] for message in await kept(stage.port, session)
        ]
        await talk.say("And now?", model=MODEL)
        roles = [message["role"] for message in stage.mock.requests[-1].json()["messages"]]
        assert ["user", "assistant", "tool", "assistant", "user"] == roles


@STREAMS
async def test_a_client_that_leaves_ends_it(stream: bool) -> None:
    """The tool's server sees its caller go, and the model is not asked again."""
    async with staged() as stage:
        async with RawHttp(stage.port) as client:
            client.send("POST", PATH, chat_body(MODEL, stream=stream, said="[call: hangs]"))
            await eventually(lambda: len(stage.tools.asked) == 1)
        await stage.tools.left.wait()
        await stage.gateway.reaches("understudy_tool_calls_total", 1, tool="default/hangs", outcome="cancelled")
        assert 1 == stage.mock.stats.requests


@STREAMS
async def test_a_client_that_leaves_a_later_turn_cancels_it(stream: bool) -> None:
    """A model that is asked the second time is cancelled as it is the first."""
    async with staged(faults=["delay:60s;after=1"]) as stage:
        async with RawHttp(stage.port) as client:
            client.send("POST", PATH, chat_body(MODEL, stream=stream, said="[call: sums]"))
            await eventually(lambda: stage.mock.stats.requests == 2)
        await eventually(lambda: stage.mock.stats.aborted == 1)
        await stage.gateway.reaches("understudy_client_disconnects_total", 1, route=ROUTE)


async def test_a_function_that_is_none_is_told_to_the_model() -> None:
    """Models make names up; that is no call for a client that has no tools at all."""
    heard: list[Any] = []

    async def script(line: Line) -> None:
        for name in ("serach", None):
            heard.append(json.loads((await line.request()).body))
            await line.send(ok(json.dumps(completion(name)).encode()))

    async with RawUpstream(script) as upstream:
        tools = [tool("search", "http://127.0.0.1:1/", parameters=CITY)]
        async with Serving(helper([provider("a", f"http://127.0.0.1:{upstream.port}")], tools)) as gateway:
            told = await ask(gateway.port, model=MODEL)
            assert ("Done.", "0") == (told.text, told.header("tool-calls"))
            assert "There is no function 'serach'. There are: search." in heard[1]["messages"][-1]["content"]


def completion(called: str | None) -> dict[str, Any]:
    """A call of a function, or words."""
    message: dict[str, Any] = {"role": "assistant", "content": "Done."}
    if called is not None:
        call = {"id": "c", "type": "function", "function": {"name": called, "arguments": "{}"}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if called else "stop"}
    return {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice]}


async def test_a_persona_without_executed_tools_counts_none() -> None:
    """The header is there where it says something."""
    async with Mock(name="a") as mock, Serving(helper([provider("a", mock.url)], [])) as gateway:
        told = await ask(gateway.port, model=MODEL)
        assert (200, None) == (told.status, told.header("tool-calls"))


@STREAMS
@pytest.mark.parametrize(
    ("path", "field"),
    [
        pytest.param("/v1/responses", "input", id="responses"),
        pytest.param("/v1/completions", "prompt", id="completions"),
        pytest.param("/api/generate", "prompt", id="generate"),
    ],
)
async def test_other_doors_of_a_dialect_have_it_too(path: str, field: str, stream: bool) -> None:
    """Whatever asks for words gets those that come after the tools as well."""
    said = "[call: sums] [then: [say: Answered.]]"
    async with staged() as stage:
        body = {"model": MODEL, field: said, "stream": stream}
        answer = await exchange(stage.port, "POST", path, json.dumps(body).encode())
        assert (200, True, "1") == (answer.status, answer.complete, answer.headers["x-understudy-tool-calls"])
        assert b"Answered." in answer.body
        assert 1 == len(stage.tools.asked)


@STREAMS
@pytest.mark.parametrize("name", CALLERS)
async def test_a_client_with_tools_of_its_own_loses_nothing(name: str, stream: bool) -> None:
    """What was looked up before its call is there again when it comes back, or the model would have it done twice."""
    caller = CALLERS[name]
    said = "[say: Let me see.] [call: sums] [then: [say: When?] [call: get_time] [then: [call: sums] [then: So.]]]"
    async with staged() as stage:
        asked = Asking([caller.user(said)], model=MODEL, stream=stream, tools=True)
        heard = await caller.go_on(stage.port, asked)
        assert ["get_time"] == [call.name for call in heard.calls]
        back = replace(asked, turns=[*asked.turns, *heard.turns, *caller.results(heard.calls, "noon")])
        then = await caller.go_on(stage.port, back)
        assert "So." not in heard.text
        assert 'The tool returned: "{"sum":42}"' in then.text
        assert 2 == len(stage.tools.asked)
        messages = stage.mock.requests[-1].json()["messages"]
        assert ["user", *["assistant", "tool"] * 3] == [each["role"] for each in messages]
        assert "noon" in messages[4]["content"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"said": "Something else"}, id="another conversation"),
        pytest.param({"called": "another-call"}, id="another call"),
        pytest.param({"path": "/ns/elsewhere"}, id="another namespace"),
    ],
)
async def test_nobody_else_is_told(other: dict[str, str]) -> None:
    """The rounds of one conversation are in no other, whatever ids it makes up."""
    said = "[call: sums] [then: [call: get_time]]"
    async with staged() as stage:
        caller = CALLERS["openai"]
        heard = await caller.ask(stage.port, said, model=MODEL, tools=True)
        (call,) = heard.calls
        turn = json.dumps(heard.turns).replace(call.id, other.get("called", call.id))
        results = json.dumps(caller.results(heard.calls, "noon")).replace(call.id, other.get("called", call.id))
        turns = [caller.user(other.get("said", said)), *json.loads(turn), *json.loads(results)]
        body = json.dumps(caller.body(Asking(turns, model=MODEL, tools=True))).encode()
        answer = await exchange(stage.port, "POST", other.get("path", "") + PATH, body)
        assert 200 == answer.status, answer
        assert b"42" not in stage.mock.requests[-1].body


@STREAMS
async def test_a_response_that_is_gone_on_from_loses_nothing(stream: bool) -> None:
    """A client of responses sends its results alone, and names the response that they are for."""
    said = "[call: sums] [then: [call: get_time] [then: [say: That was all.]]]"
    tools = [{"type": "function", "name": "get_time", "parameters": {"type": "object", "properties": {}}}]
    async with staged() as stage:
        body: dict[str, Any] = {"model": MODEL, "input": said, "tools": tools, "stream": stream}
        answer = await exchange(stage.port, "POST", "/v1/responses", json.dumps(body).encode())
        response = completed(answer.body) if stream else answer.json()
        (call,) = response["output"]
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "noon"}
        body = {"model": MODEL, "input": [result], "tools": tools, "previous_response_id": response["id"]}
        then = await exchange(stage.port, "POST", "/v1/responses", json.dumps(body).encode())
        assert "That was all." == then.json()["output"][0]["content"][0]["text"]


def completed(events: bytes) -> Any:
    """The response that a stream ends with."""
    last = next(event for event in events.split(b"\n\n") if event.startswith(b"event: response.completed"))
    return json.loads(last.partition(b"data: ")[2])["response"]


@STREAMS
@pytest.mark.parametrize("name", CALLERS)
async def test_a_session_has_both_sides_tools(name: str, stream: bool) -> None:
    """What the gateway ran and what the client ran is there once, in the order in which it was."""
    caller = CALLERS[name]
    said = "[call: sums] [then: [call: get_time] [then: [call: sums] [then: [say: That was all.]]]]"
    async with staged() as stage:
        session = {"x-session-id": await begun(stage.port)}
        asked = Asking([caller.user(said)], model=MODEL, stream=stream, tools=True)
        heard = caller.heard(await caller.send(stage.port, asked, session), stream=stream)
        back = replace(asked, turns=caller.results(heard.calls, "noon"))
        then = caller.heard(await caller.send(stage.port, back, session), stream=stream)
        assert "That was all." == then.text
        roles = [message["role"] for message in await kept(stage.port, session["x-session-id"])]
        assert ["user", *["assistant", "tool"] * 3, "assistant"] == roles
