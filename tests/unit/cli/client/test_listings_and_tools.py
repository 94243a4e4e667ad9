"""Personas, providers and the gateway's own tools, by both clients. No socket."""

from typing import Any

import httpx2
import pytest

from harness.clients import KINDS, Gateway, Kind, answer, ask, closed, made, refusal
from understudy import BadRequest, InvalidAnswer, RateLimited, ToolFailed, ToolNotFound, Unavailable

both = pytest.mark.parametrize("kind", KINDS)
TOOL = {
    "type": "function",
    "namespace": "ai",
    "function": {
        "name": "get_chunk",
        "description": "A piece.",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}},
    },
}


@both
async def test_personas(kind: Kind) -> None:
    """What a role is, and whether somebody could play it; what is not told is no error."""
    listed = [
        {"name": "code-assistant", "aliases": ["code_assistant"], "provider_preferences": ["claude"], "tools": ["t"],
         "requires": ["Tools"], "revision": "r1", "available": True, "why_not": None, "description": "Helps."},
        {"name": "bare"},
    ]  # fmt: skip
    gateway = Gateway(httpx2.Response(200, json=listed))
    client = made(kind, gateway)
    first, second = await ask(client, "personas")
    await closed(client)
    assert gateway.requests[0].url.path == "/api/v1/personas"
    assert (first.name, first.aliases, first.provider_preferences) == (
        "code-assistant",
        ("code_assistant",),
        ("claude",),
    )
    assert (first.requires, first.tools, first.revision) == (("Tools",), ("t",), "r1")
    assert (first.available, first.why_not, first.description) == (True, "", "Helps.")
    assert (second.name, second.available) == ("bare", False)


@both
async def test_providers(kind: Kind) -> None:
    """Where models run, and how they are."""
    listed = [
        {"name": "claude", "namespace": "ai", "type": "Anthropic", "models": [{"name": "m"}], "capabilities": ["Chat"],
         "max_context": 200000, "cost_tier": "High", "health": {"status": "degraded", "detail": "m: ejected"}},
        {"name": "bare", "health": None},
    ]  # fmt: skip
    client = made(kind, Gateway(httpx2.Response(200, json=listed)))
    first, second = await ask(client, "providers")
    await closed(client)
    assert (first.name, first.type, first.models, first.capabilities) == ("claude", "Anthropic", ("m",), ("Chat",))
    assert (first.max_context, first.cost_tier) == (200000, "High")
    assert (first.health, first.detail) == ("degraded", "m: ejected")
    assert (second.name, second.models, second.max_context, second.health) == ("bare", (), None, "")


@both
@pytest.mark.parametrize("method", ["personas", "providers"])
async def test_another_servers_list(kind: Kind, method: str) -> None:
    """Is none."""
    client = made(kind, Gateway(httpx2.Response(200, json={"items": []})))
    with pytest.raises(InvalidAnswer):
        await ask(client, method)
    await closed(client)


@both
async def test_tools_of_the_gateway_in_a_conversation(kind: Kind) -> None:
    """They are declared to the model, and run where they live."""
    gateway = Gateway(
        httpx2.Response(200, json={"object": "list", "data": [TOOL]}),
        answer("", calls={"get_chunk": '{"id": 7}'}),
        httpx2.Response(200, json={"success": True, "result": {"text": "seven"}}),
        answer("Seven."),
    )
    client = made(kind, gateway)
    tools = await ask(client.tools, "list")
    run = await ask(client, "run", "chat", "What is in chunk 7?", tools=tools)
    await closed(client)
    assert (run.text, run.messages[2]["content"]) == ("Seven.", '{"text":"seven"}')
    declared, executed = (gateway.bodies_of("/v1/chat/completions")[0], gateway.bodies_of("/v1/tools/execute"))
    assert declared["tools"] == [{"type": "function", "function": TOOL["function"]}]
    assert executed == [{"name": "get_chunk", "arguments": {"id": 7}}]


@both
@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        pytest.param(httpx2.Response(200, json={"success": False, "error": "No such chunk."}), ToolFailed,
                     "No such chunk", id="it failed"),
        pytest.param(httpx2.Response(422, json={"success": False, "error": "id: not an integer"}), ToolFailed,
                     "id: not an integer", id="arguments"),
        pytest.param(httpx2.Response(404, json={"success": False, "error": "There is no x."}), ToolNotFound,
                     "There is no x", id="unknown"),
        pytest.param(httpx2.Response(404, json={"error": {"message": "There is no x.", "code": "tool_not_found"}}),
                     ToolNotFound, "There is no x", id="unknown, in OpenAI's words"),
        pytest.param(httpx2.Response(200, json={"success": False}), ToolFailed, "the tool x failed", id="wordless"),
        pytest.param(httpx2.Response(200, json={"ok": 1}), InvalidAnswer, "no result of a tool", id="another server"),
        pytest.param(refusal(400), BadRequest, "No: 400", id="any other refusal"),
    ],
)  # fmt: skip
async def test_a_tool_that_does_not_work(kind: Kind, said: Any, error: type[Exception], message: str) -> None:
    """Is an error with the tool's words."""
    client = made(kind, Gateway(said))
    with pytest.raises(error, match=message):
        await ask(client.tools, "execute", "x", {"id": 1})
    await closed(client)


@both
@pytest.mark.parametrize(
    ("said", "error", "asked"),
    [
        pytest.param(refusal(503), Unavailable, 1, id="it may have run"),
        pytest.param(httpx2.ReadError("reset"), Unavailable, 1, id="the connection broke"),
        pytest.param(refusal(503, x_should_retry="true"), Unavailable, 3, id="the gateway says that it has not"),
        pytest.param(refusal(429), RateLimited, 3, id="it has not"),
    ],
)
async def test_what_may_have_effects_is_not_done_twice(
    kind: Kind, said: Any, error: type[Exception], asked: int
) -> None:
    """A refusal from which nobody knows whether it ran is the app's to judge."""
    gateway = Gateway(said)
    client = made(kind, gateway)
    with pytest.raises(error):
        await ask(client.tools, "execute", "pay", {"amount": 1})
    await closed(client)
    assert len(gateway.requests) == asked
