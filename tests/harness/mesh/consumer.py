"""A real mcp-mesh agent that asks for a model of the mesh, to be run by an SDK's own Python.

Its tool `ask` gives a question to whichever provider the registry resolved, with its tool `get_weather` beside it, and
returns what was answered. Settings are variables: `AGENT_NAME`, `AGENT_PORT`, `AGENT_TAGS` (comma separated),
`AGENT_CAPABILITY`, `AGENT_TOOLS` (the model may call `get_weather`), `AGENT_TYPED` (the answer is an object, which the
first SDKs demand), `AGENT_STREAMS` (a tool `tell` gives the answer as it comes), beside the SDK's own
(`MCP_MESH_REGISTRY_URL`).
"""
# mypy: disable-error-code="untyped-decorator"

import os
from typing import TYPE_CHECKING, Any

import mesh  # type: ignore[import-not-found]
from fastmcp import FastMCP  # type: ignore[import-not-found]
from pydantic import BaseModel

app: Any = FastMCP(os.environ["AGENT_NAME"])
tags = [tag for tag in os.environ["AGENT_TAGS"].split(",") if tag]


class Said(BaseModel):
    """An answer with a type."""

    said: str


if TYPE_CHECKING:
    Answer = Any
else:
    Answer = Said if os.environ.get("AGENT_TYPED") else str


@app.tool()
@mesh.tool(capability="weather", tags=["forecast"], description="The weather of a city")
def get_weather(city: str) -> str:
    """Say how the weather is."""
    return f"sunny in {city}"


@app.tool()
@mesh.llm(
    filter={"capability": "weather"} if os.environ.get("AGENT_TOOLS") else None,
    provider={"capability": os.environ["AGENT_CAPABILITY"], "tags": tags},
    max_iterations=3,
    system_prompt="You are asked by an agent of the mesh.",
)
@mesh.tool(capability="ask", description="Answers a question")
async def ask(question: str, llm: mesh.MeshLlmAgent = None) -> Answer:
    """Give the question to the model that the mesh has found."""
    if llm is None:
        raise LookupError("no model was found")
    return await llm(question)


if os.environ.get("AGENT_STREAMS"):

    @app.tool()
    @mesh.llm(provider={"capability": os.environ["AGENT_CAPABILITY"], "tags": tags})
    @mesh.tool(capability="tell", description="Answers a question word by word")
    async def tell(question: str, llm: mesh.MeshLlmAgent = None) -> mesh.Stream[str]:
        """Pass on what the model says as it says it."""
        if llm is None:
            raise LookupError("no model was found")
        async for piece in llm.stream(question):
            yield piece


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
