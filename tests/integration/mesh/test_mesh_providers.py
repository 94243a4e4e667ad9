"""Agents of a mesh as a provider of a gateway: the real registry, and real agents of both eras that come and go."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from harness.gateways import Serving, backend, route, snapshot
from harness.mesh.providing import mesh_provider
from harness.mesh.running import NOW, SEED, Mesh, provider, registry
from harness.raw_http import Answer, eventually, exchange
from understudy.mock import Mock
from understudy_api.config import Provider, Timeouts

_PACE_SECONDS = 0.02
"""Between two requests of one client: agents are not fast, and the registry has to be heard, too."""


def serving(*providers: Provider) -> Serving:
    """A gateway whose route `chat` is these, one after the other."""
    places = [backend(each.name, model="default", priority=at) for at, each in enumerate(providers)]
    return Serving(snapshot(providers, [route("chat", *places)]))


async def ask(gateway: Serving, text: str = "How are you?", **fields: Any) -> Answer:
    """One request."""
    body = {"model": "chat", "messages": [{"role": "user", "content": text}], **fields}
    return await exchange(gateway.port, "POST", "/v1/chat/completions", orjson.dumps(body))


async def answered(gateway: Serving, text: str = "How are you?", **fields: Any) -> Answer:
    """One request that is answered, once the gateway has heard of somebody who can."""
    async with asyncio.timeout(20):
        while (answer := await ask(gateway, text, **fields)).status == 503:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.1)
    return answer


def text_of(answer: Answer) -> Any:
    """What a whole answer says."""
    return answer.json()["choices"][0]["message"]["content"]


def streamed_text(answer: Answer) -> str:
    """What a stream says."""
    data = [line[6:] for line in answer.body.splitlines() if line.startswith(b"data: ")]
    assert data.pop() == b"[DONE]"
    choices = [choice for chunk in data for choice in orjson.loads(chunk)["choices"]]
    assert choices[-1]["finish_reason"] == "stop"
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.mark.parametrize("sdk", [pytest.param(NOW, id="now"), pytest.param(SEED, id="seed")])
async def test_an_agent_answers(tmp_path: Path, sdk: str) -> None:
    """Whole and streamed, agents of either era answer as any provider does."""
    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path) as mesh,
        provider(mesh, "claude-agent", upstream=vendor.url, tags=("claude",), sdk=sdk) as model,
        serving(mesh_provider(mesh.url, "claude", "-beta")) as gateway,
    ):
        await model.registered()
        expected = 'This is vendor, answering as claude-sonnet-4-5. You said: "How are you?"'
        whole = await answered(gateway)
        assert (200, expected) == (whole.status, text_of(whole))
        assert "default/agents" == whole.headers["x-understudy-provider"]
        assert expected == streamed_text(await ask(gateway, stream=True))


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


@pytest.mark.parametrize("stream", [pytest.param(False, id="whole"), pytest.param(True, id="streamed")])
async def test_an_agent_calls_tools(tmp_path: Path, stream: bool) -> None:
    """Tools stay the client's: the agent's model calls them, and reads what came of it."""
    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path) as mesh,
        provider(mesh, "claude-agent", upstream=vendor.url, tags=("claude",)) as model,
        serving(mesh_provider(mesh.url, "claude")) as gateway,
    ):
        await model.registered()
        question = "[call: get_weather] What is the weather?"
        first = await answered(gateway, question, tools=TOOLS, stream=stream)
        call = _calls(first)[0]
        assert "get_weather" == call["function"]["name"]
        turns = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": "sunny"},
        ]
        body = {"model": "chat", "messages": turns, "tools": TOOLS}
        second = await exchange(gateway.port, "POST", "/v1/chat/completions", orjson.dumps(body))
        assert "sunny" in text_of(second)


def _calls(answer: Answer) -> list[dict[str, Any]]:
    """The tool calls of an answer, whole or streamed."""
    if not answer.body.startswith(b"data: "):
        calls: list[dict[str, Any]] = answer.json()["choices"][0]["message"]["tool_calls"]
        return calls
    data = [orjson.loads(line[6:]) for line in answer.body.splitlines() if line.startswith(b"data: {")]
    deltas = [call for chunk in data for c in chunk["choices"] for call in c["delta"].get("tool_calls") or ()]
    arguments = "".join(delta["function"].get("arguments") or "" for delta in deltas)
    function = {"name": deltas[0]["function"]["name"], "arguments": arguments}
    return [{"id": deltas[0]["id"], "type": "function", "function": function}]


async def test_an_answer_with_a_schema(tmp_path: Path) -> None:
    """An agent holds its model to a schema that the client of the gateway asks for."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path) as mesh,
        provider(mesh, "agent", upstream=vendor.url, model="openai/gpt-4.1-mini") as model,
        serving(mesh_provider(mesh.url)) as gateway,
    ):
        await model.registered()
        answer = await answered(gateway, "Where?", response_format=wanted)
        assert {"city"} == set(orjson.loads(text_of(answer)))


async def test_others_step_in_for_an_agent_that_dies(tmp_path: Path) -> None:
    """No request fails while an agent is killed under them, and it has its share again when it is back."""
    # An agent that comes back on a busy machine listens long before it answers.
    quick = Timeouts(connect_seconds=2, first_token_seconds=4, stream_idle_seconds=4, request_seconds=4)
    async with (
        Mock(name="one") as one,
        Mock(name="two") as two,
        registry(tmp_path) as mesh,
        provider(mesh, "first", upstream=one.url, tags=("claude",)) as first,
        provider(mesh, "second", upstream=two.url, tags=("claude",)) as second,
        serving(mesh_provider(mesh.url, "claude", timeouts=quick)) as gateway,
    ):
        await asyncio.gather(first.registered(), second.registered())
        await _until_heard(gateway, "one")
        await _until_heard(gateway, "two")

        async def asked_on(statuses: list[int], over: asyncio.Event) -> None:
            while not over.is_set():
                statuses.append((await ask(gateway)).status)
                await asyncio.sleep(_PACE_SECONDS)

        statuses: list[int] = []
        over = asyncio.Event()
        asking = [asyncio.create_task(asked_on(statuses, over)) for _ in range(4)]
        await asyncio.to_thread(first.process.kill)
        await mesh.until("first", "unhealthy")
        over.set()
        await asyncio.gather(*asking)
        assert {200} == set(statuses)
        assert text_of(await ask(gateway)).startswith("This is two")

        await asyncio.to_thread(first.process.start)
        await first.registered()
        await _until_heard(gateway, "one")


async def _until_heard(gateway: Serving, name: str) -> None:
    """Ask until the mock called `name` answers."""
    async with asyncio.timeout(60):
        while not text_of(await answered(gateway)).startswith(f"This is {name}"):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.05)


async def test_the_preferred_one_comes_first(tmp_path: Path) -> None:
    """Whoever has what is preferred is asked, the others step in; who has what must not be there is never asked."""
    async with (
        Mock(name="slow") as slow,
        Mock(name="fast") as fast,
        Mock(name="beta") as beta,
        registry(tmp_path) as mesh,
        provider(mesh, "slow", upstream=slow.url, tags=("claude",)) as one,
        provider(mesh, "fast", upstream=fast.url, tags=("claude", "fast")) as two,
        provider(mesh, "beta", upstream=beta.url, tags=("claude", "fast", "beta")) as three,
        serving(mesh_provider(mesh.url, "claude", "+fast", "-beta")) as gateway,
    ):
        await asyncio.gather(*(agent.registered() for agent in (one, two, three)))
        await _until_heard(gateway, "fast")
        assert {"fast,"} == {text_of(await ask(gateway)).split()[2] for _ in range(6)}
        await asyncio.to_thread(two.process.kill)
        assert {"slow,"} == {text_of(await ask(gateway)).split()[2] for _ in range(6)}


async def test_nobody_offers_it(tmp_path: Path) -> None:
    """The error tells what was looked for and what there was, and somebody else steps in where there is one."""
    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path) as mesh,
        provider(mesh, "gpt-agent", upstream=vendor.url, tags=("gpt",), model="openai/gpt-4.1-mini") as model,
        serving(mesh_provider(mesh.url, "claude", "+fast", version=">=2")) as gateway,
    ):
        await model.registered()
        async with asyncio.timeout(20):
            while b"gpt" not in (refused := await ask(gateway)).body:  # noqa: ASYNC110 - only asking tells
                await asyncio.sleep(0.1)
        error = refused.json()["error"]
        assert (503, "provider_not_found") == (refused.status, error["code"])
        assert "no agent of its mesh offers llm with claude, +fast in version >=2" in error["message"]
        assert "gpt-agent" in error["message"]
        assert "llm 1.0.0 with gpt" in error["message"]


async def test_agents_of_the_gateways_own_registry(tmp_path: Path) -> None:
    """A provider without an address is made of the agents that register with the gateway itself, never of itself."""
    async with Mock(name="vendor") as vendor, serving(mesh_provider(None)) as gateway:
        mesh = Mesh(gateway.port, tmp_path)
        assert "provider_not_found" == (await ask(gateway)).json()["error"]["code"]
        async with provider(mesh, "agent", upstream=vendor.url, tags=("claude",)) as model:
            await model.registered()
            assert text_of(await answered(gateway)).startswith("This is vendor")


async def test_a_registry_that_is_away(tmp_path: Path) -> None:
    """Agents that were known are asked on while their registry is gone."""
    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path) as mesh,
        provider(mesh, "agent", upstream=vendor.url) as model,
        serving(mesh_provider(mesh.url)) as gateway,
    ):
        await model.registered()
        await answered(gateway)
        assert mesh.process is not None
        await asyncio.to_thread(mesh.process.kill)
        await eventually(lambda: any("registry does not answer" in line["message"] for line in gateway.log()))
        assert 200 == (await ask(gateway)).status
