"""Agents of the published SDK have conversations with the gateway at `/mcp`, found in the gateway's own registry."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.gateways import Serving, backend, persona, provider, route, snapshot
from harness.mcp_calls import Told, call
from harness.mesh.running import NO_MODEL, START_SECONDS, Agent, Mesh, consumer
from understudy.mock import Mock
from understudy_api.config import Prompt


@asynccontextmanager
async def house(folder: Path, mock: Mock) -> AsyncIterator[Mesh]:
    """A gateway with a route and a persona, as a mesh by itself."""
    cast = persona("helper", backend("one"), prompt=Prompt(system="Be kind."))
    targets = [route("default", backend("one")), cast]
    async with Serving(snapshot([provider("one", mock.url)], targets)) as gateway:
        yield Mesh(gateway.port, folder)


async def told(agent: Agent, question: str) -> Told:
    """What a consumer's tool `tell` says, once the mesh has found it a model."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            answer = await call(agent.port, "tell", {"question": question}, token=1)
            if NO_MODEL not in answer.text:
                return answer
            await asyncio.sleep(0.1)


async def test_an_agent_hears_the_model_word_by_word(tmp_path: Path) -> None:
    """Frames come out as words, one after the other; nothing of the frames is among them."""
    async with Mock() as mock, house(tmp_path, mock) as mesh, consumer(mesh, "listener", streams=True) as agent:
        await agent.registered()
        answer = await told(agent, "Hello")
    assert 'This is mock, answering as m. You said: "Hello"' == "".join(answer.progress)
    assert len(answer.progress) > 3
    assert "".join(answer.progress) == answer.text
    assert json.loads(mock.requests[-1].body)["stream"]


async def test_an_agent_runs_its_tools_for_a_persona(tmp_path: Path) -> None:
    """The model's calls come back to it; in each round the role's prompt is before what the agent tells the model."""
    async with Mock() as mock, house(tmp_path, mock) as mesh:
        async with consumer(mesh, "director", tags=("persona", "helper"), tools=True) as agent:
            await agent.registered()
            said = await agent.answered("[call: get_weather]")
        asked = [json.loads(request.body)["messages"] for request in mock.requests]
    assert "sunny in" in said
    assert len(asked) > 1
    assert [] == [messages for messages in asked if not messages[0]["content"].startswith("Be kind.\n\nYou are")]
