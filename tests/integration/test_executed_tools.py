"""Personas whose tools the gateway runs: what clients of every dialect hear, whoever answers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.asking import ask
from harness.callers import CALLERS
from harness.callers.caller import Asking, Caller
from harness.executing import CITY, MODEL, helper, staged
from harness.gateways import Serving, provider
from harness.raw_upstream import RawUpstream, Script, answering, ok
from harness.tools import ToolServer, tool
from harness.vendors import VENDORS, Vendor
from understudy.mock import Mock

PAIRS = [
    pytest.param(caller, vendor, id=f"{asks}-{answers}")
    for asks, caller in CALLERS.items()
    for answers, vendor in VENDORS.items()
]
ROUNDS = "[say: Let me see.] [call: look_up, sums] [then: [call: sums] [then: [say: It is 42.]]]"


@pytest.mark.parametrize(("caller", "vendor"), PAIRS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_rounds_of_tools_are_one_answer(caller: Caller, vendor: Vendor, stream: bool) -> None:
    """The client hears what was said before and after, and of no call; usage is that of all calls of the model."""
    async with staged(vendor=vendor) as stage:
        asked = Asking([caller.user(ROUNDS)], model=MODEL, stream=stream)
        answer = await caller.send(stage.port, asked)
        assert (200, True) == (answer.status, answer.complete), answer
        heard = caller.heard(answer, stream=stream)
        assert ("Let me see.\n\nIt is 42.", "stop", ()) == (heard.text, heard.finish, heard.calls)
        assert ["/echo", "/sums", "/sums"] == sorted(one.path for one in stage.tools.asked)
        assert {"city": "city"} == next(one.json() for one in stage.tools.asked if one.path == "/echo")
        assert 3 == stage.mock.stats.requests
        spent = await stage.gateway.metric("understudy_tokens_total", type="output")
        assert heard.usage is not None
        assert spent == heard.usage["output"]
        if not stream:
            assert "3" == answer.headers["x-understudy-tool-calls"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
async def test_a_clients_own_call_is_the_clients(caller: Caller, stream: bool) -> None:
    """The rounds before are run; then the client gets its calls, and no other."""
    said = "[call: look_up] [then: [say: When?] [call: get_time, sums, get_weather]]"
    async with staged() as stage:
        heard = await caller.ask(stage.port, said, model=MODEL, stream=stream, tools=True)
        assert ["get_time", "get_weather"] == [call.name for call in heard.calls]
        assert ("When?", "tool_calls") == (heard.text, heard.finish)
        assert ["/echo"] == [one.path for one in stage.tools.asked]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
async def test_a_client_goes_on_with_results_of_its_own(caller: Caller, stream: bool) -> None:
    """What it sends back is a conversation that makes sense to every vendor."""
    async with staged() as stage:
        asked = Asking([caller.user("[call: get_time, sums]")], model=MODEL, stream=stream, tools=True)
        heard = await caller.go_on(stage.port, asked)
        turns = [*asked.turns, *heard.turns, *caller.results(heard.calls, "noon")]
        then = await caller.go_on(stage.port, Asking(turns, model=MODEL, stream=stream, tools=True))
        assert "stop" == then.finish
        assert 'The tool returned: "noon"' in then.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_tool_that_fails_is_no_failure_of_the_request(stream: bool) -> None:
    """The model reads what went wrong, next to what did not, and says so."""
    async with staged() as stage:
        heard = await CALLERS["openai"].ask(stage.port, "[call: breaks, sums, look_up]", model=MODEL, stream=stream)
        assert "it answered 500 Internal Server Error: out of order" in heard.text
        assert '{"sum":42}' in heard.text
        assert "stop" == heard.finish


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
async def test_rounds_come_to_an_end(vendor: Vendor, stream: bool) -> None:
    """After the last one the model is asked for an answer without calls."""
    endless = "[call: sums] [then: [call: sums] [then: [call: sums] [then: [call: sums]]]]"
    async with staged(vendor=vendor, max_iterations=2) as stage:
        heard = await CALLERS["openai"].ask(stage.port, endless, model=MODEL, stream=stream)
        assert ("stop", 3, 2) == (heard.finish, stage.mock.stats.requests, len(stage.tools.asked))
        assert "answering as" in heard.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tools_have_their_time(stream: bool) -> None:
    """A tool that hangs is given up, the caller of it leaves, and the model answers with the rest."""
    async with staged(tools_timeout_seconds=0.2) as stage:
        heard = await CALLERS["openai"].ask(stage.port, "[call: hangs, sums]", model=MODEL, stream=stream)
        assert "given up" in heard.text
        assert '{"sum":42}' in heard.text
        await stage.tools.left.wait()
        assert "none" == json.loads(stage.mock.requests[-1].body)["tool_choice"]


@pytest.mark.parametrize("wanted", ["required", {"type": "function", "function": {"name": "sums"}}], ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_call_that_is_demanded_is_made_once(wanted: Any, stream: bool) -> None:
    """With `tool_choice` in force the model would call tools for ever."""
    async with staged() as stage:
        caller, asked = CALLERS["openai"], Asking([{"role": "user", "content": "Hello"}], model=MODEL, stream=stream)
        answer = await caller.send(stage.port, asked, tool_choice=wanted)
        assert "stop" == caller.heard(answer, stream=stream).finish
        assert (2, 1) == (stage.mock.stats.requests, len(stage.tools.asked))


async def test_a_personas_own_demand_is_made_once() -> None:
    """An override holds whatever the client says, but not for ever."""
    async with staged(overrides={"tool_choice": "required", "temperature": 0.5}) as stage:
        heard = await CALLERS["anthropic"].ask(stage.port, "Hello", model=MODEL)
        assert ("stop", 2) == (heard.finish, stage.mock.stats.requests)
        first, second = (json.loads(request.body) for request in stage.mock.requests)
        assert ("required", None) == (first["tool_choice"], second.get("tool_choice"))
        assert [0.5, 0.5] == [first["temperature"], second["temperature"]]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_in_json_is_nothing_but_json(stream: bool) -> None:
    """What was said before the tools were run would spoil it."""
    said = "[say: Let me see.] [call: sums] [then: Now?]"
    async with staged() as stage:
        caller, asked = CALLERS["openai"], Asking([{"role": "user", "content": said}], model=MODEL, stream=stream)
        schema = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}
        wanted = {"type": "json_schema", "json_schema": {"name": "sums", "schema": schema}}
        answer = await caller.send(stage.port, asked, response_format=wanted)
        assert ["sum"] == list(json.loads(caller.heard(answer, stream=stream).text))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_another_provider_goes_on_in_the_middle(stream: bool) -> None:
    """Who answers the next round may be of another dialect; calls and results arrive there all the same."""
    async with Mock(name="a", faults=["500;after=1"]) as a, Mock(name="b") as b, ToolServer() as server:
        providers = [VENDORS["openai"].provider("a", a.url), VENDORS["gemini"].provider("b", b.url)]
        configured = helper(providers, [tool("look_up", server.url(), parameters=CITY)])
        async with Serving(configured) as gateway:
            caller, asked = CALLERS["anthropic"], Asking([], model=MODEL, stream=stream)
            asked = replace(asked, turns=[caller.user("[call: look_up]")])
            answer = await caller.send(gateway.port, asked)
            assert "This is b" in caller.heard(answer, stream=stream).text
            assert ("default/b", "1") == tuple(
                answer.headers[f"x-understudy-{name}"] for name in ("provider", "tool-calls")
            )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_failure_after_tools_were_run_is_not_asked_again(stream: bool) -> None:
    """SDKs repeat by themselves what fails; what tools did would be done twice."""
    async with staged(faults=["503;after=1"]) as stage:
        answer = await ask(stage.port, model=MODEL, stream=stream, said="[call: sums]")
        assert answer.status == 503
        assert ("false", "1") == (answer.answer.headers["x-should-retry"], answer.header("tool-calls"))
        assert answer.error is not None
        assert "had run 1 call(s) of tools" in answer.error["message"]


async def test_a_stream_that_is_cut_before_a_word_is_not_asked_again() -> None:
    """Of a call that breaks off the client has heard nothing; tools have been run all the same."""
    async with staged(faults=["cut-after:1;after=1"]) as stage:
        answer = await ask(stage.port, model=MODEL, stream=True, said="[call: sums] [then: [call: look_up]]")
        assert (502, "false") == (answer.status, answer.answer.headers["x-should-retry"])
        assert ["/sums"] == [one.path for one in stage.tools.asked]


async def test_a_failure_in_the_middle_of_words_cuts_the_stream() -> None:
    """What was said is not taken back, and nobody takes it for the whole."""
    async with staged(faults=["503;after=1"]) as stage:
        answer = await ask(stage.port, model=MODEL, stream=True, said="[say: Let me see.] [call: sums]")
        assert ("Let me see.", False, 200) == (answer.text, answer.whole, answer.status)
        assert answer.error is not None


def stubborn() -> Script:
    """A model that does nothing but call a tool."""
    call = {"id": "c", "type": "function", "function": {"name": "sums", "arguments": "{}"}}
    choice = {"index": 0, "message": {"role": "assistant", "tool_calls": [call]}, "finish_reason": "tool_calls"}
    body = json.dumps({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice]}).encode()
    return answering(ok(body))


async def test_a_model_that_only_calls_is_told_about() -> None:
    """There is no answer, and an empty one would puzzle everybody."""
    async with RawUpstream(stubborn()) as upstream, ToolServer(says={"/sums": (200, 42)}) as server:
        configured = helper(
            [provider("a", f"http://127.0.0.1:{upstream.port}")], [tool("sums", server.url("/sums"))], max_iterations=2
        )
        async with Serving(configured) as gateway:
            answer = await ask(gateway.port, model=MODEL)
            assert (502, "2") == (answer.status, answer.header("tool-calls"))
            assert answer.error is not None
            assert ("no_answer", 2) == (answer.error["code"], len(server.asked))


async def test_several_answers_are_refused() -> None:
    """`n` would be as many conversations with tools."""
    async with staged() as stage:
        answer = await ask(stage.port, model=MODEL, n=2)
        assert (400, "n") == (answer.status, (answer.error or {})["param"])
        assert 0 == stage.mock.stats.requests
