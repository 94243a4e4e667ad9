"""The protocol's own client, in both of its generations and in each way to connect, against a running proxy."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.drivers import Driver, driver
from harness.fixtures import skip_where_missing
from harness.gateways import backend, in_order, provider, route, snapshot
from harness.mcp_calls import LATEST_HANDSHAKE, MODERN
from harness.proxies import proxy_process
from harness.raw_http import eventually
from harness.sdks import sdk_python
from harness.tools import QUERY, ToolServer, tool, with_tools
from understudy.mock import Mock, Settings

WAYS = [
    pytest.param("first", None, LATEST_HANDSHAKE, id="1.x"),
    pytest.param("second", "auto", MODERN, id="2.x by itself"),
    pytest.param("second", "legacy", LATEST_HANDSHAKE, id="2.x with a handshake"),
    pytest.param("second", MODERN, MODERN, id="2.x without asking"),
]
_SDKS = {"first": "mcp-1", "second": "mcp-2"}
FUNCTIONS = ["complete_text", "complete_chat", "list_providers", "get_metrics", "process_chat", "process_chat_stream",
             "search"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """A proxy, the mock behind it, and the clients before it."""

    url: str
    mock: Mock
    drivers: Mapping[str, Driver]

    async def have(self, way: str, mode: str | None, *deeds: Mapping[str, Any]) -> dict[str, Any]:
        """What a client tells of a connection in which it does all deeds."""
        task = {"url": self.url, "deeds": deeds, **({} if mode is None else {"mode": mode})}
        return await self.drivers[way].ask(task)


def calling(name: str, arguments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A call of a tool."""
    return {"do": "call", "name": name, "arguments": dict(arguments), **more}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A proxy of its own process with a route and a tool; whoever is asked first fails."""
    folder: Path = tmp_path_factory.mktemp("mcp")
    with skip_where_missing():
        pythons = {way: sdk_python(name) for way, name in _SDKS.items()}
    async with AsyncExitStack() as stack:
        mock = await stack.enter_async_context(Mock(settings=Settings(token_interval=0.01)))
        tools = await stack.enter_async_context(ToolServer())
        both = [provider("ill", "http://127.0.0.1:9"), provider("well", mock.url)]
        routes = [route("default", *in_order("ill", "well")), route("broken", backend("ill"))]
        first = with_tools(snapshot(both, routes), [tool("search", tools.url(), parameters=QUERY, visible_to=None)])
        proxy = await stack.enter_async_context(proxy_process(folder, first, default_namespace="default"))
        drivers = {
            way: await stack.enter_async_context(
                driver(python, f"harness.mcp_sdks.{way}", folder=folder, environment={})
            )
            for way, python in pythons.items()
        }
        yield Stage(f"http://127.0.0.1:{proxy.port}/mcp", mock, drivers)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("way", "mode", "version"), WAYS)
async def test_what_an_app_does(stage: Stage, way: str, mode: str | None, version: str) -> None:
    """Connect, see what there is, ask a model, run a function, look at the numbers."""
    told = await stage.have(
        way,
        mode,
        {"do": "list"},
        calling("complete_text", {"prompt": "Hello"}),
        calling("complete_chat", {"messages": [{"role": "user", "content": "Hello"}]}, progress=True),
        calling("search", {"query": "moon"}),
        calling("list_providers", {"include_metrics": True}),
        calling("get_metrics", {}),
    )
    listed, text, chat, found, providers, metrics = told["done"]
    assert version == told["version"]
    assert FUNCTIONS == [each["name"] for each in listed["tools"]]
    assert [False] * 5 == [each["failed"] for each in told["done"][1:]]
    assert "Hello" in text["text"][0]
    assert ("well", text["text"][0]) == (text["structured"]["provider"], text["structured"]["content"])
    assert "default/well" == text["meta"]["understudy.dev/provider"]
    heard = [message for _, _, message in chat["progress"]]
    assert len(heard) > 3
    assert chat["text"][0] == "".join(heard)
    assert {"echo": {"query": "moon"}} == found["structured"]
    assert ["ill", "well"] == [each["name"] for each in providers["structured"]["providers"]]
    assert metrics["structured"]["provider_usage"]["well"] >= 2


@pytest.mark.parametrize(("way", "mode", "version"), WAYS)
async def test_what_an_app_hears_of_failures(stage: Stage, way: str, mode: str | None, version: str) -> None:
    """A tool that fails says why in its result; only what there is not is an error. The connection goes on."""
    told = await stage.have(
        way,
        mode,
        calling("complete_text", {}),
        calling("complete_text", {"prompt": "Hello", "model": "broken"}, progress=True),
        calling("search", {"query": 7}),
        calling("no_such_tool", {}),
        calling("complete_text", {"prompt": "Hello"}),
    )
    nothing, broken, wrong, missing, well = told["done"]
    assert version == told["version"]
    assert [True, True, True] == [each["failed"] for each in (nothing, broken, wrong)]
    assert "prompt" in nothing["text"][0]
    assert "default/ill" in broken["text"][0]
    assert "query" in wrong["text"][0]
    assert (-32602, True) == (missing["code"], "no_such_tool" in missing["message"])
    assert not well["failed"]


@pytest.mark.parametrize(("way", "mode", "version"), WAYS)
async def test_agents_frames(stage: Stage, way: str, mode: str | None, version: str) -> None:
    """A client hears the frames of the mesh as progress, and the answer after them."""
    request = {"request": {"messages": [{"role": "user", "content": "Hello"}]}}
    told = await stage.have(way, mode, calling("process_chat_stream", request, progress=True))
    (answer,) = told["done"]
    *chunks, end = [json.loads(message) for _, _, message in answer["progress"]]
    assert (version, {"_mesh_frame": "end"}) == (told["version"], end)
    assert answer["structured"]["content"] == "".join(each["content"] for each in chunks)
    assert answer["structured"] == json.loads(answer["text"][0])


@pytest.mark.parametrize(("way", "mode"), [("second", "auto"), ("second", MODERN)])
async def test_an_app_that_gives_up(stage: Stage, way: str, mode: str) -> None:
    """In the newer era whoever gives up closes the stream, and the model is asked no longer."""
    aborted = stage.mock.stats.aborted
    long = {"prompt": "Hello " * 1000}
    told = await stage.have(way, mode, calling("complete_text", long, progress=True, leave_after=3))
    (given_up,) = told["done"]
    assert given_up["left"]
    await eventually(lambda: stage.mock.stats.aborted == aborted + 1)
