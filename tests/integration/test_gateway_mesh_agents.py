"""Agents of a mesh behind a gateway, whatever they answer: failover among them, streams, errors, and what they get."""

import asyncio
from typing import Any

import orjson
import pytest

from harness.gateways import KEY, Serving, backend, provider, route, snapshot
from harness.mesh.providing import mesh_provider
from harness.mesh.scripted import EVENTS, JSON, ScriptedAgent, ScriptedMesh, events, failed, frame, result_of, said
from harness.raw_http import Answer, exchange
from understudy.mock import Mock
from understudy_api.config import CredentialRef, Provider

HELLO = events(said("Hello from b"))


def serving(*providers: Provider) -> Serving:
    """A gateway whose route `chat` is these, one after the other."""
    models = [next(iter(each.models)) for each in providers]
    places = [backend(p.name, model=m, priority=at) for at, (p, m) in enumerate(zip(providers, models, strict=True))]
    return Serving(snapshot(providers, [route("chat", *places)]))


async def ask(gateway: Serving, **fields: Any) -> Answer:
    """One request."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return await exchange(gateway.port, "POST", "/v1/chat/completions", orjson.dumps(body))


def text_of(answer: Answer) -> Any:
    """What a whole answer says."""
    return answer.json()["choices"][0]["message"]["content"]


def deltas(answer: Answer) -> list[str]:
    """The words of a stream."""
    data = [orjson.loads(line[6:]) for line in answer.body.splitlines() if line.startswith(b"data: {")]
    found = [choice["delta"].get("content") for chunk in data for choice in chunk.get("choices", ())]
    return [words for words in found if words]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"body": b"garbage"}, id="garbage"),
        pytest.param({"body": b"<html>", "content_type": "text/html"}, id="a page"),
        pytest.param({"body": b"", "content_type": JSON}, id="nothing"),
        pytest.param({"body": b": ping\n\n", "cut": True}, id="a stream that is cut before a word"),
        pytest.param({"body": events(failed("Error calling tool: boom"))}, id="a tool that failed"),
        pytest.param({"body": events(failed("Unknown tool: 'ask_a'"))}, id="a tool that is gone"),
        pytest.param({"body": events(failed("401 invalid_api_key"))}, id="its vendor's key"),
        pytest.param({"body": events(failed("429 insufficient_quota"))}, id="its vendor's money"),
        pytest.param({"body": events(frame("Hel"), failed("boom"))}, id="words and an error in one breath"),
        pytest.param({"body": b"no", "status": 400}, id="400"),
        pytest.param({"body": b"no", "status": 406}, id="406"),
        pytest.param({"body": b"", "status": 307}, id="a redirect"),
        pytest.param({"body": b'{"jsonrpc":"2.0","id":1}', "content_type": JSON}, id="no result"),
    ],
)
@pytest.mark.parametrize("stream", [pytest.param(False, id="whole"), pytest.param(True, id="streamed")])
async def test_the_next_agent_steps_in(fault: dict[str, Any], stream: bool) -> None:
    """Whatever one agent does instead of answering, another one answers; each has a vendor of its own."""
    broken = ScriptedAgent("a", tags=("best",), **fault)
    well = ScriptedAgent("b", HELLO)
    async with ScriptedMesh(broken, well) as mesh, serving(mesh_provider(mesh.url, "+best")) as gateway:
        answer = await ask(gateway, stream=stream)
        assert 200 == answer.status
        assert "Hello from b" == ("".join(deltas(answer)) if stream else text_of(answer))
        assert len(broken.asked) >= 1


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        pytest.param(events(frame("Hel"), frame("lo"), said("Hello")), EVENTS, ["Hel", "lo"], id="frames"),
        pytest.param(events(said("Hello")), EVENTS, ["Hello"], id="a result alone"),
        pytest.param(orjson.dumps(said("Hello")), JSON, ["Hello"], id="one JSON object"),
    ],
)
async def test_streams(body: bytes, content_type: str, words: list[str]) -> None:
    """A client that asked for a stream gets one, however the agent answers."""
    async with (
        ScriptedMesh(ScriptedAgent("a", body, content_type)) as mesh,
        serving(mesh_provider(mesh.url)) as gateway,
    ):
        answer = await ask(gateway, stream=True)
        assert words == deltas(answer)
        assert answer.body.endswith(b"data: [DONE]\n\n")


async def test_a_stream_that_breaks_off() -> None:
    """Words that were said are not said again by somebody else: the client is told that its answer is not whole."""
    first = ScriptedAgent("a", events(frame("Hel")), cut=True, tags=("best",))
    other = ScriptedAgent("b", HELLO)
    async with ScriptedMesh(first, other) as mesh, serving(mesh_provider(mesh.url, "+best")) as gateway:
        answer = await ask(gateway, stream=True)
        assert ["Hel"] == deltas(answer)
        assert b'"error"' in answer.body
        assert b"[DONE]" not in answer.body
        assert [] == other.asked


async def test_what_an_agent_is_sent() -> None:
    """A call of its own function, and nothing of what is for the registry."""
    agent = ScriptedAgent("a", events(said("Hello")))
    async with ScriptedMesh(agent) as mesh:
        source = mesh_provider(
            f"{mesh.url}/below", credential=CredentialRef(name="key", version="1"), headers={"x-team": "ai"}
        )
        async with serving(source) as gateway:
            assert 200 == (await ask(gateway)).status
            assert 200 == (await ask(gateway, stream=True)).status
        host = f"127.0.0.1:{agent.server.port}"
    registry, call, stream = mesh.asked[0], *agent.asked
    assert "GET /below/agents HTTP/1.1" == registry.line
    assert f"Bearer {KEY}" == registry.headers["authorization"]
    assert "POST /mcp HTTP/1.1" == call.line
    assert host == call.headers["host"]
    assert "authorization" not in call.headers
    assert "ai" == call.headers["x-team"]
    params = orjson.loads(call.body)["params"]
    assert "ask_a" == params["name"]
    assert [{"role": "user", "content": "Hi"}] == params["arguments"]["request"]["messages"]
    assert {"progressToken": 1} == orjson.loads(stream.body)["params"]["_meta"]
    assert "stream_a" == orjson.loads(stream.body)["params"]["name"]


async def test_an_agent_without_streams_is_asked_whole() -> None:
    """Agents of the first kind have one function, which answers a stream as well as it can."""
    agent = ScriptedAgent("a", events(said("Hello")), streams=False)
    async with ScriptedMesh(agent) as mesh, serving(mesh_provider(mesh.url)) as gateway:
        assert ["Hello"] == deltas(await ask(gateway, stream=True))
    params = orjson.loads(agent.asked[0].body)["params"]
    assert ("ask_a", None) == (params["name"], params.get("_meta"))


async def test_tokens_are_counted() -> None:
    """What an agent tells of tokens is what the client and the meter get."""
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "model": "claude"}
    message = {"role": "assistant", "content": "Hello", "_mesh_usage": usage}
    async with (
        ScriptedMesh(ScriptedAgent("a", events(result_of(message)))) as mesh,
        serving(mesh_provider(mesh.url)) as gateway,
    ):
        answer = (await ask(gateway)).json()
        assert (12, 3) == (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
        assert "claude" == answer["model"]


async def test_agents_share_the_load() -> None:
    """Agents that are equally wanted are all asked."""
    agents = [ScriptedAgent(name, events(said(name))) for name in ("a", "b", "c")]
    async with ScriptedMesh(*agents) as mesh, serving(mesh_provider(mesh.url)) as gateway:
        await asyncio.gather(*(ask(gateway) for _ in range(60)))
    assert all(len(agent.asked) > 3 for agent in agents)


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        pytest.param(b'{"agents":null}', "there are none at all", id="nobody"),
        pytest.param(b"<html>", "the registry of its mesh cannot be asked", id="no registry"),
    ],
)
async def test_nobody_is_there(listing: bytes, words: str) -> None:
    """What is missing is told in the client's own format, and somebody else steps in where there is one."""
    async with Mock(name="m") as mock, ScriptedMesh(listing=lambda: listing) as mesh:
        async with serving(mesh_provider(mesh.url, "claude")) as gateway:
            refused = await ask(gateway)
            assert (503, "provider_not_found") == (refused.status, refused.json()["error"]["code"])
            assert "provider_not_found" == refused.headers["x-understudy-reason"]
            assert words in refused.json()["error"]["message"]
        async with serving(mesh_provider(mesh.url, "claude"), provider("mock", mock.url)) as gateway:
            assert 200 == (await ask(gateway)).status


async def test_no_registry_delays_only_the_first() -> None:
    """A registry that never answers costs no request more than the time to look once."""
    async with (
        Mock(name="m") as mock,
        serving(mesh_provider("http://127.0.0.1:1"), provider("mock", mock.url)) as gateway,
    ):
        assert {200} == {(await ask(gateway)).status for _ in range(5)}


async def test_the_same_agents_after_a_reload() -> None:
    """A new configuration goes on with the agents that are known, without asking anew."""
    agent = ScriptedAgent("a", events(said("Hello")))
    async with ScriptedMesh(agent) as mesh, serving(mesh_provider(mesh.url)) as gateway:
        assert 200 == (await ask(gateway)).status
        asked = len(mesh.asked)
        again = route("chat", backend("agents", model="default", weight=2))
        assert await gateway.source.push(snapshot([mesh_provider(mesh.url)], [again]))
        assert 200 == (await ask(gateway)).status
        assert asked == len(mesh.asked)
        other = mesh_provider(mesh.url, "claude")
        assert await gateway.source.push(snapshot([other], [route("chat", backend("agents", model="default"))]))
        assert 503 == (await ask(gateway)).status
