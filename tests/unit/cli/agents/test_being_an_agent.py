"""What agents are asked, what they answer, what they tell a registry, and when. No socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from harness.clients import Gateway
from understudy import AgentRequest, ChatResult, Clock, ToolCall, Usage, llm, llm_provider
from understudy.agents._addresses import Addresses
from understudy.agents._answering import Function, as_message
from understudy.agents._membership import BACK_OFF_SECONDS, HEARTBEAT_SECONDS, Membership
from understudy.agents._registration import Offering, registration
from understudy.client._async_connection import AsyncConnection
from understudy.client._settings import Settings

HI = {"role": "user", "content": "Hi"}


def request(**of: Any) -> AgentRequest:
    """A request with these fields."""
    return AgentRequest.read({"request": {"messages": [HI], **of}, "_trace_id": "x"})


def test_a_request() -> None:
    """All keys, most of them null; what is only the mesh's is left out of what a model is asked."""
    nothing = dict.fromkeys(("tools", "model_params", "context", "request_id", "caller_agent"))
    assert request(**nothing) == AgentRequest(messages=(HI,))
    params = {
        "temperature": 0.5,
        "max_tokens": None,
        "seed": 7,
        "model": "x/y",
        "max_iterations": 3,
        "output_mode": "hint",
    }
    function = {"name": "f", "parameters": {}, "_mesh_endpoint": "http://a"}
    full = request(model_params=params, tools=[{"type": "function", "function": function}], caller_agent="b")
    assert full.options == {
        "temperature": 0.5,
        "extra": {"seed": 7},
        "tools": ({"type": "function", "function": {"name": "f", "parameters": {}}},),
    }
    assert (full.text, full.caller_agent) == ("Hi", "b")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({}, "an object 'request'", id="nothing"),
        pytest.param({"request": {}}, "'request.messages' must be a list", id="no messages"),
        pytest.param({"request": {"messages": ["Hi"]}}, "'request.messages' must be a list", id="texts"),
        pytest.param({"request": {"messages": [], "tools": {}}}, None, id="no tools, as an object"),
        pytest.param({"request": {"messages": [], "tools": [5]}}, "'request.tools' must be a list", id="numbers"),
        pytest.param({"request": {"messages": [], "context": []}}, "'request.context' must be an object", id="a list"),
    ],
)
def test_what_is_no_request(arguments: Mapping[str, Any], said: str | None) -> None:
    """Is named for whoever asked."""
    if said is None:
        assert AgentRequest.read(arguments).tools == ()
        return
    with pytest.raises(ValueError, match=said):
        AgentRequest.read(arguments)


def returned(_: AgentRequest) -> str:
    """A text."""
    return "Hello"


async def awaited(_: AgentRequest) -> str:
    """A text, later."""
    return "Hello"


def yielded(_: AgentRequest) -> Iterator[str]:
    """A text in pieces."""
    yield from ("Hel", "lo")


async def yielded_later(_: AgentRequest) -> AsyncIterator[str]:
    """A text in pieces, later."""
    for piece in ("Hel", "lo"):
        yield piece


@pytest.mark.parametrize(
    ("function", "pieces"),
    [(returned, ["Hello"]), (awaited, ["Hello"]), (yielded, ["Hel", "lo"]), (yielded_later, ["Hel", "lo"])],
)
async def test_functions_that_answer(function: Callable[[AgentRequest], Any], pieces: list[str]) -> None:
    """Whole where that is asked for, and in pieces where those are."""
    told: list[str] = []

    async def tell(text: str) -> None:
        told.append(text)

    with ThreadPoolExecutor(1) as threads:
        answering = Function(function, threads)
        assert await answering.answer(request(), None) == {"role": "assistant", "content": "Hello"}
        assert await answering.answer(request(), tell) == {"role": "assistant", "content": "Hello"}
    assert told == pieces


def test_what_is_an_answer() -> None:
    """A text, a result with its usage and its calls, a message; and nothing else."""
    result = ChatResult("", (ToolCall("c", "f", "{}"),), usage=Usage(3, 1), model="m")
    assert as_message(result) == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        "_mesh_usage": {"prompt_tokens": 3, "completion_tokens": 1, "model": "m"},
    }
    assert as_message(ChatResult("", refusal="No."))["content"] == "No."
    assert as_message({"content": None, "x": 1}) == {"role": "assistant", "content": "", "x": 1}
    with pytest.raises(TypeError, match="returned NoneType, and not a text"):
        as_message(None)


def named(name: str | None = None, **given: Any) -> Any:
    """An agent of a function that is called `my_agent`."""

    def my_agent() -> None:
        """Does this.

        And more.
        """

    return llm_provider(name=name, **given)(my_agent)


def test_what_an_agent_is() -> None:
    """Its name and description are its function's, its vendor is its model's."""
    agent = named(model="anthropic/claude", tags=["a", "ai.mcpmesh.stream"])
    assert agent._offering == Offering("my-agent", "llm", ("a",), "1.0.0", "anthropic", "Does this.")
    assert named(vendor="openai")._offering.vendor == "openai"
    assert named(model="chat")._offering.vendor == "unknown"
    assert repr(agent) == "Agent('my-agent', not serving)"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"name": "my agent"}, "'my agent'; give it a name", id="a name with a space"),
        pytest.param({"name": "x" * 55}, "up to 54 letters", id="a long name"),
        pytest.param({"tags": "claude"}, "a list of texts", id="tags as a text"),
        pytest.param({"tags": ["+claude"]}, "who looks for one", id="a tag of who looks"),
        pytest.param({"version": ">=1"}, "version must be one", id="a constraint"),
        pytest.param({"capability": ""}, "capability must be a text", id="no capability"),
    ],
)
def test_what_cannot_be_an_agent(given: dict[str, Any], said: str) -> None:
    """Is known where it is written."""
    with pytest.raises(TypeError, match=said):
        named(**given)


def test_a_function_without_a_place_for_a_model() -> None:
    """Is known where it is written."""
    with pytest.raises(TypeError, match="<lambda> has no parameter llm"):
        llm()(lambda text: text)
    with pytest.raises(TypeError, match="has no parameter model"):
        llm(parameter="model")(lambda llm: llm)


OFFERING = Offering("ada", "llm", ("x",), "1.0.0", "unknown", "")
BODY = registration(OFFERING, agent_id="ada-1", host="10.0.0.1", port=80)


def test_a_registration() -> None:
    """Two functions of one capability; the one that does not stream first, for those who look at no tag."""
    whole, streamed = BODY["tools"]
    assert (whole["function_name"], whole["tags"], whole["kwargs"]) == ("process_chat", ["x"], {"vendor": "unknown"})
    assert (streamed["function_name"], streamed["tags"]) == ("process_chat_stream", ["x", "ai.mcpmesh.stream"])
    assert streamed["kwargs"] == {"vendor": "unknown", "stream_type": "text"}
    assert whole["inputSchema"]["required"] == ["request"]


def registered(status: str = "success", code: int = 200) -> httpx2.Response:
    """A registry's answer to a heartbeat."""
    return httpx2.Response(code, json={"status": status, "message": "so", "agent_id": "ada-1"})


async def lived(beats: int, *answers: Any) -> tuple[list[str], list[float], bool]:
    """What a registry with these answers was asked while the agent slept so often; its sleeps; whether it is there."""
    registry, slept = Gateway(*answers), list[float]()
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if len(slept) == beats:
            enough.set()
            await asyncio.Event().wait()
        slept.append(seconds)

    transport: Any = httpx2.MockTransport(registry)
    settings = Settings.read({}, url="http://r", retries=0)
    connection = AsyncConnection(settings, None, transport=transport, clock=Clock(sleep_async=sleep))
    membership = Membership(connection, BODY)
    async with membership.held():
        await enough.wait()
        there = membership.is_registered
    await connection.close()
    assert all(json.loads(each.content) == BODY for each in registry.requests if each.method == "POST")
    return [f"{each.method} {each.url.path}" for each in registry.requests], slept, there


POST, HEAD, DELETE = "POST /heartbeat", "HEAD /heartbeat/ada-1", "DELETE /agents/ada-1"
OK = httpx2.Response(200)


@pytest.mark.parametrize(
    ("answers", "asked", "last_sleep", "there"),
    [
        pytest.param([registered(), OK], [POST, HEAD, HEAD, DELETE], HEARTBEAT_SECONDS, True, id="nothing new"),
        pytest.param([registered(), httpx2.Response(202), registered()], [POST, HEAD, POST, HEAD, DELETE],
                     HEARTBEAT_SECONDS, True, id="others came or went"),
        pytest.param([registered(), httpx2.Response(410), registered(), OK], [POST, HEAD, POST, HEAD, DELETE],
                     HEARTBEAT_SECONDS, True, id="the registry has lost it"),
        pytest.param([registered(), httpx2.Response(503), OK], [POST, HEAD, HEAD, DELETE], BACK_OFF_SECONDS, True,
                     id="the registry is busy"),
        pytest.param([registered(), httpx2.ConnectError("refused"), OK], [POST, HEAD, HEAD, DELETE],
                     HEARTBEAT_SECONDS, True, id="the registry is away for a moment"),
        pytest.param([httpx2.ConnectError("refused"), registered(), OK], [POST, POST, HEAD, DELETE],
                     HEARTBEAT_SECONDS, True, id="the registry comes later"),
        pytest.param([registered("error"), registered("error")], [POST, POST, POST], HEARTBEAT_SECONDS, False,
                     id="the registry refuses"),
        pytest.param([httpx2.Response(404), httpx2.Response(200, text="<html>")], [POST, POST, POST],
                     HEARTBEAT_SECONDS, False, id="no registry"),
    ],
)  # fmt: skip
async def test_a_life(answers: list[Any], asked: list[str], last_sleep: float, there: bool) -> None:
    """Two heartbeats long: it joins, stays, comes back, and leaves if it was there."""
    assert await lived(2, *answers) == (asked, [HEARTBEAT_SECONDS, last_sleep], there)


async def test_a_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not with each heartbeat."""
    await lived(5, httpx2.ConnectError("refused"))
    assert len([each for each in caplog.messages if "cannot register" in each]) == 1


def test_who_is_told_the_key() -> None:
    """The gateway, as the registry and as an agent; nobody else."""
    environment = {"LLM_GATEWAY_URL": "http://gw:8080/v1", "LLM_GATEWAY_API_KEY": "secret"}
    alone = Addresses(environment, registry=None, timeout=None)
    assert (alone.registry.url, alone.registry.credential.bearer()) == ("http://gw:8080", "secret")
    assert alone.agent("http://gw:8080").credential.bearer() == "secret"
    for other in ("http://gw", "http://gw:8081", "https://gw:8080", "http://agent:8080"):
        assert alone.agent(other).credential.bearer() == ""
    with_registry = Addresses({**environment, "MCP_MESH_REGISTRY_URL": "http://r:8000"}, registry=None, timeout=None)
    assert (with_registry.registry.url, with_registry.registry.credential.bearer()) == ("http://r:8000", "")
    assert Addresses(environment, registry="http://other", timeout=None).registry.url == "http://other"
    same = Addresses(environment, registry="http://gw:8080/", timeout=None)
    assert same.registry.credential.bearer() == "secret"
