"""What agents of a mesh get of a request.

`requests/` holds one file a case: a client's body in OpenAI's form, and the call of an agent's tool that it becomes.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.runtimes import a_candidate, a_model
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat, Sampling, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import Audio, Document, Image, Message, Part, Role, Text, ToolResult
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.mesh.encode import encode
from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.routing.places import Agent

CASES = [yaml.safe_load(path.read_text()) | {"name_": path.stem} for path in Path(__file__).parent.glob("requests/*")]
HI = Message(Role.USER, (Text("Hi"),))


def _candidate(upstream_name: str = "default") -> Candidate:
    return a_candidate("ai/mesh:default", a_model(upstream_name=upstream_name))


def _body(call: Call, candidate: Candidate, *, first: bool = False) -> dict[str, Any]:
    assert call.calling is not None
    streamed = None if first else "process_chat_stream"
    body: dict[str, Any] = orjson.loads(call.calling(Agent(candidate.upstream, "process_chat", streamed)))
    return body


@pytest.mark.parametrize("case", [pytest.param(one, id=one["name_"]) for one in CASES])
def test_cases(case: dict[str, Any]) -> None:
    """A client's request becomes the call of its file, with its warnings."""
    chat = CLIENT.chat(read(orjson.dumps(case["client"])))
    candidate = _candidate(case.get("upstream", "default"))
    call = encode(chat, candidate)
    params: dict[str, Any] = {"name": case["name"], "arguments": {"request": case["request"]}}
    if "token" in case:
        params["_meta"] = {"progressToken": case["token"]}
    expected = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    assert expected == _body(call, candidate, first=case.get("first", False))
    assert tuple(case["warnings"]) == call.warnings


def test_how_it_is_sent() -> None:
    """Agents demand that both forms of an answer are taken, and hear how long they may take."""
    call = encode(Chat("chat", (HI,)), _candidate())
    assert "/mcp" == call.path
    assert (("accept", "application/json, text/event-stream"), ("x-mesh-timeout", "600")) == call.headers


LOOK, GUESS = Tool("look"), Tool("guess")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        pytest.param({"choices": 2}, "n", id="several answers"),
        pytest.param({"sampling": Sampling(logprobs=True)}, "logprobs", id="logprobs"),
        pytest.param({"sampling": Sampling(stop=("x",))}, "stop", id="stop sequences"),
        pytest.param({"tools": (LOOK, GUESS), "tool_choice": ToolChoice(ToolMode.REQUIRED)}, "tool_choice", id="any"),
        pytest.param({"messages": (HI, Message(Role.ASSISTANT, (Text("I"),)))}, "messages", id="prefill"),
    ],
)
def test_what_agents_cannot_be_told(fields: dict[str, Any], param: str) -> None:
    """What changes the meaning of an answer is never left out: somebody else is asked."""
    with pytest.raises(Unsupported) as refused:
        encode(Chat(**({"model": "chat", "messages": (HI,)} | fields)), _candidate())
    assert param == refused.value.param


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(Audio("audio/wav", "AAAA"), id="sound"),
        pytest.param(Document("application/pdf", "AAAA"), id="a file"),
        pytest.param(ToolResult("call_1", (Image(url="https://example/a.png"),)), id="a picture from a tool"),
    ],
)
def test_what_agents_cannot_see(part: Part) -> None:
    """Media that not every agent takes are refused, not dropped."""
    with pytest.raises(Unsupported):
        encode(Chat("chat", (Message(Role.USER, (part,)),)), _candidate())


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        pytest.param(ToolChoice(ToolMode.NONE), None, id="none"),
        pytest.param(ToolChoice(ToolMode.AUTO, ("look",)), ["look"], id="auto among some"),
        pytest.param(ToolChoice(ToolMode.REQUIRED, ("guess",)), ["guess"], id="a certain one"),
    ],
)
def test_tools_that_may_be_called(choice: ToolChoice, offered: list[str] | None) -> None:
    """Agents are offered only what may be called."""
    candidate = _candidate()
    body = _body(encode(Chat("chat", (HI,), tools=(LOOK, GUESS), tool_choice=choice), candidate), candidate)
    tools = body["params"]["arguments"]["request"]["tools"]
    assert offered == (tools and [tool["function"]["name"] for tool in tools])


def test_a_choice_that_is_not_offered() -> None:
    """A tool that must be called and is not there is the client's mistake."""
    with pytest.raises(RequestError):
        encode(Chat("chat", (HI,), tool_choice=ToolChoice(ToolMode.REQUIRED, ("x",))), _candidate())
