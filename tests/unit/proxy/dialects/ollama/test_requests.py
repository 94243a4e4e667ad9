"""What Ollama's clients ask for, and what Ollama gets of a canonical request.

`requests/` holds one file a case: a client's body, the canonical request that it is, and the body of that for a server.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.conversations import plain_chat
from harness.runtimes import a_candidate, a_model
from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import (
    Chat,
    Effort,
    JsonFormat,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from understudy_proxy.dialects.canonical.content import (
    Audio,
    Document,
    Image,
    Issuer,
    Message,
    Part,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.ollama.chat import chat_of
from understudy_proxy.dialects.ollama.embedding_client import EMBED_CLIENT
from understudy_proxy.dialects.ollama.embedding_client import read as read_embed
from understudy_proxy.dialects.ollama.embeddings import EmbeddingTurn
from understudy_proxy.dialects.ollama.encode import encode
from understudy_proxy.dialects.ollama.request import OllamaRequest, read_chat, read_generate
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("requests/*")]
HI = Message(Role.USER, (Text("Hi"),))


def _candidate(model: str = "llama", capabilities: frozenset[Capability] = frozenset(Capability)) -> Candidate:
    return a_candidate("ai/ollama:m", a_model(upstream_name=model, capabilities=capabilities))


def _read(body: Any, *, generate: bool = False) -> OllamaRequest:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return read_generate(raw) if generate else read_chat(raw)


def _sent(*messages: Message, candidate: Candidate | None = None, **more: Any) -> dict[str, Any]:
    body = orjson.loads(encode(Chat("chat", messages or (HI,), **more), candidate or _candidate()).body)
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
def test_cases(case: dict[str, Any]) -> None:
    """A client's request is the canonical one of its file, and that is the provider's one, with its warnings."""
    chat = chat_of(_read(case["client"], generate=case.get("generate", False)))
    assert plain_chat(chat) == case["chat"]
    call = encode(chat, _candidate())
    assert orjson.loads(call.body) == case["provider"]
    assert list(call.warnings) == case.get("warnings", [])
    assert call.path == "/api/chat"


def _said(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "chat", "messages": list(messages), **fields}


USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"messages": [USER]}, "model", id="no model"),
        pytest.param({"model": "chat"}, "messages", id="no messages"),
        pytest.param(_said(), "messages", id="nothing to answer"),
        pytest.param(_said(7), "messages[0]", id="a number for a message"),
        pytest.param(_said({"content": "Hi"}), "messages[0].role", id="no role"),
        pytest.param(_said({"role": "robot"}), "messages[0].role", id="an unknown role"),
        pytest.param(_said({"role": "user", "content": [{}]}), "messages[0].content", id="parts"),
        pytest.param(_said({"role": "user", "images": [7]}), "messages[0].images[0]", id="a number for an image"),
        pytest.param(_said(USER, {"role": "tool", "content": "4"}), "messages[1]", id="a result of no call"),
        pytest.param(
            _said({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
            "messages[0].tool_calls[0].function.arguments",
            id="a text for arguments",
        ),
        pytest.param(_said(USER, stream="yes"), "stream", id="a word for a boolean"),
        pytest.param(_said(USER, options={"temperature": "hot"}), "options.temperature", id="a text for a number"),
        pytest.param(_said(USER, options=7), "options", id="a number for options"),
        pytest.param(_said(USER, format="xml"), "format", id="another format"),
        pytest.param(_said(USER, think="hard"), "think", id="an unknown effort"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    """A wrong request is refused with the path of the field."""
    with pytest.raises(RequestError) as refused:
        chat_of(_read(body))
    assert refused.value.param == param


@pytest.mark.parametrize("field", [{"raw": True}, {"context": [1]}, {"suffix": "x"}, {"template": "{{.}}"}], ids=str)
def test_what_only_ollamas_models_can_do(field: dict[str, Any]) -> None:
    """What changes the meaning of a request and nobody else has is not left out of it."""
    with pytest.raises(Unsupported):
        chat_of(_read({"model": "chat", "prompt": "Hi", **field}, generate=True))


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        pytest.param({}, {Capability.STREAMING}, id="a stream unless said otherwise"),
        pytest.param({"stream": False}, set(), id="none"),
        pytest.param({"stream": False, "tools": [{}]}, {Capability.TOOLS}, id="tools"),
        pytest.param({"stream": False, "format": {"type": "object"}}, {Capability.JSON_SCHEMA}, id="a schema"),
        pytest.param({"stream": False, "format": "json"}, set(), id="any JSON"),
        pytest.param(
            {"stream": False, "messages": [{**USER, "images": ["AAAA"]}]}, {Capability.VISION}, id="a picture"
        ),
    ],
)
def test_what_a_request_needs(fields: dict[str, Any], more: set[Capability]) -> None:
    """Routing knows what an answer takes."""
    assert _read(_said(USER) | fields).need.capabilities == {Capability.CHAT, *more}


MANY = 20_000


def test_many_of_everything() -> None:
    """A conversation with as many calls and results as fit into a body takes no longer than it is long."""
    called = {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}] * MANY}
    results = [{"role": "tool", "content": "x", "tool_name": "f"}] * MANY
    first, second = chat_of(_read(_said(called, *results))).messages
    assert (len(first.parts), len(second.parts)) == (MANY, MANY)
    assert len({part.call_id for part in second.parts if isinstance(part, ToolResult)}) == MANY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
FIELDS = [
    *("messages", "role", "content", "thinking", "images", "tool_calls", "function", "name", "arguments"),
    *("tool_name", "tools", "options", "stop", "format", "think", "prompt", "system", "stream", "num_predict"),
]
ODD = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(FIELDS), ODD), st.lists(ODD, max_size=3), st.booleans())
def test_nothing_is_too_odd(body: dict[str, Any], messages: list[Any], generate: bool) -> None:
    """Whatever a body holds, it is a request or told what is wrong with it."""
    with suppress(RequestError, Unsupported):
        chat_of(_read({"messages": messages, **body, "model": "chat"}, generate=generate))


@given(st.binary(max_size=100))
def test_no_bytes_are_too_odd(raw: bytes) -> None:
    """Whatever a body is, it is a request or refused."""
    with pytest.raises(RequestError):
        _read(raw)


def _assistant(*parts: Part) -> Message:
    return Message(Role.ASSISTANT, parts)


def test_what_an_assistant_said() -> None:
    """Words and refusals are content, reasoning that anyone can read is thinking, without its signature."""
    thought = Thinking("Hm.", Signature("sig", Issuer.ANTHROPIC))
    message = _sent(HI, _assistant(thought, Thinking(redacted="x"), Text("Hi"), Refusal("No.")), HI)["messages"][1]
    assert message == {"role": "assistant", "content": "Hi\n\nNo.", "thinking": "Hm."}


def test_results_with_pictures() -> None:
    """A result is a message of its own; its picture goes with what the user says next."""
    call = ToolCall("c0", "f", "")
    result = ToolResult("c0", (Text("Look:"), Image("image/png", "AAAA")))
    messages = _sent(HI, _assistant(call), Message(Role.USER, (result, Text("And?"))))["messages"]
    assert messages[1]["tool_calls"] == [{"id": "c0", "function": {"name": "f", "arguments": {}}}]
    assert messages[2] == {"role": "tool", "content": "Look:", "tool_call_id": "c0", "tool_name": "f"}
    assert messages[3] == {"role": "user", "content": "And?", "images": ["AAAA"]}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param((Text("no such city"),), "Error: no such city", id="that says why"),
        pytest.param((), "Error:", id="without a word"),
    ],
)
def test_results_of_a_tool_that_failed(said: tuple[Text, ...], expected: str) -> None:
    """Ollama has no field for it, so its model reads it."""
    result = ToolResult("c0", said, is_error=True)
    messages = _sent(HI, _assistant(ToolCall("c0", "f", "")), Message(Role.USER, (result,)))["messages"]
    assert expected == messages[2]["content"]


def test_texts_of_files() -> None:
    """A file that is text is read as such, its title before it."""
    file = Document("text/plain", text="Contents.")
    assert _sent(Message(Role.USER, (Text("Read:"), file)))["messages"][0]["content"] == "Read:\n\nContents."
    titled = replace(file, title="Plan")
    assert _sent(Message(Role.USER, (titled,)))["messages"][0]["content"] == "Plan\n\nContents."


@pytest.mark.parametrize(
    "chat",
    [
        pytest.param(
            {"messages": (Message(Role.USER, (Image(url="https://e.com/a.png"),)),)}, id="an image by address"
        ),
        pytest.param({"messages": (Message(Role.USER, (Audio("audio/wav", "AAAA"),)),)}, id="sound"),
        pytest.param({"messages": (Message(Role.USER, (Document("application/pdf", data="AA"),)),)}, id="a file"),
        pytest.param({"choices": 2}, id="two answers"),
        pytest.param({"tools": (Tool("f"),), "tool_choice": ToolChoice(ToolMode.REQUIRED)}, id="a call that must be"),
        pytest.param({"tools": (Tool("f"),), "tool_choice": ToolChoice(ToolMode.REQUIRED, ("f",))}, id="this call"),
    ],
)
def test_what_ollama_cannot_do(chat: dict[str, Any]) -> None:
    """What changes the meaning of a request is not left out of it."""
    with pytest.raises(Unsupported):
        encode(Chat(**{"model": "chat", "messages": (HI,), **chat}), _candidate())


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        pytest.param(None, ["f", "g"], id="nothing said"),
        pytest.param(ToolChoice(ToolMode.AUTO), ["f", "g"], id="auto"),
        pytest.param(ToolChoice(ToolMode.AUTO, ("g",)), ["g"], id="some"),
        pytest.param(ToolChoice(ToolMode.NONE), [], id="none"),
    ],
)
def test_tool_choice(choice: ToolChoice | None, offered: list[str]) -> None:
    """What Ollama is not told it is not offered."""
    tools = _sent(tools=(Tool("f"), Tool("g")), tool_choice=choice).get("tools", [])
    assert [tool["function"]["name"] for tool in tools] == offered


THINKS, DOES_NOT = frozenset(Capability), frozenset(Capability) - {Capability.REASONING}


@pytest.mark.parametrize(
    ("model", "able", "reasoning", "think", "warned"),
    [
        pytest.param("qwen3", THINKS, Reasoning(Effort.HIGH), True, False, id="whether"),
        pytest.param("gpt-oss:20b", THINKS, Reasoning(Effort.XHIGH), "high", False, id="how hard"),
        pytest.param("gpt-oss:20b", THINKS, Reasoning(), True, False, id="by itself"),
        pytest.param("qwen3", THINKS, Reasoning(budget_tokens=9), True, True, id="a budget"),
        pytest.param("qwen3", THINKS, Reasoning(Effort.NONE), False, False, id="not"),
        pytest.param("llama3", DOES_NOT, Reasoning(Effort.LOW), None, True, id="a model that does not"),
        pytest.param("llama3", DOES_NOT, Reasoning(budget_tokens=0), False, False, id="and need not"),
    ],
)
def test_thinking(model: str, able: frozenset[Capability], reasoning: Reasoning, think: Any, warned: bool) -> None:
    """A model that does not think would refuse to be told to; few know how hard."""
    call = encode(Chat("chat", (HI,), reasoning=reasoning), _candidate(model, able))
    assert orjson.loads(call.body).get("think") == think
    assert bool(call.warnings) is warned


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
OBJECTS = st.dictionaries(WORDS, st.integers(-(2**40), 2**40) | st.text(max_size=9) | st.booleans(), max_size=3)
IMAGES = st.builds(Image, media_type=st.just("image/png"), data=st.just("iVBORw0KGgo="))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """What client and models may have said, with every call answered."""
    messages = []
    for turn in range(draw(st.integers(1, 3))):
        messages.append(Message(Role.USER, (Text(draw(WORDS)), *draw(st.lists(IMAGES, max_size=1)))))
        names = draw(st.lists(st.sampled_from(["f", "g"]), max_size=3))
        calls = [ToolCall(f"c{turn}{n}", name, orjson.dumps(draw(OBJECTS)).decode()) for n, name in enumerate(names)]
        messages.append(_assistant(*draw(st.lists(WORDS.map(Thinking), max_size=1)), Text(draw(WORDS)), *calls))
        if calls:
            results = [ToolResult(call.id, (Text(draw(WORDS)),), call.name) for call in calls]
            messages += [Message(Role.USER, tuple(results)), _assistant(Text(draw(WORDS)))]
    return (*messages, Message(Role.USER, (Text(draw(WORDS)),)))


@given(
    conversations(),
    st.lists(WORDS.map(Text), max_size=1).map(tuple),
    st.builds(Sampling, temperature=st.none() | st.floats(0, 2), stop=st.lists(WORDS, max_size=2).map(tuple)),
    st.none() | st.just(JsonFormat({"type": "object"})) | st.just(JsonFormat()),
    st.booleans(),
)
def test_there_and_back(
    messages: tuple[Message, ...],
    system: tuple[Text, ...],
    sampling: Sampling,
    wanted: JsonFormat | None,
    stream: bool,
) -> None:
    """A conversation in Ollama's words, read as a client's, is the same conversation."""
    chat = Chat("llama", messages, system=system, sampling=sampling, format=wanted, stream=stream)
    assert chat_of(read_chat(encode(chat, _candidate()).body)) == replace(chat, tools=())


def test_vectors() -> None:
    """Several texts are one request; fewer vectors than texts are no answer."""
    turn = EmbeddingTurn(Embedding("chat", ("a", "b"), dimensions=3), _candidate())
    assert orjson.loads(turn.call.body) == {"model": "llama", "input": ["a", "b"], "dimensions": 3}
    vectors = turn.read(200, {}, b'{"embeddings":[[1.5],[2]],"prompt_eval_count":4}')
    assert vectors == Vectors(([1.5], [2]), Usage(input=4, output=0))
    for wrong in (b"", b"{}", b'{"embeddings":[[1]]}', b'{"embeddings":[[1],["x"]]}', b'{"error":"no"}'):
        assert isinstance(turn.read(200, {}, wrong), UpstreamFailure)
    with pytest.raises(Unsupported):
        EmbeddingTurn(Embedding("chat", ((1, 2),)), _candidate())


@pytest.mark.parametrize(
    ("path", "body", "inputs", "name"),
    [
        pytest.param("/api/embed", {"input": ["a", "b"]}, ("a", "b"), "embeddings", id="several"),
        pytest.param("/api/embed", {"input": "a", "truncate": True}, ("a",), "embeddings", id="one"),
        pytest.param("/api/embeddings", {"prompt": "a"}, ("a",), "embedding", id="the older path"),
    ],
)
def test_who_asks_for_vectors(path: str, body: dict[str, Any], inputs: tuple[str, ...], name: str) -> None:
    """Each path has its own way of asking, and its own answer."""
    asked = read_embed(orjson.dumps({"model": "chat", **body}), path=path)
    assert EMBED_CLIENT.embedding(asked).inputs == inputs
    answer = orjson.loads(EMBED_CLIENT.answer(Vectors(tuple([0.5] for _ in inputs), Usage(3, 0)), asked))
    assert answer[name] == ([0.5] if name == "embedding" else [[0.5] for _ in inputs])


@pytest.mark.parametrize("given", [[], 7, [7], None], ids=str)
def test_nothing_to_embed(given: Any) -> None:
    """It is refused here."""
    with pytest.raises(RequestError):
        read_embed(orjson.dumps({"model": "chat", "input": given}), path="/api/embed")
