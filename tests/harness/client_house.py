"""A gateway with one of everything that the Python client knows: a route, a role, a tool."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.commands import Serve, serving
from harness.gateway_files import provider, route, write
from harness.shop import open_shop
from understudy.mock import Mock

PERSONA = """\
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {name: guide}
spec:
  description: Shows visitors around
  aliases: [city_guide]
  system:
    text: You show {{ visitor }} around.
    variables: [{name: visitor, default: a visitor}]
  preferences: [{providerRef: {name: main}, model: m}]
"""

TOOL = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMTool
metadata: {{name: find-book}}
spec:
  description: Finds books by words of their title or author.
  parameters:
    type: object
    properties: {{words: {{type: string}}}}
    required: [words]
    additionalProperties: false
  handler: {{http: {{url: "{shop}/find-book"}}}}
"""


@dataclass(frozen=True, slots=True)
class House:
    """The gateway, and the only provider behind it."""

    serve: Serve
    mock: Mock


@asynccontextmanager
async def client_house(folder: Path) -> AsyncIterator[House]:
    """Run it until the block ends."""
    async with open_shop(folder) as shop, Mock(name="ada") as mock:
        objects = {"provider": provider("main", mock.url), "route": route("main"), "persona": PERSONA}
        written = write(folder / "gateway", tool=TOOL.format(shop=shop), **objects)
        async with serving(folder, "-f", str(written)) as serve:
            yield House(serve, mock)
