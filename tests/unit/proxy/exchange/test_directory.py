"""Agents of a mesh, as their registry lists them from time to time."""

import asyncio
from collections.abc import AsyncIterator, Collection

import orjson
import pytest
from yarl import URL

from harness.gateways import backend, route, snapshot
from harness.mesh.providing import mesh_provider
from harness.raw_http import eventually
from understudy_api.config import Provider
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Upstream
from understudy_proxy.exchange.directory import Directory
from understudy_proxy.exchange.transport import Sending
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure
from understudy_proxy.routing.places import Absent, Endpoint

KEY = "default/agents"
AWAY = UpstreamError(UpstreamFailure(FailureKind.CONNECT_REFUSED, "nobody there"))


def listing(*agents: str, function: str = "ask", port: int = 9000) -> bytes:
    """Agents that offer what is wanted, each on a port of its own."""
    told = {"name": "llm", "function_name": function, "version": "1.0.0", "tags": ["claude"]}
    listed = [
        {"id": name, "status": "healthy", "endpoint": f"http://10.0.0.1:{port + at}", "capabilities": [told]}
        for at, name in enumerate(agents)
    ]
    return orjson.dumps({"agents": listed})


class _Answer:
    status = 200
    headers: dict[str, str] = {}

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, *, limit: int, within: float) -> bytes:
        del within
        return self._body[:limit]

    async def chunk(self, *, within: float) -> bytes:
        del within
        return b""

    def close(self) -> None:
        """Nothing to close."""

    def let_go(self) -> None:
        """Nothing to let go."""


class _Registry:
    """A transport that leads to a registry alone."""

    def __init__(self) -> None:
        self.says: bytes | UpstreamError = listing("a", "b")
        self.asked: list[Sending] = []

    async def send(self, sending: Sending, *, within: float) -> _Answer:
        del within
        self.asked.append(sending)
        if isinstance(self.says, UpstreamError):
            raise self.says
        return _Answer(self.says)

    def abandon(self, address: str) -> None:
        """Nothing is kept."""

    def forget(self) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def registry() -> _Registry:
    """A registry with two agents."""
    return _Registry()


@pytest.fixture
async def directory(registry: _Registry) -> AsyncIterator[Directory]:
    """A directory that asks it."""
    made = Directory(registry, every_seconds=60)
    yield made
    await made.close()


def upstream(source: Provider) -> Upstream:
    """A provider, ready to be called."""
    return build(snapshot([source], [route("chat", backend("agents", model="default"))]), now=0.0).upstreams[KEY]


def ids(known: tuple[Endpoint, ...] | Absent) -> list[str]:
    """The agents of endpoints."""
    assert not isinstance(known, Absent), known.detail
    return [endpoint.key.partition("@")[2] for endpoint in known]


async def until_asked(directory: Directory, registry: _Registry, times: int) -> None:
    """Wait until the registry was asked so often, and its last answer was read."""

    def asked() -> bool:
        directory.look_again(KEY)
        return len(registry.asked) >= times

    await eventually(asked)
    await asyncio.sleep(0)


async def test_agents_are_endpoints(directory: Directory) -> None:
    """Each has its id as a key, its address, and an upstream of its own."""
    directory.use([upstream(mesh_provider("http://registry:8000/mesh"))])
    await directory.first(KEY)
    first, second = directory.endpoints(KEY)  # type: ignore[misc]
    assert (f"{KEY}@a", f"{KEY}@b") == (first.key, second.key)
    assert "10.0.0.1:9001" == second.address
    assert second.agent is not None
    assert "http://10.0.0.1:9001" == str(second.agent.upstream.base_url)
    assert {first, second} == set(directory.all())


async def test_they_come_and_go(directory: Directory, registry: _Registry) -> None:
    """Whoever leaves is told of, so that nothing of it is kept; whoever stays is the same as before."""
    gone: list[str] = []

    def left(endpoints: Collection[Endpoint]) -> None:
        gone.extend(endpoint.key for endpoint in endpoints)

    directory.left = left
    directory.use([upstream(mesh_provider("http://registry"))])
    await directory.first(KEY)
    before = directory.endpoints(KEY)
    registry.says = listing("a", "c")
    await until_asked(directory, registry, 2)
    await eventually(lambda: ids(directory.endpoints(KEY)) == ["a", "c"])
    assert directory.endpoints(KEY)[0] is before[0]  # type: ignore[index]
    assert [f"{KEY}@b"] == gone


async def test_an_agent_with_other_functions(directory: Directory, registry: _Registry) -> None:
    """A function that was renamed is called by its new name from then on."""
    directory.use([upstream(mesh_provider("http://registry"))])
    await directory.first(KEY)
    registry.says = listing("a", function="answer")
    await until_asked(directory, registry, 2)
    await eventually(lambda: ids(directory.endpoints(KEY)) == ["a"])
    agent = directory.endpoints(KEY)[0].agent  # type: ignore[index]
    assert agent is not None
    assert "answer" == agent.whole


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(AWAY, id="away"),
        pytest.param(b"<html>", id="something else"),
        pytest.param(b'{"error": "no"}', id="an error"),
    ],
)
async def test_what_is_known_is_kept(directory: Directory, registry: _Registry, says: bytes | UpstreamError) -> None:
    """A registry that does not answer takes no agent away, whatever else changes meanwhile."""
    directory.use([upstream(mesh_provider("http://registry"))])
    await directory.first(KEY)
    registry.says = says
    await until_asked(directory, registry, 2)
    assert ["a", "b"] == ids(directory.endpoints(KEY))
    directory.use([upstream(mesh_provider("http://registry", headers={"x-team": "new"}))])
    known = directory.endpoints(KEY)
    assert ["a", "b"] == ids(known)
    assert "new" == known[0].agent.upstream.headers["x-team"]  # type: ignore[index,union-attr]


async def test_another_registry_is_another_mesh(directory: Directory, registry: _Registry) -> None:
    """Agents of the one before are not asked any more."""
    directory.use([upstream(mesh_provider("http://registry"))])
    await directory.first(KEY)
    registry.says = AWAY
    directory.use([upstream(mesh_provider("http://other"))])
    absent = directory.endpoints(KEY)
    assert isinstance(absent, Absent)
    assert "the registry of its mesh cannot be asked for llm" == absent.detail
    assert {KEY} == directory.unread()


async def test_a_provider_that_is_gone(directory: Directory) -> None:
    """Nothing is followed that no configuration has."""
    directory.use([upstream(mesh_provider("http://registry"))])
    await directory.first(KEY)
    directory.use([])
    assert isinstance(directory.endpoints(KEY), Absent)
    assert [] == list(directory.all())


async def test_the_gateways_own_registry(registry: _Registry) -> None:
    """It is asked once it answers, and always as the same upstream: what is made for one is kept."""
    where: list[URL] = []

    def own() -> URL | None:
        return where[0] if where else None

    directory = Directory(registry, own=own, every_seconds=60)
    directory.use([upstream(mesh_provider(None))])
    await asyncio.sleep(0)
    assert [] == registry.asked
    where.append(URL("http://localhost:8080"))
    await directory.first(KEY)
    assert ["a", "b"] == ids(directory.endpoints(KEY))
    await until_asked(directory, registry, 3)
    assert {"http://localhost:8080"} == {str(sending.upstream.base_url) for sending in registry.asked}
    assert 1 == len({id(sending.upstream) for sending in registry.asked})
    await directory.close()
