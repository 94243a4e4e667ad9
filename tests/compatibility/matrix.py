"""Every client against every provider in every scenario, all clients at once; what came of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compatibility.clients.driver import Task
from compatibility.expectations import Differs, Report
from compatibility.objects import Situation, model, route
from compatibility.providers import FLAVORS, PROVIDER_OF, PROVIDERS, Provider
from compatibility.roster import BEDROCK, CLIENTS, FLAVOR_CLIENT, Client
from compatibility.scenarios import CALLS, OF_THE_MOCK, SCENARIOS, Asker, Scenario
from compatibility.stage import Stage, staged
from harness.drivers import Driver, DriverFailed, driver
from harness.sdks import sdk_python

MOCK = "mock"
"""In place of a provider: the mock itself, in the client's own dialect."""

Cell = tuple[str, str, str]
"""Client, type of provider (or `MOCK`), scenario."""


def cells() -> Iterator[Cell]:
    """All of them, in the order of the tables."""
    for client in (*CLIENTS, BEDROCK):
        for place in _places(client):
            for scenario in _scenarios(client, place):
                yield client.key, place, scenario


@dataclass(frozen=True, slots=True)
class ThroughGateway:
    """Asks the route of one provider, as an app does that knows nothing of it."""

    client: Client
    provider: Provider
    driver: Driver
    stage: Stage

    def model(self, situation: Situation) -> str:
        """The route, unless the client can ask for one name only."""
        return self.client.fixed_model or model(self.provider, situation)

    async def __call__(self, situation: Situation, text: str, *, hands_over: bool = False, **task: Any) -> Report:
        """Have one conversation."""
        base_url, model = self.stage.gateway, self.model(situation)
        if self.client.fixed_model:
            base_url = f"{base_url}/ns/{route(self.provider, situation)}"
        if hands_over:
            task["then"] = route(self._another(), situation)
        return await _report(self.driver, Task(base_url=base_url, model=model, text=text, **task))

    def _another(self) -> Provider:
        """The next one in the table."""
        at = PROVIDERS.index(self.provider) if self.provider in PROVIDERS else -1
        return PROVIDERS[(at + 1) % len(PROVIDERS)]


@dataclass(frozen=True, slots=True)
class ToMock:
    """Asks the mock itself, in the client's own dialect."""

    client: Client
    driver: Driver
    stage: Stage

    def model(self, situation: Situation) -> str:
        """One of the client's own vendor."""
        return f"{PROVIDER_OF[self.client.own].model}{situation}"

    async def __call__(self, situation: Situation, text: str, **task: Any) -> Report:
        """Have one conversation."""
        base_url, model = self.stage.mock_for(situation), self.model(situation)
        return await _report(self.driver, Task(base_url=base_url, model=model, text=text, **task))


async def run_matrix(folder: Path) -> dict[Cell, str]:
    """Run it; each cell's complaint, which is empty where all is as it should be.

    Args:
        folder: For files and logs.

    Raises:
        Missing: An SDK is not to be had.
    """
    clients = (*CLIENTS, BEDROCK)
    pythons = {client.lock: await asyncio.to_thread(sdk_python, client.lock) for client in clients}
    fixed = sorted({client.fixed_model for client in clients if client.fixed_model})
    async with staged(folder, (*PROVIDERS, *FLAVORS), fixed_models=fixed) as stage, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_run_client(client, pythons[client.lock], folder=folder, stage=stage))
            for client in clients
        ]
    return {cell: complaint for task in tasks for cell, complaint in task.result().items()}


def _places(client: Client) -> list[str]:
    """Whom a client asks. The mock tells by the name of the model what it has to do."""
    if client is BEDROCK:
        return [MOCK]
    flavors = FLAVORS if client.key == FLAVOR_CLIENT else ()
    mock = () if client.fixed_model else (MOCK,)
    return [*(provider.type for provider in (*PROVIDERS, *flavors)), *mock]


def _scenarios(client: Client, place: str) -> dict[str, Scenario]:
    """What a client is put through: what both sides have; the mock has no list of all models."""
    provider = PROVIDER_OF[client.own if place == MOCK else place]
    left_out = client.lacks | provider.lacks | ({"models"} if place == MOCK else set())
    calls = {name: call for name, call in CALLS.items() if name in client.calls and provider not in FLAVORS}
    scenarios = {**(OF_THE_MOCK if place == MOCK else SCENARIOS), **calls}
    return {name: scenario for name, scenario in scenarios.items() if name not in left_out}


async def _run_client(client: Client, python: Path, *, folder: Path, stage: Stage) -> dict[Cell, str]:
    module = f"compatibility.clients.{client.module}"
    complaints: dict[Cell, str] = {}
    async with driver(python, module, folder=folder, environment=client.environment) as running:
        for place in _places(client):
            asker: Asker = ToMock(client, running, stage)
            if place != MOCK:
                asker = ThroughGateway(client, PROVIDER_OF[place], running, stage)
            for name, scenario in _scenarios(client, place).items():
                complaints[client.key, place, name] = await _complaint(scenario, asker)
    return complaints


async def _complaint(scenario: Scenario, ask: Asker) -> str:
    """Run one scenario; what a user would complain of, or nothing."""
    try:
        await scenario(ask)
    except (Differs, DriverFailed) as differs:
        return str(differs) or type(differs).__name__
    return ""


async def _report(asked: Driver, task: Task) -> Report:
    return Report(**await asked.ask(asdict(task)))
