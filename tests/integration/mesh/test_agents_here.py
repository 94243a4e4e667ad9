"""Real agents in the gateway's own registry: they find one another, and the gateway's personas and routes."""

import asyncio
from pathlib import Path

import pytest

from harness.gateways import Serving, in_order, persona, route, snapshot
from harness.gateways import provider as upstream
from harness.mesh.running import NOW, SEED, START_SECONDS, Agent, Mesh, consumer, provider
from understudy.mock import Mock
from understudy_api.config import Prompt, Snapshot

TURN = "Speak like a pirate."
QUESTION = "How are you?"


def house(mock: Mock) -> Snapshot:
    """A route and a persona over one vendor."""
    targets = [route("chat", *in_order("openai")), persona("pirate", *in_order("openai"), prompt=Prompt(system=TURN))]
    return snapshot([upstream("openai", mock.url, models=("m",))], targets)


async def until_said(asker: Agent, expected: str) -> None:
    """Ask until the answer is as `expected`: agents hear of others every few seconds."""
    async with asyncio.timeout(START_SECONDS):
        while expected not in await asker.answered(QUESTION):  # noqa: ASYNC110 - agents tell nobody what they hear
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("asking", [pytest.param(NOW, id="now"), pytest.param(SEED, id="seed")])
async def test_agents_find_one_another(tmp_path: Path, asking: str) -> None:
    """A consumer is answered by the agent that the gateway's registry resolved for it."""
    async with Mock(name="vendor") as vendor, Serving(snapshot([], [])) as serving:
        mesh = Mesh(serving.port, tmp_path)
        async with (
            provider(mesh, "claude-agent", upstream=vendor.url, tags=("claude",)) as model,
            consumer(mesh, "asker", tags=("claude",), typed=asking == SEED, sdk=asking) as asker,
        ):
            await model.registered()
            await asker.registered()
            await asker.answered(QUESTION)
            (asked,) = vendor.requests[-1:]
    assert QUESTION in asked.body.decode()


@pytest.mark.parametrize(
    ("asking", "typed"),
    [pytest.param(NOW, False, id="now"), pytest.param(NOW, True, id="an object"), pytest.param(SEED, True, id="seed")],
)
async def test_agents_find_the_gateway(tmp_path: Path, asking: str, typed: bool) -> None:
    """By the tags of a persona, which then answers in its role."""
    async with Mock(name="vendor") as vendor, Serving(house(vendor)) as serving:
        mesh = Mesh(serving.port, tmp_path)
        async with consumer(mesh, "asker", tags=("pirate",), typed=typed, sdk=asking) as asker:
            await asker.registered()
            said = await asker.answered(QUESTION)
            (asked,) = vendor.requests[-1:]
    # Who wants an object gets one that the vendor makes up; the first agents' library takes nothing else.
    assert '{"said":"said"}' == said if typed else "This is vendor" in said
    assert TURN in asked.body.decode()
    assert QUESTION in asked.body.decode()


async def test_an_agent_dies_and_another_comes_back(tmp_path: Path) -> None:
    """The gateway steps in for an agent that is gone, until it is back."""
    async with Mock(name="vendor") as vendor, Mock(name="agents") as agents, Serving(house(vendor)) as serving:
        mesh = Mesh(serving.port, tmp_path)
        async with consumer(mesh, "asker") as asker:
            async with provider(mesh, "claude-agent", upstream=agents.url) as model:
                await model.registered()
                await until_said(asker, "This is agents")
                model.process.kill()
                await mesh.until(model.name, "unhealthy")
                await until_said(asker, "This is vendor")
            async with provider(mesh, "claude-agent", upstream=agents.url) as model:
                await model.registered()
                await until_said(asker, "This is agents")
