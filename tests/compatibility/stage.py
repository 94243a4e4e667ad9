"""What stands behind the clients: a gateway from files, and mocks that fail by the name of the model."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from compatibility.providers import Provider
from harness.commands import Command, running, serving


class Situation(StrEnum):
    """What happens to a request: the end of a model's name."""

    STEADY = "steady"
    FIRST_DOWN = "first-down"
    ALL_DOWN = "all-down"
    REJECTED = "rejected"
    LIMITED = "limited"
    BROKEN = "broken"
    CUT = "cut"


MID_STREAM = frozenset({Situation.BROKEN, Situation.CUT})
"""Situations that begin well."""

FIRST, UNDERSTUDY = "ada", "bob"
"""The names of the mocks, which their answers tell."""

_PIECES = 3
_FAULTS = {
    FIRST: (
        f"503;model=*{Situation.FIRST_DOWN}",
        f"503;model=*{Situation.ALL_DOWN}",
        f"400;model=*{Situation.REJECTED}",
        f"429;retry-after-ms=20;model=*{Situation.LIMITED}",
    ),
    UNDERSTUDY: (
        f"503;model=*{Situation.ALL_DOWN}",
        f"429;retry-after-ms=20;model=*{Situation.LIMITED}",
    ),
}
_MID_STREAM = (f"error-after:{_PIECES};model=*{Situation.BROKEN}", f"end-after:{_PIECES};model=*{Situation.CUT}")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the servers are.

    Attributes:
        gateway: The gateway's address.
        mock: The address of the mock that is asked first.
        slow_mock: The same for the situations in which a stream breaks off: what it says goes out before it fails.
    """

    gateway: str
    mock: str
    slow_mock: str

    def mock_for(self, situation: Situation) -> str:
        """The address of the mock that is asked first in a situation."""
        return self.slow_mock if situation in MID_STREAM else self.mock


def route(provider: Provider, situation: Situation) -> str:
    """The name of the route that a client asks for."""
    return f"{provider.type.lower()}-{situation}"


@asynccontextmanager
async def staged(folder: Path, providers: Sequence[Provider], *, fixed_models: Sequence[str]) -> AsyncIterator[Stage]:
    """A gateway with a route for each provider in each situation, until the end of the block.

    Args:
        folder: For the files.
        providers: The types of provider.
        fixed_models: Names that have to lead to every route; each does in the namespace named as the route.
    """
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(_mock(folder, FIRST, *_faults(_FAULTS[FIRST])))
        pace = ("--token-interval=10ms", *_faults(_MID_STREAM))
        slow = await stack.enter_async_context(_mock(folder, FIRST, *pace))
        understudy = await stack.enter_async_context(_mock(folder, UNDERSTUDY, *_faults(_FAULTS[UNDERSTUDY])))
        objects = folder / "objects"
        objects.mkdir()
        stage = Stage(gateway="", mock=first, slow_mock=slow)
        (objects / "gateway.yaml").write_text("---\n".join(_objects(providers, stage, understudy, fixed_models)))
        gateway = await stack.enter_async_context(serving(folder, "-f", str(objects)))
        yield replace(stage, gateway=f"http://127.0.0.1:{gateway.port}")


def gateway_objects(providers: Sequence[Provider], mock: str) -> str:
    """The same objects with one mock in every place, as YAML."""
    return "---\n".join(_objects(providers, Stage(gateway="", mock=mock, slow_mock=mock), mock, ()))


def _faults(scripts: Sequence[str]) -> list[str]:
    return [f"--faults={script}" for script in scripts]


@asynccontextmanager
async def _mock(folder: Path, name: str, *options: str) -> AsyncIterator[str]:
    """A mock of every dialect; its address."""
    async with running(Command(folder, "mock", "--port=0", f"--name={name}", *options)) as command:
        await command.says("listens on")
        found = re.search(r"listens on (http://[^,\s]+)", command.printed)
        assert found is not None, command.printed
        yield found[1].rstrip("/")


def _objects(
    providers: Sequence[Provider], stage: Stage, understudy: str, fixed_models: Sequence[str]
) -> Iterator[str]:
    yield _KEYS
    for provider in providers:
        for situation in Situation:
            name = route(provider, situation)
            for mock, url in ((FIRST, stage.mock_for(situation)), (UNDERSTUDY, understudy)):
                yield _PROVIDER.format(name=f"{name}-{mock}", url=url, provider=provider, situation=situation)
            backends = {"name": name, "first": f"{name}-{FIRST}", "second": f"{name}-{UNDERSTUDY}"}
            yield _ROUTE.format(**backends, namespace="default", models=f"[{{name: {name}}}]")
            if fixed_models:
                models = ", ".join(f"{{name: {model}}}" for model in fixed_models)
                yield _ROUTE.format(**backends, namespace=name, models=f"[{models}]")


SECRET_KEY = "secret"
"""AWS's half of a key that nobody may know, here and in `clients/bedrock_sdk.py`."""
_KEYS = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: keys, namespace: default}}
stringData: {{key: sk-any, AWS_ACCESS_KEY_ID: AKIAEXAMPLE, AWS_SECRET_ACCESS_KEY: {SECRET_KEY}}}
"""
# Nobody is ejected: each request is to meet the failure anew.
_PROVIDER = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: {name}, namespace: default}}
spec:
  type: {provider.type}
  baseURL: {url}{provider.path}
  auth: {provider.auth}
  models:
    - name: m
      upstreamName: "{provider.model}{situation}"
      capabilities: {provider.capabilities}
      contextWindow: 100000
  health: {{consecutiveFailures: 1000}}
  allowedNamespaces: {{from: All}}
"""
_ROUTE = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  models: {models}
  rules:
    - backends:
        - {{providerRef: {{name: {first}, namespace: default}}, model: m}}
        - {{providerRef: {{name: {second}, namespace: default}}, model: m, priority: 1}}
  retry: {{backoff: {{base: 1ms, max: 5ms}}}}
"""
