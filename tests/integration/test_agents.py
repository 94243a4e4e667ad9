"""Functions that are agents, and functions that are handed models, with the gateway as the registry of both."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.process import Process
from harness.raw_http import eventually
from understudy import (
    LLM,
    Agent,
    AgentRequest,
    AsyncLLM,
    Clock,
    ConfigurationError,
    InvalidAnswer,
    ProviderError,
    ProviderNotFound,
    Unavailable,
    llm,
    llm_provider,
)
from understudy.agents._addresses import Addresses
from understudy.agents._directory import Directory
from understudy.agents._matching import Wanted
from understudy.agents._tracing import TRACE
from understudy.mock import Mock

START_SECONDS = 60.0
"""How long an agent's program may take to be found, on a busy machine."""
FROM_ADA = 'This is ada, answering as m. You said: "Hi"'


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """The only provider there is."""
    async with Mock(name="ada") as made:
        yield made


@pytest.fixture
async def gateway(mock: Mock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serving]:
    """A gateway, found by the environment as an app finds it."""
    async with Serving(snapshot([provider("main", mock.url)], [route("chat", *in_order("main"))])) as serving:
        monkeypatch.setenv("LLM_GATEWAY_URL", serving.base_url)
        monkeypatch.delenv("MCP_MESH_REGISTRY_URL", raising=False)
        yield serving


@llm_provider(tags=["echo"])
def echo(request: AgentRequest) -> Iterator[str]:
    """Says what it is told."""
    yield "You said "
    yield request.text


@llm({"capability": "llm", "tags": ["echo"]})
def ask_echo(text: str, *, llm: LLM) -> str:
    """Ask, and wait."""
    return llm(text).text


@llm({"capability": "llm", "tags": ["echo"]})
async def ask_echo_later(text: str, llm: AsyncLLM) -> str:
    """Ask, and be awaited."""
    return (await llm(text)).text


@llm({"capability": "llm", "tags": ["echo"]})
def told_by_echo(text: str, llm: LLM) -> Iterator[str]:
    """Ask, and tell as it comes."""
    with llm(text, stream=True) as stream:
        for chunk in stream:
            yield chunk.text


@llm({"capability": "llm", "tags": ["echo"]})
async def told_by_echo_later(text: str, llm: AsyncLLM) -> AsyncIterator[str]:
    """Ask, and tell as it comes."""
    async with await llm(text, stream=True) as stream:
        async for chunk in stream:
            yield chunk.text


async def test_functions_of_every_kind(gateway: Serving) -> None:
    """Each finds the agent, and gets all of its answer, whole or as it comes."""
    assert gateway.port
    async with echo as agent:
        assert agent.is_registered
        assert await asyncio.to_thread(ask_echo, "Hi") == "You said Hi"
        assert await ask_echo_later("Hi") == "You said Hi"
        assert [text for text in await asyncio.to_thread(lambda: list(told_by_echo("Hi"))) if text] == [
            "You said ",
            "Hi",
        ]
        assert [text async for text in told_by_echo_later("Hi") if text] == ["You said ", "Hi"]
    assert not agent.is_registered
    assert agent.endpoint is None
    assert list(echo(AgentRequest(messages=({"role": "user", "content": "Hi"},)))) == ["You said ", "Hi"]


async def test_an_agent_in_a_thread(gateway: Serving) -> None:
    """An app without an event loop has agents, too, and may start one again."""
    assert gateway.port

    def app() -> list[str]:
        said = []
        for _ in range(2):
            with echo:
                said.append(ask_echo("Hi"))
                with pytest.raises(RuntimeError, match="serves already"):
                    echo.start()
        echo.stop()
        return said

    assert await asyncio.to_thread(app) == ["You said Hi"] * 2


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_of_the_gateway(gateway: Serving, mock: Mock, stream: bool) -> None:
    """Answers for an agent, with its usage, and is asked what the caller asks."""
    assert gateway.port

    @llm_provider(tags=["ada"], model="main/m")
    def ada() -> None:
        """A model."""

    @llm({"capability": "llm", "tags": ["ada"]})
    async def ask(llm: AsyncLLM) -> Any:
        answer = await llm("Hi", stream=stream, temperature=0.5, extra={"seed": 7})
        return answer if not stream else await answer.result()  # type: ignore[union-attr]

    async with ada:
        result = await ask()
    assert (result.text, result.provider, result.model) == (FROM_ADA, "ada", "m")
    assert result.usage.total_tokens > 0
    sent = mock.requests[-1].json()
    assert (sent["temperature"], sent["seed"], sent.get("stream", False)) == (0.5, 7, stream)


async def test_tools_of_whoever_asks(gateway: Serving) -> None:
    """Are called where they are, whoever the model is at."""
    assert gateway.port

    def weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    @llm_provider(tags=["ada"], model="chat")
    def ada() -> None:
        """A model."""

    @llm({"capability": "llm", "tags": ["ada"]})
    async def ask(llm: AsyncLLM) -> Any:
        return await llm.run("[call: weather] Now?", tools=[weather])

    @llm({"capability": "llm", "tags": ["ada"]})
    def ask_and_wait(llm: LLM) -> Any:
        return llm.run("[call: weather] Now?", tools=[weather])

    async with ada:
        for run in (await ask(), await asyncio.to_thread(ask_and_wait)):
            assert run.rounds == 2
            assert "sunny in" in run.text


async def test_agents_that_wait_for_others(gateway: Serving) -> None:
    """Do not keep them from answering, however many are waiting in the same process."""
    assert gateway.port

    @llm_provider(tags=["second"])
    def second(request: AgentRequest) -> str:
        """Answers."""
        return request.text

    @llm_provider(tags=["first"])
    @llm({"capability": "llm", "tags": ["second"]})
    def first(_: AgentRequest, llm: LLM) -> str:
        """Waits for the second."""
        return llm("Hi").text

    @llm({"capability": "llm", "tags": ["first"]})
    async def ask(llm: AsyncLLM) -> list[str]:
        return [each.text for each in await asyncio.gather(*(llm("Hello") for _ in range(40)))]

    async with first, second:
        assert await ask() == ["Hi"] * 40


async def test_the_gateway_is_an_agent_itself(gateway: Serving) -> None:
    """Whoever looks for any model finds its routes."""
    assert gateway.port

    @llm()
    async def ask(llm: AsyncLLM) -> Any:
        return await llm("Hi")

    assert (await ask()).text == FROM_ADA


async def test_nobody_fits(gateway: Serving) -> None:
    """What was looked for, and what there is."""
    assert gateway.port

    @llm({"capability": "llm", "tags": ["llama", "+fast"], "version": ">=2"})
    async def ask(llm: AsyncLLM) -> None:
        await llm("Hi")

    async with echo:
        with pytest.raises(ProviderNotFound) as raised:
            await ask()
    assert "offers llm with llama, +fast in version >=2; there are " in str(raised.value)
    assert "echo (llm with echo, 1.0.0)" in str(raised.value)


async def test_a_model_of_the_callers_own(gateway: Serving) -> None:
    """Whoever calls the function may give it one, and then nobody is looked for."""
    assert gateway.port

    class Parrot:
        def __call__(self, text: str) -> Any:
            return type("Said", (), {"text": text})

    parrot: Any = Parrot()
    assert ask_echo("Hi", llm=parrot) == "Hi"
    assert llm()(lambda llm: llm("Hi").text)(parrot) == "Hi"


async def test_what_goes_wrong_in_an_agent(gateway: Serving) -> None:
    """Is an error of its caller, with the words that it was given."""
    assert gateway.port

    @llm_provider(tags=["broken"])
    def broken(request: AgentRequest) -> Any:
        """Fails."""
        return 1 / len(request.tools)

    @llm({"capability": "llm", "tags": ["broken"]})
    async def ask(llm: AsyncLLM, stream: bool) -> Any:
        said = await llm("Hi", stream=stream, tools=[{"type": "function", "function": {"name": "f"}}] if stream else ())
        return await said.result() if stream else said  # type: ignore[union-attr]

    async with broken:
        with pytest.raises(ProviderError, match="the agent broken failed: ZeroDivisionError: division by zero"):
            await ask(stream=False)
        with pytest.raises(ProviderError, match="TypeError: the agent's function returned float"):
            await ask(stream=True)


async def test_a_trace_goes_on(gateway: Serving) -> None:
    """Through all agents that are asked because of one call, and no further."""
    assert gateway.port
    seen: list[Mapping[str, str]] = []

    @llm_provider(tags=["second"])
    def second(request: AgentRequest) -> str:
        """Looks at its trace."""
        seen.append(TRACE.get())
        return request.text

    @llm_provider(tags=["first"])
    @llm({"capability": "llm", "tags": ["second"]})
    def first(request: AgentRequest, llm: LLM) -> str:
        """Asks the second."""
        return llm(request.text).text

    trace = {"_trace_id": "0af7651916cd43dd8448eb211c80319c", "_parent_span": "b7ad6b7169203331"}
    arguments = {"request": {"messages": [{"role": "user", "content": "Hi"}]}}
    async with first, second, httpx2.AsyncClient(headers={"accept": "application/json, text/event-stream"}) as client:
        for more in (trace, {"_trace_id": "x\ny"}):
            params = {"name": "process_chat", "arguments": {**arguments, **more}}
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            assert '"isError":false' in (await client.post(f"{first.endpoint}/mcp", json=call)).text
    assert seen == [trace, {}]


PROGRAM = """
import sys, time
from understudy import llm_provider

@llm_provider(tags=["house"], name=sys.argv[1], version=sys.argv[2])
def agent(request):
    if "slowly" in request.text:
        print("asked", flush=True)
        time.sleep(1)
    return f"{sys.argv[1]} says {request.text}"

agent.run()
"""


@pytest.fixture
def started(tmp_path: Path, gateway: Serving) -> Iterator[Callable[..., Process]]:
    """Agents as programs of their own."""
    running: list[Process] = []

    def start(name: str, version: str) -> Process:
        environment = {"LLM_GATEWAY_URL": gateway.base_url}
        argv = [sys.executable, "-c", PROGRAM, name, version]
        process = Process(argv, log=tmp_path / f"{name}-{version}.log", environment=environment)
        process.start()
        running.append(process)
        return process

    yield start
    for each in running:
        each.kill()


class House:
    """Whoever has the tag `house`, looked up anew each time: its clock goes on with each question."""

    def __init__(self) -> None:
        self._now = 0.0
        addresses = Addresses(os.environ, registry=None, timeout=5)
        directory = Directory(addresses.registry.url, Wanted("llm", ("house",)))
        self.model = AsyncLLM(directory, addresses, Clock(now=lambda: self._now))

    async def asked(self, text: str) -> str:
        """What is answered."""
        self._now += 60
        return (await self.model(text)).text

    async def until_said(self, expected: str) -> None:
        """Ask until somebody says it."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    if await self.asked("Hi") == expected:
                        return
                except (ProviderNotFound, Unavailable):
                    pass
                await asyncio.sleep(0.05)


@pytest.fixture
async def house(gateway: Serving) -> AsyncIterator[House]:
    """At that gateway."""
    assert gateway.port
    made = House()
    yield made
    await made.model.close()


async def test_an_agent_that_dies_and_one_that_comes_back(house: House, started: Callable[..., Process]) -> None:
    """The next one answers at once, and the better one again when it is back."""
    started("second", "1.0.0")
    await house.until_said("second says Hi")
    first = started("first", "2.0.0")
    await house.until_said("first says Hi")
    first.kill()
    assert await house.asked("Hi") == "second says Hi"
    started("first", "2.0.1")
    await house.until_said("first says Hi")


async def test_an_agent_that_is_told_to_end(house: House, started: Callable[..., Process]) -> None:
    """Finishes what it is being asked, and is found by nobody else."""
    process = started("slow", "1.0.0")
    await house.until_said("slow says Hi")
    asking = asyncio.create_task(house.asked("slowly"))
    await eventually(lambda: "asked" in process.log.read_text())
    os.kill(process.pid, signal.SIGTERM)
    assert await asking == "slow says slowly"
    await eventually(lambda: not process.running)
    assert process.exit_code == 0
    with pytest.raises(ProviderNotFound):
        await house.asked("Hi")


async def test_a_registry_that_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent serves without one; and who looks for agents is told."""
    monkeypatch.setenv("MCP_MESH_REGISTRY_URL", "http://127.0.0.1:1")
    async with echo as agent:
        assert agent.endpoint is not None
        assert not agent.is_registered
        with pytest.raises(Unavailable, match=r"cannot connect to the registry at http://127\.0\.0\.1:1:"):
            await ask_fresh()


async def ask_fresh() -> None:
    """Ask anybody, looked up now."""

    @llm()
    async def ask(llm: AsyncLLM) -> None:
        await llm("Hi")

    await ask()


async def test_a_server_that_is_no_registry(mock: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named."""
    monkeypatch.setenv("MCP_MESH_REGISTRY_URL", mock.url)
    with pytest.raises(InvalidAnswer, match=f"there is no registry of agents at {mock.url}"):
        await ask_fresh()


async def test_an_agent_that_nobody_could_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what it needs to know."""
    monkeypatch.setenv("MCP_MESH_REGISTRY_URL", "http://registry.invalid")
    agent: Agent[..., Any] = echo
    with pytest.raises(ConfigurationError, match="give it a host"):
        await agent.__aenter__()
