"""The gateway in the real registry, and real agents that find it there."""

import asyncio
from pathlib import Path
from typing import Any

from harness.gateways import Serving, in_order, persona, route, snapshot
from harness.gateways import provider as upstream
from harness.mesh.running import Mesh, consumer, registry
from harness.raw_http import PATIENCE_SECONDS, exchange
from understudy.mock import Mock
from understudy_api.config import Prompt, Snapshot

NAME = "understudy"


def house(mock: Mock, *personas: str) -> Snapshot:
    """A route, and personas, over one vendor."""
    turns = [persona(name, *in_order("openai"), prompt=Prompt(system=f"You are a {name}.")) for name in personas]
    return snapshot([upstream("openai", mock.url)], [route("chat", *in_order("openai")), *turns])


async def listed(mesh: Mesh) -> dict[str, Any]:
    """The gateway, as the registry has it."""
    return next(agent for agent in await mesh.agents() if agent["name"] == NAME)


async def has(mesh: Mesh, function: str) -> None:
    """Wait until the gateway has a function there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while function not in {each["function_name"] for each in (await listed(mesh))["capabilities"]}:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)


async def test_agents_find_the_gateway(tmp_path: Path) -> None:
    """A consumer is resolved to a persona of the gateway's, and answered by it in its role."""
    async with Mock(name="vendor") as vendor, registry(tmp_path, silence_seconds=20) as mesh:
        settings = {"mesh_registry_url": mesh.url}
        async with Serving(house(vendor, "pirate"), settings=settings) as serving:
            await mesh.until(NAME, "healthy")
            assert f"http://127.0.0.1:{serving.port}" == (await listed(mesh))["endpoint"]
            async with consumer(mesh, "asker", tags=("pirate",)) as asker:
                await asker.registered()
                said = await asker.answered("How are you?")
                (asked,) = vendor.requests[-1:]
        assert "This is vendor" in said
        assert "You are a pirate." in asked.body.decode()
        assert "unhealthy" == await mesh.status(NAME)


async def test_what_the_registry_is_told(tmp_path: Path) -> None:
    """A pair of functions for each name and for none; and others when the configuration has others."""
    async with Mock(name="vendor") as vendor, registry(tmp_path, silence_seconds=20) as mesh:
        settings = {"mesh_registry_url": mesh.url, "mesh_host": "gateway.example"}
        async with Serving(house(vendor, "pirate"), settings=settings) as serving:
            await mesh.until(NAME, "healthy")
            agent = await listed(mesh)
            assert "http://gateway.example:80" == agent["endpoint"]
            functions = {each["function_name"]: each for each in agent["capabilities"]}
            pairs = ("", "_persona_pirate", "_route_chat")
            assert {f"process_chat{kind}{pair}" for kind in ("", "_stream") for pair in pairs} == set(functions)
            assert {"llm"} == {each["name"] for each in functions.values()}
            assert {"persona", "pirate", "openai"} <= set(functions["process_chat_persona_pirate"]["tags"])

            told = b'{"agent_id": "other", "name": "other", "tools": []}'
            await exchange(mesh.port, "POST", "/heartbeat", told, {"content-type": "application/json"})
            await serving.source.push(house(vendor, "pirate", "parrot"))
            await has(mesh, "process_chat_persona_parrot")
            assert 202 == (await exchange(mesh.port, "HEAD", "/heartbeat/other")).status
        assert "unhealthy" == await mesh.status(NAME)
