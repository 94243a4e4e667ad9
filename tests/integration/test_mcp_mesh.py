"""Conversations of agents behind `/mcp`: what a provider of the mesh takes, and what its consumers get."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest

from harness.executing import helper
from harness.gateways import Serving, backend, persona, provider, route, snapshot
from harness.mcp_calls import Told, call, listed
from harness.raw_upstream import RawUpstream, Script, answering, ok
from harness.tools import ToolServer, tool
from understudy.mock import Mock
from understudy_api.config import Prompt, PromptPiece


def serving(mock: Mock) -> Serving:
    """A gateway with one route, the default."""
    return Serving(snapshot([provider("one", mock.url)], [route("default", backend("one"))]))


MESH = {"messages": [{"role": "user", "content": "Hello"}], "tools": None, "model_params": None, "context": None,
        "request_id": None, "caller_agent": None}  # fmt: skip


async def meshed(gateway: Serving, request: Mapping[str, Any], *, name: str = "process_chat", **more: Any) -> Told:
    """Ask as an agent does, with all of its keys and what it adds beside them."""
    arguments = {"request": {**MESH, **request}, "_trace_id": "a" * 32, "_parent_span": "b" * 16, "_mesh_headers": {}}
    return await call(gateway.port, name, arguments, **more)


async def test_agents_get_their_answer() -> None:
    """The same object as JSON text and as itself, with what it took."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await meshed(gateway, {})
        schema = (await listed(gateway.port))["process_chat"]["outputSchema"]
    answer = told.result["structuredContent"]
    assert 1 == len(told.result["content"])
    assert answer == json.loads(told.text)
    jsonschema_rs.validate(schema, answer)
    assert {"role", "content", "_mesh_usage"} == set(answer)
    assert ("assistant", "m") == (answer["role"], answer["_mesh_usage"]["model"])
    assert answer["_mesh_usage"]["prompt_tokens"] > 0
    assert answer["_mesh_usage"]["completion_tokens"] > 0


async def test_agents_hear_frames() -> None:
    """Each piece in a frame, a frame that ends them, and the answer after it."""
    async with Mock() as mock, serving(mock) as gateway:
        told = await meshed(gateway, {}, name="process_chat_stream", token="t")
        quiet = await meshed(gateway, {}, name="process_chat_stream")
        whole = await meshed(gateway, {}, name="process_chat", token="t")
    *chunks, end = [json.loads(each) for each in told.progress]
    assert {"_mesh_frame": "end"} == end
    assert ["chunk"] * len(chunks) == [each["_mesh_frame"] for each in chunks]
    content = told.result["structuredContent"]["content"]
    assert content == "".join(each["content"] for each in chunks)
    assert [([], content)] * 2 == [
        (each.progress, each.result["structuredContent"]["content"]) for each in (quiet, whole)
    ]


async def test_nothing_of_the_mesh_reaches_a_provider() -> None:
    """Neither where tools live, nor what only agents know; parameters do, and calls come back to whoever asked."""
    declared = {"name": "clock", "description": "Time", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": {**declared, "_mesh_endpoint": "http://10.0.0.9:1"}, "_mesh_x": 1}]
    params = {"temperature": 0.5, "max_tokens": 9, "parallel_tool_calls": True, "max_iterations": 3, "n": 3,
              "output_mode": "strict", "output_type_name": "T", "api_base": "http://x", "messages": [], "stream": True,
              "model": "anthropic/claude-sonnet-4-5"}  # fmt: skip
    said = {"messages": [{"role": "user", "content": "[call]"}], "tools": tools, "model_params": params}
    async with Mock() as mock, serving(mock) as gateway:
        told = await meshed(gateway, said)
        sent = json.loads(mock.requests[0].body)
    assert {"model", "messages", "tools", "temperature", "max_tokens", "parallel_tool_calls"} == set(sent)
    assert [{"type": "function", "function": declared}] == sent["tools"]
    assert "m" == sent["model"]
    answer = told.result["structuredContent"]
    assert ("", ["clock"]) == (answer["content"], [each["function"]["name"] for each in answer["tool_calls"]])
    assert ["function", str] == [
        answer["tool_calls"][0]["type"],
        type(answer["tool_calls"][0]["function"]["arguments"]),
    ]


async def test_a_conversation_with_results() -> None:
    """The second round of an agent that has run its tools."""
    made = {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
    ]
    async with Mock() as mock, serving(mock) as gateway:
        told = await meshed(gateway, {"messages": messages})
    assert "noon" in told.result["structuredContent"]["content"]


async def test_calls_have_no_place_in_a_stream() -> None:
    """An agent that listens would take them for silence: it is told instead."""
    tools = [{"type": "function", "function": {"name": "clock"}}]
    said = {"messages": [{"role": "user", "content": "[call]"}], "tools": tools}
    async with Mock() as mock, serving(mock) as gateway:
        told = await meshed(gateway, said, name="process_chat_stream", token=1)
        quiet = await meshed(gateway, said, name="process_chat_stream")
    assert told.result["isError"]
    assert "clock" in told.text
    assert ["clock"] == [each["function"]["name"] for each in quiet.result["structuredContent"]["tool_calls"]]


SCHEMA = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}


@pytest.mark.parametrize(
    ("params", "held", "told"),
    [
        pytest.param({"output_type_name": "Said[str]"}, True, False, id="held to it"),
        pytest.param({"output_mode": "strict"}, True, False, id="strictly"),
        pytest.param({"output_mode": "hint"}, False, True, id="told of it"),
        pytest.param({"output_mode": "text"}, False, False, id="as it likes"),
    ],
)
async def test_answers_with_a_shape(params: dict[str, Any], *, held: bool, told: bool) -> None:
    """A schema for the answer, however the agent wants the model to know of it."""
    async with Mock() as mock, serving(mock) as gateway:
        answered = await meshed(gateway, {"model_params": {**params, "output_schema": SCHEMA}})
        sent = json.loads(mock.requests[0].body)
    assert not answered.result["isError"]
    assert isinstance(answered.result["structuredContent"]["content"], str)
    assert held == (sent.get("response_format", {}).get("type") == "json_schema")
    assert told == any('"said"' in str(each["content"]) for each in sent["messages"])
    if held:
        assert SCHEMA == sent["response_format"]["json_schema"]["schema"]


@pytest.mark.parametrize("mode", ["hint", "strict"])
async def test_a_shape_that_is_too_deep(mode: str) -> None:
    """It is told what is wrong, whichever way the model would have heard of it."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    async with Mock() as mock, serving(mock) as gateway:
        told = await meshed(gateway, {"model_params": {"output_schema": deep, "output_mode": mode}})
    assert (True, 200) == (told.result["isError"], told.answer.status)
    assert "too deeply" in told.text


async def test_functions_of_routes_and_personas() -> None:
    """Each has its own pair, which is not listed; a persona's prompt knows what the agent says of the conversation."""
    pieces = (PromptPiece(text="Help "), PromptPiece(text="all", variable="team"), PromptPiece(text="."))
    prompt = Prompt(system="Help all.", template=(pieces,))
    async with Mock() as mock:
        one = provider("one", mock.url)
        cast = snapshot([one], [route("chat", backend("one")), persona("code-helper", backend("one"), prompt=prompt)])
        async with Serving(cast) as gateway:
            told = await meshed(gateway, {"context": {"team": "us"}}, name="process_chat_persona_code_helper")
            routed = await meshed(gateway, {}, name="process_chat_route_chat_stream")
            streamed = await meshed(gateway, {}, name="process_chat_stream_route_chat", token=1)
            known = await listed(gateway.port)
        system = json.loads(mock.requests[0].body)["messages"][0]
    assert "persona/default/code-helper" == told.result["_meta"]["understudy.dev/route"]
    assert "Help us." == system["content"]
    assert -32602 == routed.error["code"]
    assert {"_mesh_frame": "end"} == json.loads(streamed.progress[-1])
    assert not [name for name in known if "_route_" in name or "_persona_" in name]


def stubborn(*, stream: bool) -> Script:
    """A model that does nothing but call a tool."""
    made = {"id": "c", "type": "function", "function": {"name": "sums", "arguments": "{}"}}
    part = "delta" if stream else "message"
    said = {"role": "assistant", "tool_calls": [{"index": 0, **made}]}
    kind = "chat.completion.chunk" if stream else "chat.completion"
    whole = {
        "id": "x",
        "object": kind,
        "model": "m",
        "choices": [{"index": 0, part: said, "finish_reason": "tool_calls"}],
    }
    body = json.dumps(whole).encode()
    return answering(
        ok(b"data: " + body + b"\n\ndata: [DONE]\n\n", "content-type: text/event-stream") if stream else ok(body)
    )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_model_that_only_calls(*, stream: bool) -> None:
    """An agent is told in the mesh's own words that the model was stopped."""
    async with RawUpstream(stubborn(stream=stream)) as upstream, ToolServer(says={"/sums": (200, 42)}) as server:
        one = provider("a", f"http://127.0.0.1:{upstream.port}")
        configured = helper([one], [tool("sums", server.url("/sums"))], max_iterations=2)
        async with Serving(configured) as gateway:
            name = f"process_chat{'_stream' if stream else ''}_persona_helper"
            told = await meshed(gateway, {}, name=name, token=1 if stream else None)
    assert {"role": "assistant", "content": "", "_mesh_stop_reason": "max_iterations"} == told.result[
        "structuredContent"
    ]
    assert not told.result["isError"]
    ends = [{"_mesh_frame": "end", "stop_reason": "max_iterations"}] if stream else []
    assert ends == [json.loads(each) for each in told.progress]
