"""The mesh that these tests stand on: without a gateway, its own parts work with one another."""

from pathlib import Path

from harness.mesh.running import consumer, provider, registry
from understudy.mock import Mock


async def test_agents_find_one_another(tmp_path: Path) -> None:
    """A consumer is answered by the provider that the real registry resolved for it."""
    async with (
        Mock(name="vendor") as vendor,
        registry(tmp_path) as mesh,
        provider(mesh, "claude-agent", upstream=vendor.url, tags=("claude",)) as model,
        consumer(mesh, "asker", tags=("claude",)) as asker,
    ):
        await model.registered()
        said = await asker.answered("How are you?")
        assert said.startswith("This is vendor")
        assert "How are you?" in said
