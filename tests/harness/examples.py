"""The programs under `examples/`: each runs as it stands, and finds a gateway that runs its folder, over mocks."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from harness.commands import Serve, serving
from harness.gateway_files import write
from harness.pages import REPOSITORY
from harness.raw_http import PATIENCE_SECONDS
from understudy.mock import Mock

EXAMPLES = REPOSITORY / "examples"
PORTS = (8081, 8082)
"""Where the examples expect `understudy mock`."""


async def printed(program: Sequence[str], *, port: int) -> str:
    """What a program prints, on either stream, whose gateway is at `port`; it must end well."""
    environment = {**os.environ, "LLM_GATEWAY_URL": f"http://127.0.0.1:{port}/v1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE_SECONDS * 2):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@asynccontextmanager
async def example_gateway(
    name: str, *mocks: Mock, folder: Path, moved: Mapping[str, str] | None = None
) -> AsyncIterator[Serve]:
    """A gateway that runs an example's `gateway.yaml`, with these mocks for those on fixed ports.

    Of other servers, `moved` says where they are instead.
    """
    text = (EXAMPLES / name / "gateway.yaml").read_text()
    mocked = {f"http://localhost:{port}": mock.url for port, mock in zip(PORTS, mocks, strict=False)}
    for usual, actual in {**mocked, **(moved or {})}.items():
        text = text.replace(usual, actual)
    assert "localhost" not in re.sub("#.*", "", text), "every provider of an example has a mock in its place"
    async with serving(folder, "-f", str(write(folder / "gateway", gateway=text))) as serve:
        yield serve


async def printed_by(name: str, program: str, *arguments: str, port: int) -> str:
    """What a program of an example prints."""
    return await printed([str(EXAMPLES / name / program), *arguments], port=port)
