"""The gateway as an agent in somebody else's registry."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from harness.raw_http import eventually
from understudy_proxy.announcing import Announcer
from understudy_proxy.doors.door import Answer, Refused, Request, Route
from understudy_proxy.doors.mesh.errors import mesh_errors
from understudy_proxy.doors.mesh.registry import RegistryDoors
from understudy_proxy.doors.mesh.relaying import Relay, nobody
from understudy_proxy.doors.mesh.routes import mesh_routes
from understudy_proxy.listening import listen
from understudy_proxy.mesh.agents import Registration, Status, Tool
from understudy_proxy.mesh.house import House
from understudy_proxy.mesh.registry import Entry, Registry
from understudy_proxy.server import Server

MODEL = Tool(
    "process_chat", "llm", tags=("claude",), schema=b"{}", kwargs=b'{"vendor":"anthropic"}', vendor="anthropic"
)
AGENT = Registration("understudy-1", "understudy", host="gateway", port=80, tools=(MODEL,))


@dataclass
class Theirs:
    """A registry of somebody else's."""

    port: int = 0
    registry: Registry = field(default_factory=Registry)
    asked: list[str] = field(default_factory=list)

    @property
    def entry(self) -> Entry | None:
        """What it knows of the gateway."""
        return next(iter(self.registry.entries(now=time.monotonic())), None)

    def knows(self, agent: Registration) -> bool:
        """Whether it has the gateway as it is, healthy."""
        entry = self.entry
        return entry is not None and entry.status is Status.HEALTHY and replace(entry.told, size=0) == agent

    def noting(self, route: Route) -> Route:
        """The route, with what is asked there."""

        def noted(method: str) -> object:
            async def door(request: Request) -> Answer | None:
                self.asked.append(request.method)
                return await route.doors[method](request)

            return door

        return replace(route, doors={method: noted(method) for method in route.doors})  # type: ignore[misc]


@asynccontextmanager
async def theirs(port: int = 0, *routes: Route) -> AsyncIterator[Theirs]:
    """Serve one, with other `routes` in the place of its own if there are any."""
    told = Theirs()
    doors = RegistryDoors(
        told.registry,
        House(namespace=None, version="1"),
        relay=Relay(nobody, marked=False),
        own_id="theirs",
        address=None,
        clock=time.time,
        timer=time.monotonic,
    )
    served = routes or mesh_routes(doors)
    server = Server([told.noting(route) for route in served], errors=mesh_errors)
    await server.start(listen("127.0.0.1", port))
    told.port = server.port
    try:
        yield told
    finally:
        await server.close()


@dataclass
class Ours:
    """What the gateway is now."""

    agent: Registration = AGENT


@asynccontextmanager
async def announced(port: int, ours: Ours) -> AsyncIterator[Announcer]:
    """Announce it, every few milliseconds."""
    announcer = Announcer(f"http://127.0.0.1:{port}/", lambda: ours.agent, every_seconds=0.005)
    announcer.start()
    try:
        yield announcer
    finally:
        await announcer.stop()


async def test_it_comes_and_leaves() -> None:
    """Told once, with all that it offers; then it says that it is there, and in the end that it is not."""
    async with theirs() as there:
        async with announced(there.port, Ours()) as announcer:
            announcer.changed()
            await eventually(lambda: there.knows(AGENT))
            await eventually(lambda: there.asked.count("HEAD") > 3)
            assert 1 == there.asked.count("POST")
        assert "DELETE" == there.asked[-1]
        assert there.entry is not None
        assert Status.UNHEALTHY is there.entry.status


async def test_nothing_to_offer() -> None:
    """Before the first configuration there is nothing to tell."""
    async with theirs() as there:
        async with announced(there.port, Ours()):
            pass
        assert [] == there.asked


async def test_another_configuration() -> None:
    """Other agents hear of what it offers now: they would not, were it only told."""
    ours = Ours()
    async with theirs() as there, announced(there.port, ours) as announcer:
        announcer.changed()
        await eventually(lambda: there.knows(AGENT))
        other = Registration("other", "other")
        there.registry.register(other, house=None, now=time.monotonic())
        ours.agent = replace(AGENT, tools=(replace(MODEL, tags=("gpt",)),))
        announcer.changed()
        await eventually(lambda: there.knows(ours.agent))
        assert "CHANGED" == there.registry.beat("other", now=time.monotonic()).name


async def test_a_registry_that_forgets() -> None:
    """It is told all again."""
    async with theirs() as there, announced(there.port, Ours()) as announcer:
        announcer.changed()
        await eventually(lambda: there.knows(AGENT))
        there.registry.leave(AGENT.id, now=time.monotonic())
        await eventually(lambda: there.knows(AGENT))


async def test_a_registry_that_is_away() -> None:
    """Nobody waits for it, and it is told all when it is there."""
    async with theirs() as there:
        port = there.port
    async with announced(port, Ours()) as announcer:
        announcer.changed()
        async with theirs(port) as there:
            await eventually(lambda: there.knows(AGENT))
        async with theirs(port) as again:
            await eventually(lambda: again.knows(AGENT))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(body=b'{"status": "error", "message": "validation failed"}'), id="not taken"),
        pytest.param(Answer(500, b"{}"), id="broken"),
        pytest.param(Answer(body=b"<html>"), id="something else"),
        pytest.param(Answer(body=b"[]"), id="something else in JSON"),
    ],
)
async def test_a_registry_that_does_not_take_it(answer: Answer) -> None:
    """It is asked again and again, and not told that the gateway leaves: it never came."""

    async def heartbeat(_request: Request) -> Answer:
        return answer

    async with theirs(0, Route("/heartbeat", {"POST": heartbeat}, mesh_errors)) as there:
        async with announced(there.port, Ours()) as announcer:
            announcer.changed()
            await eventually(lambda: there.asked.count("POST") > 3)
        assert {"POST"} == set(there.asked)


async def test_a_registry_that_is_busy() -> None:
    """Whoever asks to be left alone is not told all again."""

    async def heartbeat(_request: Request) -> Answer:
        return Answer(body=b'{"status": "success"}')

    async def beat(_request: Request) -> Answer:
        raise Refused(503, "Busy.")

    routes = (
        Route("/heartbeat", {"POST": heartbeat}, mesh_errors),
        Route("/heartbeat", {"GET": beat}, mesh_errors, below=True),
    )
    async with theirs(0, *routes) as there, announced(there.port, Ours()) as announcer:
        announcer.changed()
        await eventually(lambda: there.asked.count("HEAD") > 3)
        assert 1 == there.asked.count("POST")


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("a..b", id="an empty label"),
        pytest.param("x" * 70, id="a long label"),
        pytest.param("[bad", id="half an address"),
        pytest.param("127.0.0.1:1", id="nobody there"),
    ],
)
async def test_an_address_that_leads_nowhere(host: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log says it once, and the gateway ends as ever."""
    announcer = Announcer(f"http://{host}", lambda: AGENT, every_seconds=0.001)
    announcer.changed()
    announcer.start()
    await eventually(lambda: bool(caplog.records))
    await announcer.stop()
    assert ["cannot be told" in record.message for record in caplog.records] == [True]
