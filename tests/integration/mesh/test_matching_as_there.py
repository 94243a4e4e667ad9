"""Versions and tags are matched as the real registry matches them: both are asked the same, and answer the same."""

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.mesh.running import Mesh, registry
from harness.raw_http import exchange
from understudy_proxy.mesh.agents import Offer, Registration, Tool, Wanted
from understudy_proxy.mesh.matching import best_dependency, best_provider
from understudy_proxy.mesh.versions import satisfies

VERSIONS = """1.0.0|1.2.0|1.2.3|1.2.9|1.3.0|1.9.9|2.0.0|0.9.9|0.2.3|0.2.9|0.3.0|0.0.3|0.0.4|0.1.0|1.0.0-beta|1.0.0-rc.1
1.2.3+build|v1.2.3|3.1.0|latest|1|2.1""".replace("\n", "|").split("|")
CONSTRAINTS = """*|x|1.2.3|=1.2.3|==1.2.3|v1.2.3|1.2|1.x|=1.x|1.2.x|1.2.*|!=1.2.3|!=1.2|>=1.0|=>1.0|>=v1.2|>1.2|>1|>1.x
>1.2.3|> 1.2.3|<2|<1.2|<1.x|<=1.2|<=1.2.3|<=1|=<1.2|~1.2.3|~1.2|~ 1.2|~1|~1.x|~>1.2|~0|~0.2|^1.2|^ 1.2|^v1.2|^1|^1.x
^1.2.*|^0.2.3|^0.0.3|^0.0|^0|>=1.0, <2|>=1.0 <2|>=1.0,<2|>= 1.0 , < 2|1.2 - 1.4|1.2.3 - 2|1.2.3, 1.2.3|>=1.0.0-beta
^1.0.0-beta|~1.0.0-beta|1.2.3-4|latest|>=1,""".replace("\n", "|").split("|")
EITHER = ("^1.2 || ^3", "^1.2||^3", ">=1.2 <1.3 || 2.x", "^1 ||")
TAGS = "abcd"
TRIES = 200


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Mesh]:
    """The registry whose ways these are."""
    async with registry(tmp_path, silence_seconds=600) as mesh:
        yield mesh


async def tell(mesh: Mesh, agent_id: str, *tools: dict[str, Any]) -> dict[str, Any]:
    """Send a heartbeat; the answer."""
    told = {"agent_id": agent_id, "name": agent_id, "http_host": "h", "http_port": 1, "tools": tools}
    answer = await exchange(mesh.port, "POST", "/heartbeat", json.dumps(told).encode())
    fields: dict[str, Any] = answer.json()
    return fields


async def test_versions(real: Mesh) -> None:
    """Every constraint holds for the same versions."""
    offered = [
        {"function_name": "f", "capability": f"of-{version}", "version": version, "inputSchema": {}}
        for version in VERSIONS
    ]
    await tell(real, "offering", *offered)
    for constraint in (*CONSTRAINTS, *EITHER):
        wanted = [
            {
                "function_name": version,
                "capability": "c",
                "llm_provider": {"capability": f"of-{version}", "version": constraint},
            }
            for version in VERSIONS
        ]
        found = (await tell(real, "asking", *wanted)).get("llm_providers", {})
        held = {version for version in VERSIONS if satisfies(version, constraint)}
        assert set(found) == held, constraint


async def test_tags(real: Mesh) -> None:
    """The same agent is found, whatever is wanted."""
    draw = random.Random(7)  # noqa: S311 - cases, not secrets
    agents = [await offering(real, f"{draw.choice('qwerty')}{number}", draw) for number in range(12)]
    for _ in range(TRIES):
        tags = [[a_tag(draw) for _ in range(draw.randint(0, 3))] for _ in range(draw.randint(0, 3))]
        plain = [group[0] if group and draw.random() < 0.7 else group for group in tags]
        wanted = Wanted("tagged", tuple(tag if isinstance(tag, str) else tuple(tag) for tag in plain))
        looked_for = {"capability": "tagged", "tags": plain}
        asked: dict[str, Any] = {"function_name": "g", "capability": "c", "dependencies": [looked_for]}
        (found,) = (await tell(real, "asking", asked))["dependencies_resolved"]["g"]
        assert found["agent_id"] == agent_of(best_dependency(agents, wanted)), plain
        if all(isinstance(tag, str) for tag in plain):
            asked = {"function_name": "g", "capability": "c", "llm_provider": looked_for}
            providers = (await tell(real, "asking", asked)).get("llm_providers", {})
            assert providers.get("g", {}).get("agent_id", "") == agent_of(best_provider(agents, wanted)), plain


async def offering(mesh: Mesh, agent_id: str, draw: random.Random) -> Registration:
    """An agent with some tags and some version, registered."""
    tags = tuple(draw.sample(TAGS, draw.randint(0, len(TAGS))))
    version = draw.choice(("1.0.0", "2.0.0", "1.10.0", "bad", "0.1.0-beta"))
    tool = {"function_name": "f", "capability": "tagged", "version": version, "tags": tags, "inputSchema": {}}
    await tell(mesh, agent_id, tool)
    return Registration(agent_id, agent_id, tools=(Tool("f", "tagged", version=version, tags=tags, schema=b"{}"),))


def a_tag(draw: random.Random) -> str:
    """Something that may be asked of tags."""
    return draw.choice(("", "+", "-")) + draw.choice(TAGS)


def agent_of(offer: Offer | None) -> str:
    """Whose it is; empty if nobody's."""
    return offer.agent.id if offer else ""
