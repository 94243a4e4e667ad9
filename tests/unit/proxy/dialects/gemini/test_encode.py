"""What Gemini gets of canonical requests that no client of Google's makes."""

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes import a_candidate, a_model, a_provider, a_runtime
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
    CacheMark,
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
from understudy_proxy.dialects.gemini.chat import chat_of
from understudy_proxy.dialects.gemini.counting import CountTurn
from understudy_proxy.dialects.gemini.embeddings import EmbeddingTurn
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.provider import GeminiTurn
from understudy_proxy.dialects.gemini.request import read
from understudy_proxy.dialects.gemini.schema import subset
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.failure import UpstreamFailure

HI = Message(Role.USER, (Text("Hi"),))
GEMINI = Signature("c2ln", Issuer.GEMINI)
ANTHROPIC = Signature("sig", Issuer.ANTHROPIC)


def _turn(chat: Chat, model: str = "gemini-2.5-flash") -> GeminiTurn:
    return GeminiTurn(chat, a_candidate("ai/google:m", a_model(upstream_name=model)))


def _sent(*messages: Message, model: str = "gemini-2.5-flash", **more: Any) -> dict[str, Any]:
    body = orjson.loads(_turn(Chat("chat", messages or (HI,), **more), model).call.body)
    assert isinstance(body, dict)
    return body


def _said(*parts: Part) -> Message:
    return Message(Role.ASSISTANT, parts)


def _parts(*messages: Message, model: str = "gemini-2.5-flash") -> list[Any]:
    return [content["parts"] for content in _sent(*messages, model=model)["contents"]]


def test_a_conversation_that_the_assistant_begins() -> None:
    """Gemini wants the user first."""
    roles = [content["role"] for content in _sent(_said(Text("Hello.")), HI)["contents"]]
    assert roles == ["user", "model", "user"]


def test_nothing_is_sent_empty() -> None:
    """Empty texts are left out; a user's turn with nothing in it stays a turn, an assistant's does not."""
    assert _parts(HI, _said(Text("")), Message(Role.USER, (Text(""), Text("Go on.")))) == [
        [{"text": "Hi"}, {"text": "Go on."}]
    ]
    (placeholder,) = _parts(Message(Role.USER, (Text(""),)))[0]
    assert placeholder["text"].strip()


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        pytest.param((Thinking("Hm.", ANTHROPIC), Text("Hi")), [{"text": "Hi"}], id="another vendor's thoughts"),
        pytest.param((Thinking(redacted="x"), Text("Hi")), [{"text": "Hi"}], id="redacted ones"),
        pytest.param(
            (Thinking("Hm.", GEMINI), Text("Hi")),
            [{"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"}, {"text": "Hi"}],
            id="its own",
        ),
        pytest.param((Refusal("No."),), [{"text": "No."}], id="a refusal"),
    ],
)
def test_what_an_assistant_said(parts: tuple[Part, ...], sent: list[Any]) -> None:
    """Reasoning comes back to whom it is from, and to nobody else."""
    assert _parts(HI, _said(*parts), HI)[1] == sent


def _calls(*signatures: Signature | None) -> Message:
    return _said(*(ToolCall(f"c{n}", "f", "{}", one) for n, one in enumerate(signatures)))


@pytest.mark.parametrize(
    ("model", "message", "marks"),
    [
        pytest.param("gemini-3-pro", _calls(None, None), ["escape", None], id="nobody signed"),
        pytest.param("gemini-3-pro", _calls(ANTHROPIC), ["escape"], id="another vendor signed"),
        pytest.param("gemini-3-pro", _calls(GEMINI, None), ["c2ln", None], id="Gemini signed the first"),
        pytest.param("gemini-flash-latest", _calls(None), ["escape"], id="a model of unknown age"),
        pytest.param("gemini-2.5-pro", _calls(None), [None], id="a model that wants none"),
        pytest.param(
            "gemini-3-pro", _said(Thinking(signature=GEMINI), ToolCall("c", "f", "{}")), ["c2ln"], id="it stood before"
        ),
    ],
)
def test_signatures_of_calls(model: str, message: Message, marks: list[str | None]) -> None:
    """The first call of a turn has its signature, or what Gemini takes for one."""
    escape = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
    written = _parts(HI, message, HI, model=model)[1]
    assert [part.get("thoughtSignature") for part in written] == [
        escape if mark == "escape" else mark for mark in marks
    ]


@pytest.mark.parametrize(
    ("text", "response"),
    [
        pytest.param("4 degrees", {"output": "4 degrees"}, id="words"),
        pytest.param('{"celsius": 4}', {"celsius": 4}, id="an object"),
        pytest.param("[1, 2]", {"output": "[1, 2]"}, id="a list"),
        pytest.param("{}", {"output": "{}"}, id="an empty object"),
        pytest.param('{"id": 90071992547409931}', {"output": '{"id": 90071992547409931}'}, id="a long number"),
        pytest.param('{"broken', {"output": '{"broken'}, id="no JSON"),
        pytest.param("", {"output": ""}, id="nothing"),
    ],
)
def test_results_are_objects(text: str, response: dict[str, Any]) -> None:
    """Whatever a function returned, Gemini gets an object, and nothing in it changed."""
    result = ToolResult("c0", (Text(text),))
    (part,) = _parts(HI, _calls(None), Message(Role.USER, (result,)))[2]
    assert part == {"functionResponse": {"id": "c0", "name": "f", "response": response}}


def test_pictures_in_results() -> None:
    """They follow the result, since an object cannot hold them."""
    result = ToolResult("c0", (Text("Look:"), Image("image/png", "AAAA")))
    parts = _parts(HI, _calls(None), Message(Role.USER, (result, Text("And?"))))[2]
    assert [next(iter(part)) for part in parts] == ["functionResponse", "inlineData", "text"]
    assert "Look:" in parts[0]["functionResponse"]["response"]["output"]


def test_a_result_of_no_call() -> None:
    """Gemini wants the name of the function, which nobody knows."""
    with pytest.raises(Unsupported, match="nowhere"):
        _sent(HI, Message(Role.USER, (ToolResult("nowhere", ()),)))


@pytest.mark.parametrize("arguments", ["[]", "{", "7"])
def test_arguments_that_are_no_object(arguments: str) -> None:
    """They are the client's mistake."""
    with pytest.raises(RequestError):
        _sent(HI, _said(ToolCall("c", "f", arguments)), HI)


@pytest.mark.parametrize(
    ("medium", "part"),
    [
        pytest.param(Image(url="https://e.com/a.PNG?x=1"), ("fileData", "image/png"), id="an image by its ending"),
        pytest.param(Image(url="https://e.com/a"), ("fileData", "image/jpeg"), id="an image without one"),
        pytest.param(Image(data="AAAA"), ("inlineData", "image/jpeg"), id="an image of no type"),
        pytest.param(Document("application/pdf", data="AAAA"), ("inlineData", "application/pdf"), id="a file"),
        pytest.param(Audio("audio/mp3", "AAAA"), ("inlineData", "audio/mp3"), id="sound"),
    ],
)
def test_media(medium: Part, part: tuple[str, str]) -> None:
    """Each has a type, guessed if need be: Gemini refuses one without."""
    ((written,),) = _parts(Message(Role.USER, (medium,)))
    ((name, value),) = written.items()
    assert (name, value["mimeType"]) == part


@pytest.mark.parametrize(
    ("model", "reasoning", "config", "warned"),
    [
        pytest.param("gemini-2.5-flash", Reasoning(Effort.NONE), (False, 0, None), False, id="2.5 off"),
        pytest.param("gemini-2.5-flash", Reasoning(Effort.HIGH), (True, 4096, None), False, id="2.5 by effort"),
        pytest.param("gemini-2.5-flash", Reasoning(budget_tokens=300), (True, 300, None), False, id="2.5 by budget"),
        pytest.param("gemini-2.5-flash", Reasoning(), (True, -1, None), False, id="2.5 by itself"),
        pytest.param("gemini-2.5-pro", Reasoning(Effort.NONE), (False, 128, None), True, id="2.5 Pro cannot be off"),
        pytest.param("gemini-2.5-flash-lite", Reasoning(budget_tokens=5), (True, 512, None), False, id="2.5 lite"),
        pytest.param("gemini-3-pro", Reasoning(Effort.MAX), (True, None, "XHIGH"), False, id="3 by effort"),
        pytest.param("gemini-3-pro", Reasoning(budget_tokens=50_000), (True, None, "HIGH"), False, id="3 by budget"),
        pytest.param("gemini-3-pro", Reasoning(Effort.NONE), (False, None, "MINIMAL"), True, id="3 cannot be off"),
        pytest.param("gemini-3.1-pro", Reasoning(visible=False), (False, None, None), False, id="unseen"),
    ],
)
def test_thinking(model: str, reasoning: Reasoning, config: tuple[bool, int | None, str | None], warned: bool) -> None:
    """Each generation is told in its own way, never in two, and what it cannot do is said."""
    turn = _turn(Chat("chat", (HI,), reasoning=reasoning), model)
    written = orjson.loads(turn.call.body)["generationConfig"]["thinkingConfig"]
    assert (written["includeThoughts"], written.get("thinkingBudget"), written.get("thinkingLevel")) == config
    assert bool(turn.call.warnings) is warned


def test_tools_that_take_nothing() -> None:
    """An object without properties is refused by older models, so it is left out for all."""
    empty: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    tools = (Tool("a"), Tool("b", parameters=empty), Tool("c", parameters={"type": "object"}))
    for model in ("gemini-2.0-flash", "gemini-3-pro"):
        declared = _sent(tools=tools, model=model)["tools"][0]["functionDeclarations"]
        assert declared == [{"name": "a"}, {"name": "b"}, {"name": "c"}]


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        pytest.param(None, None, id="nothing said"),
        pytest.param(ToolChoice(ToolMode.AUTO), None, id="auto"),
        pytest.param(ToolChoice(ToolMode.NONE), {"mode": "NONE"}, id="none"),
        pytest.param(ToolChoice(ToolMode.REQUIRED), {"mode": "ANY"}, id="required"),
        pytest.param(
            ToolChoice(ToolMode.REQUIRED, ("a b",)), {"mode": "ANY", "allowedFunctionNames": ["a_b"]}, id="one of them"
        ),
        pytest.param(
            ToolChoice(ToolMode.AUTO, ("a b",)),
            {"mode": "VALIDATED", "allowedFunctionNames": ["a_b"]},
            id="some",
        ),
    ],
)
def test_tool_choice(choice: ToolChoice | None, calling: dict[str, Any] | None) -> None:
    """Names go with the modes that take them, as Gemini knows them."""
    body = _sent(tools=(Tool("a b"), Tool("c")), tool_choice=choice)
    assert body.get("toolConfig", {}).get("functionCallingConfig") == calling


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=8))
def test_names_of_functions(names: list[str]) -> None:
    """Whatever they are, Gemini gets names that it takes, all different, and each is known again."""
    functions = FunctionNames(names)
    given_names = [functions.given(name) for name in names]
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}", name) for name in given_names)
    assert len(set(given_names)) == len(names)
    assert [functions.meant(name) for name in given_names] == names


def test_many_names_that_are_alike() -> None:
    """They get numbers, and that takes no longer than there are many."""
    names = [f"{'x' * 70}{number}" for number in range(20_000)]
    functions = FunctionNames(names)
    assert len({functions.given(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "chat",
    [
        pytest.param({"sampling": Sampling(stop=tuple("abcdef"))}, id="six stop sequences"),
        pytest.param({"messages": (Message(Role.USER, (Document("application/pdf"),)),)}, id="a file that is nowhere"),
    ],
)
def test_what_gemini_cannot_do(chat: dict[str, Any]) -> None:
    """What changes the meaning of a request is not left out of it."""
    with pytest.raises(Unsupported):
        _turn(Chat(**{"model": "chat", "messages": (HI,), **chat}))


def test_what_changes_nothing_is_said() -> None:
    """Each thing that Gemini has no word for is a sentence for the client."""
    chat = Chat(
        "chat",
        (Message(Role.USER, (Text("Hi", cache=CacheMark()), Image(data="AAAA", detail="low"))),),
        tools=(Tool("f", strict=True),),
        parallel_tool_calls=False,
        sampling=Sampling(logit_bias={"1": 1}, seed=2**40),
        user="me",
        service_tier="flex",
        extra={"metadata": {}},
    )
    told = " ".join(_turn(chat).call.warnings)
    for word in ("metadata", "user", "service_tier", "cache", "detail", "logit_bias", "parallel", "strict", "seed"):
        assert word in told


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        pytest.param({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}, id="types"),
        pytest.param({"enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}, id="a null"),
        pytest.param(
            {"allOf": [{"type": "object", "properties": {"a": {}}}, {"properties": {"b": {}}, "required": ["b"]}]},
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]},
            id="all of",
        ),
        pytest.param({"oneOf": [{"type": "string"}]}, {"type": "string"}, id="one of one"),
        pytest.param({"items": True, "type": "array"}, {"type": "array", "items": {}}, id="a schema that is true"),
        pytest.param(
            {"type": "object", "properties": {"a": {}}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": {}}, "required": ["a"]},
            id="a property that is not there",
        ),
    ],
)
def test_older_schemas(schema: dict[str, Any], written: dict[str, Any]) -> None:
    """JSON Schema in the words of OpenAPI's part that older models take."""
    assert subset(schema, param="s") == written


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "#"}, id="itself"),
        pytest.param({"$ref": "#/$defs/none"}, id="nothing"),
        pytest.param({"$ref": "https://e.com/s.json"}, id="somewhere else"),
        pytest.param(
            {
                "$defs": {"t": {"properties": {"l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}}}},
                "$ref": "#/$defs/t",
            },
            id="a tree",
        ),
        pytest.param({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}] * 9}}, "$ref": "#/$defs/a"}, id="a bomb"),
    ],
)
def test_schemas_that_cannot_be_written_out(schema: dict[str, Any]) -> None:
    """What refers to itself has no end there: older models cannot be told, and telling takes no time."""
    with pytest.raises(Unsupported):
        subset(schema, param="s")


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
OBJECTS = st.dictionaries(WORDS, st.integers(-(2**40), 2**40) | st.text(max_size=9) | st.booleans(), max_size=3)
IMAGES = st.builds(Image, media_type=st.sampled_from(["image/png", "image/webp"]), data=st.just("iVBORw0KGgo="))
SIGNED = st.builds(Thinking, WORDS, st.just(GEMINI))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """What client and models may have said, with every call answered; texts are whole, as a client sends them."""
    messages = []
    for turn in range(draw(st.integers(1, 3))):
        messages.append(Message(Role.USER, (Text(draw(WORDS)), *draw(st.lists(IMAGES, max_size=1)))))
        names = draw(st.lists(st.sampled_from(["f", "g"]), max_size=3))
        calls = [
            ToolCall(f"c{turn}{n}", name, orjson.dumps(draw(OBJECTS)).decode(), None if n else GEMINI)
            for n, name in enumerate(names)
        ]
        messages.append(_said(*draw(st.lists(SIGNED, max_size=1)), Text(draw(WORDS)), *calls))
        if calls:
            returned = draw(WORDS.filter(lambda text: not text.lstrip().startswith("{")))
            results = [ToolResult(call.id, (Text(returned),), call.name) for call in calls]
            messages += [Message(Role.USER, tuple(results)), _said(Text(draw(WORDS)))]
    return (*messages, Message(Role.USER, (Text(draw(WORDS)),)))


@given(
    conversations(),
    st.lists(WORDS.map(Text), max_size=1).map(tuple),
    st.builds(Sampling, temperature=st.none() | st.floats(0, 2), top_k=st.none() | st.integers(1, 40)),
    st.none() | st.just(JsonFormat({"type": "object"})),
)
def test_there_and_back(
    messages: tuple[Message, ...], system: tuple[Text, ...], sampling: Sampling, wanted: JsonFormat | None
) -> None:
    """A conversation in Google's words, read as a client's, is the same conversation."""
    chat = Chat("chat", messages, system=system, sampling=sampling, format=wanted, tools=(Tool("f"), Tool("g")))
    again = chat_of(read(_turn(chat, "gemini-3-pro").call.body, model="chat"))
    assert replace(again, tools=()) == replace(chat, tools=())


def _on_vertex(model: str = "text-embedding-005") -> Any:
    provider = a_provider("ai/google", serves={"m": a_model(upstream_name=model)}, type="VertexAI")
    return a_runtime(provider).upstreams["ai/google"].candidates["m"]


def test_vectors() -> None:
    """Several texts are one request, on either of Google's APIs; the vectors keep their order."""
    wanted = Embedding("chat", ("a", "b"), dimensions=3)
    developer = EmbeddingTurn(wanted, a_candidate("ai/google:m", a_model(upstream_name="gemini-embedding-001")))
    assert developer.call.path == "/models/gemini-embedding-001:batchEmbedContents"
    assert orjson.loads(developer.call.body)["requests"][1] == {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": "b"}]},
        "outputDimensionality": 3,
    }
    vertex = EmbeddingTurn(wanted, _on_vertex())
    assert vertex.call.path == "/models/text-embedding-005:predict"
    body = {"instances": [{"content": "a"}, {"content": "b"}], "parameters": {"outputDimensionality": 3}}
    assert orjson.loads(vertex.call.body) == body
    one = {"embeddings": {"values": [1.0], "statistics": {"token_count": 2}}}
    for turn, answer in (
        (developer, {"embeddings": [{"values": [1.0]}, {"values": [2]}]}),
        (vertex, {"predictions": [one, {"embeddings": {"values": [2]}}]}),
    ):
        vectors = turn.read(200, {}, orjson.dumps(answer))
        assert isinstance(vectors, Vectors)
        assert [list(vector) for vector in vectors.vectors] == [[1.0], [2]]


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"embeddings":[{"values":[1]}]}', b'{"embeddings":[{},{}]}'])
def test_vectors_that_are_missing(answer: bytes) -> None:
    """Fewer vectors than texts are no answer."""
    turn = EmbeddingTurn(Embedding("chat", ("a", "b")), a_candidate("ai/google:m"))
    assert isinstance(turn.read(200, {}, answer), UpstreamFailure)


def test_tokens_are_no_text() -> None:
    """Tokens of OpenAI's tokenizer mean nothing to Gemini."""
    with pytest.raises(Unsupported):
        EmbeddingTurn(Embedding("chat", ((1, 2),)), a_candidate("ai/google:m"))


def test_counts() -> None:
    """A count is asked for as each API takes it, and zero, which is left out, is zero."""
    chat = Chat("chat", (HI,), tools=(Tool("f"),), tool_choice=ToolChoice(ToolMode.REQUIRED))
    developer = CountTurn(chat, a_candidate("ai/google:m", a_model(upstream_name="gemini-2.5-flash")))
    inner = orjson.loads(developer.call.body)["generateContentRequest"]
    assert inner["model"] == "models/gemini-2.5-flash"
    assert "toolConfig" in inner
    vertex = orjson.loads(CountTurn(chat, _on_vertex("gemini-2.5-flash")).call.body)
    assert vertex.keys() == {"contents", "tools"}
    assert developer.read(200, {}, b'{"totalTokens":7}') == 7
    assert developer.read(200, {}, b"{}") == 0
    assert isinstance(developer.read(404, {}, b""), UpstreamFailure)
