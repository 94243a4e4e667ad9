"""Functions that are agents, and functions that ask agents, in a mesh of the published registry and SDKs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gateways import Serving, in_order, route, snapshot
from harness.gateways import provider as upstream
from harness.mesh.running import NOW, SEED, consumer, provider, registry
from understudy import AgentRequest, AsyncLLM, ProviderNotFound, llm, llm_provider
from understudy.mock import Mock

SILENCE_SECONDS = 20
"""As registries have it: agents of the client say something every five seconds."""
both = pytest.mark.parametrize("sdk", [pytest.param(NOW, id="now"), pytest.param(SEED, id="seed")])


@llm_provider(tags=["house"])
def echo(request: AgentRequest) -> Iterator[str]:
    """Says what it is told, as JSON."""
    yield '{"said": "You said '
    yield f'{request.text}"}}'


@both
async def test_an_agent_asks_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sdk: str) -> None:
    """Which the registry resolved for it; and the registry knows when the function is gone."""
    async with registry(tmp_path, silence_seconds=SILENCE_SECONDS) as mesh:
        monkeypatch.setenv("MCP_MESH_REGISTRY_URL", mesh.url)
        async with (
            echo as agent,
            consumer(mesh, "asker", tags=("house",), typed=sdk == SEED, sdk=sdk) as asker,
        ):
            await asker.registered()
            assert await mesh.status("echo") == "healthy"
            assert "You said How are you?" in await asker.answered("How are you?")
        assert not agent.is_registered
        assert await mesh.status("echo") == "unhealthy"


@llm({"capability": "llm", "tags": ["claude"]})
async def ask(text: str, llm: AsyncLLM) -> list[Any]:
    """The answer, whole and as it comes."""
    whole = await llm(text)
    async with await llm(text, stream=True) as stream:
        pieces = [chunk.text async for chunk in stream]
        return [whole, [piece for piece in pieces if piece], await stream.result()]


@both
async def test_a_function_asks_an_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sdk: str) -> None:
    """As soon as the registry lists one; the first agents do not stream, and are heard all the same."""
    async with Mock(name="vendor") as vendor, registry(tmp_path) as mesh:
        monkeypatch.setenv("MCP_MESH_REGISTRY_URL", mesh.url)
        with pytest.raises(ProviderNotFound, match="offers llm with claude; none does"):
            await ask("Hi")
        async with provider(mesh, "claude-agent", upstream=vendor.url, tags=("claude",), sdk=sdk) as agent:
            await agent.registered()
            whole, pieces, streamed = await ask("Hi")
    assert whole.text == streamed.text == 'This is vendor, answering as claude-sonnet-4-5. You said: "Hi"'
    assert "".join(pieces) == whole.text
    assert (len(pieces) > 1) is (sdk == NOW)
    assert whole.provider.startswith("claude-agent")
    assert (whole.usage is not None) is (sdk == NOW)


async def test_an_agent_with_functions_asks_a_model_of_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model calls the agent's functions, which the agent runs, and is told what they returned."""

    @llm_provider(tags=["house"], model="chat")
    def model() -> None:
        """A route."""

    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path, silence_seconds=SILENCE_SECONDS) as mesh,
        Serving(snapshot([upstream("main", vendor.url)], [route("chat", *in_order("main"))])) as gateway,
    ):
        monkeypatch.setenv("MCP_MESH_REGISTRY_URL", mesh.url)
        monkeypatch.setenv("LLM_GATEWAY_URL", gateway.base_url)
        async with model, consumer(mesh, "asker", tags=("house",), tools=True) as asker:
            await asker.registered()
            said = await asker.answered("[call: get_weather] Do I need an umbrella?")
    assert "sunny in" in said
    assert [each["role"] for each in vendor.requests[-1].json()["messages"]][-2:] == ["assistant", "tool"]
