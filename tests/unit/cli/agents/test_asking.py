"""What agents are sent, and what is made of their answers, in all forms that agents give them."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from understudy import ChatResult, Interrupted, InvalidAnswer, ProviderError, ToolCall, Usage
from understudy.agents._asking import AgentFold, agent_call, asked
from understudy.agents._matching import Offer
from understudy.agents._request import AgentRequest

OFFER = Offer("a-1", "ada", "http://a", "process_chat", "llm", frozenset(), "1.0.0", healthy=True)


class City(BaseModel):
    """An answer of a type."""

    name: str


def test_what_is_sent() -> None:
    """All keys of a request, in one call without a session."""
    options: Any = {"temperature": 0.5, "tools": [{"type": "function", "function": {"name": "f"}}]}
    call = agent_call(OFFER, asked("Hi", options), stream=False, trace={"_trace_id": "t"})
    nothing = dict.fromkeys(("context", "request_id", "caller_agent"))
    messages = [{"role": "user", "content": "Hi"}]
    request = {"messages": messages, "tools": options["tools"], "model_params": {"temperature": 0.5}, **nothing}
    assert (call.method, call.path) == ("POST", "/mcp")
    params = {"name": "process_chat", "arguments": {"request": request, "_trace_id": "t"}}
    assert call.body == {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    streamed = agent_call(OFFER, asked("Hi", {}), stream=True, trace={})
    assert streamed.body is not None
    assert streamed.body["params"]["_meta"] == {"progressToken": 1}
    assert streamed.body["params"]["arguments"]["request"]["model_params"] is None


def test_an_answer_of_a_type() -> None:
    """Is asked for in the words of all agents."""
    params = asked("Hi", {"response_format": City})["model_params"]
    assert params["output_type_name"] == "City"
    assert params["output_schema"] == params["response_format"]["json_schema"]["schema"]
    options = AgentRequest.read({"request": {"messages": [], "model_params": params}}).options
    assert options == {"response_format": params["response_format"], "extra": {}}


def test_an_option_that_there_is_not() -> None:
    """Is no option that is quietly left out."""
    with pytest.raises(TypeError, match="no option temprature"):
        asked("Hi", {"temprature": 1})  # type: ignore[typeddict-unknown-key]


def result(**of: Any) -> str:
    """A JSON-RPC response."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": of})


def progress(message: str) -> str:
    """A piece of an answer."""
    params = {"progressToken": 1, "progress": 1, "message": message}
    return json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})


def text(said: str) -> list[dict[str, str]]:
    """A result's content."""
    return [{"type": "text", "text": said}]


def folded(*data: str, stream: bool = False) -> tuple[list[str], ChatResult]:
    """The texts of the pieces, and the whole."""
    fold = AgentFold(OFFER, stream=stream)
    pieces = [fold.add(each) for each in data]
    fold.end()
    return [each.text for each in pieces if each], fold.result()


MESSAGE = {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(result(content=text(json.dumps(MESSAGE)), structuredContent=MESSAGE), id="structured"),
        pytest.param(result(content=text(json.dumps(MESSAGE))), id="JSON in a text"),
        pytest.param(result(content=text("Hello")), id="a mere text"),
        pytest.param(result(content=text("Hello"), structuredContent={"result": "Hello"}), id="wrapped"),
    ],
)
def test_a_whole_answer(whole: str) -> None:
    """In each form."""
    pieces, said = folded(whole)
    assert (said.text, said.finish_reason, said.provider) == ("Hello", "stop", "ada")
    assert pieces == ["Hello"]


def test_all_that_a_message_may_say() -> None:
    """Calls, usage, and why it ended."""
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "model": "m"}
    message = {"role": "assistant", "content": "", "tool_calls": calls, "_mesh_usage": usage}
    _, said = folded(result(content=[], structuredContent=message))
    assert said.tool_calls == (ToolCall("c1", "f", "{}"),)
    assert (said.usage, said.model, said.finish_reason) == (Usage(3, 1), "m", "tool_calls")
    _, said = folded(result(content=[], structuredContent={**MESSAGE, "_mesh_stop_reason": "max_iterations"}))
    assert said.finish_reason == "max_iterations"


def test_pieces() -> None:
    """Framed or not; the end of the frames is no piece, and what was streamed is not said again."""
    chunks = [progress(json.dumps({"_mesh_frame": "chunk", "content": each})) for each in ("Hel", "lo")]
    end = progress(json.dumps({"_mesh_frame": "end"}))
    pieces, said = folded(*chunks, end, result(content=text("Hello")), stream=True)
    assert (pieces, said.text) == (["Hel", "lo", ""], "Hello")
    pieces, said = folded(progress("Hel"), progress('{"lo": 1}'), result(content=[]), stream=True)
    assert pieces == ["Hel", '{"lo": 1}', ""]


def test_progress_of_who_does_not_stream() -> None:
    """Is no text of the answer."""
    pieces, said = folded(progress("half done"), result(content=text("Hello")))
    assert (pieces, said.text) == (["Hello"], "Hello")


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        pytest.param(result(content=text("no key"), isError=True), ProviderError, "ada failed: no key", id="a failure"),
        pytest.param('{"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no tool"}}', ProviderError,
                     "ada failed: no tool", id="an error of the protocol"),
        pytest.param('{"error": 5}', ProviderError, "without a word", id="an error without a word"),
        pytest.param('{"result": 5}', ProviderError, "without a word", id="a result that is none"),
        pytest.param("{", InvalidAnswer, "not JSON", id="no JSON"),
        pytest.param("[]", InvalidAnswer, "no message of MCP", id="no message"),
    ],
)  # fmt: skip
def test_what_is_no_answer(data: str, error: type[Exception], said: str) -> None:
    """Is an error that names the agent."""
    with pytest.raises(error, match=said):
        AgentFold(OFFER, stream=False).add(data)


def test_an_answer_that_breaks_off() -> None:
    """Holds what was said."""
    fold = AgentFold(OFFER, stream=True)
    fold.add(progress("Once upon"))
    with pytest.raises(Interrupted, match="broke off") as raised:
        fold.end(ConnectionError("reset"))
    assert raised.value.so_far is not None
    assert raised.value.so_far.text == "Once upon"
    with pytest.raises(Interrupted, match="ada failed: out of memory") as raised:
        fold.add(result(content=text("out of memory"), isError=True))
    assert raised.value.so_far is not None
