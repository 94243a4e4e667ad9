"""What stands behind the clients: a gateway from files, and mocks that fail by the name of the model."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web

from compatibility.objects import FIRST, MID_STREAM, UNDERSTUDY, Situation, gateway_objects
from compatibility.providers import Provider
from harness.commands import Command, running, serving
from harness.token_server import TokenServer
from harness.tools import ToolServer

_PIECES = 3
_PACE = "--token-interval=40ms"
"""What a gateway reads together with the error behind it never goes out, and the next one answers in its place."""
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
_MID_STREAM = (
    f"error-after:{_PIECES};model=*{Situation.BROKEN}",
    f"end-after:{_PIECES};model=*{Situation.CUT}",
    f"end-after:{_PIECES};model=*{Situation.RESUMED}",
)


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
        slow = await stack.enter_async_context(_mock(folder, FIRST, _PACE, *_faults(_MID_STREAM)))
        understudy = await stack.enter_async_context(_mock(folder, UNDERSTUDY, *_faults(_FAULTS[UNDERSTUDY])))
        objects = folder / "objects"
        objects.mkdir()
        stage = Stage(gateway="", mock=first, slow_mock=slow)
        google = await stack.enter_async_context(TokenServer(_token))
        tools = await stack.enter_async_context(ToolServer())
        texts = gateway_objects(
            providers,
            first=stage.mock_for,
            understudy=understudy,
            tool=tools.url(),
            google=google.url,
            fixed_models=fixed_models,
        )
        (objects / "gateway.yaml").write_text("---\n".join(texts))
        gateway = await stack.enter_async_context(serving(folder, "-f", str(objects)))
        yield replace(stage, gateway=f"http://127.0.0.1:{gateway.port}")


def _token(_: object) -> web.Response:
    """What Google gives for the signature of a service account."""
    return web.json_response({"access_token": "ya29.any", "expires_in": 3600, "token_type": "Bearer"})


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
