"""A real mcp-mesh agent that offers a model, to be run by an SDK's own Python.

Settings are variables: `AGENT_NAME`, `AGENT_PORT`, `AGENT_MODEL` (vendor/model), `AGENT_TAGS` (comma separated),
`AGENT_VERSION`, `AGENT_CAPABILITY`, beside the SDK's own (`MCP_MESH_REGISTRY_URL`) and the vendor's base URL.
"""
# mypy: disable-error-code="untyped-decorator"

import os

import mesh  # type: ignore[import-not-found]
from fastmcp import FastMCP  # type: ignore[import-not-found]

app = FastMCP(os.environ["AGENT_NAME"])


@mesh.llm_provider(
    model=os.environ["AGENT_MODEL"],
    capability=os.environ["AGENT_CAPABILITY"],
    tags=[tag for tag in os.environ["AGENT_TAGS"].split(",") if tag],
    version=os.environ["AGENT_VERSION"],
)
def offered() -> None:
    """The model; the SDK writes the function."""


@mesh.agent(
    name=os.environ["AGENT_NAME"],
    version="1.0.0",
    http_host="127.0.0.1",
    http_port=int(os.environ["AGENT_PORT"]),
    enable_http=True,
    auto_run=True,
)
class Agent:
    """What registers itself and serves."""
