"""Ollama's own wire format: lines of JSON, and requests as Go reads them."""

import json
from base64 import b64encode
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Embeddings, Media, MediaKind, Operation, Tool
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.ollama import Ollama
from understudy.mock.failures import RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings

OLLAMA = Ollama()
STAMP = Stamp("ada", 7, 1700000000)
TIME = "2023-11-14T22:13:20.000000000Z"
HI = {"role": "user", "content": "Hi"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
PNG = b64encode(b"\x89PNG\r\n\x1a\n").decode()

CHATS = [
    pytest.param({"said": "Hi"}, id="text"),
    pytest.param({"said": '"quoted" — 🙂\n'}, id="text to escape"),
    pytest.param({"said": "[call: 1, 1]", "tools": (Tool("weather", {}),)}, id="two calls"),
    pytest.param({"said": "[think: hm so] [say: See] [call]", "tools": (Tool("weather", {}),)}, id="all at once"),
    pytest.param({"said": "Hi", "max_tokens": 2}, id="cut off"),
    pytest.param({"said": "[refuse]"}, id="a refusal"),
]


def read(variant: str = "chat", **body: Any) -> Chat:
    """Read a request for an answer."""
    asked = {"messages": [HI]} if variant == "chat" else {"prompt": "Hi"}
    return OLLAMA.chat(Call(Operation.CHAT, variant=variant), {"model": "m", **asked, **body})


def whole(ask: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    answer: dict[str, Any] = json.loads(OLLAMA.answer(ask, reply_to(ask, name="ada", settings=Settings()), STAMP))
    return answer


def lines(ask: Chat) -> list[dict[str, Any]]:
    """Return the lines of the answer as a stream."""
    stream = OLLAMA.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    chunks = (*stream.opening, *stream.pieces, *stream.closing)
    assert all(chunk.endswith(b"}\n") and chunk.count(b"\n") == 1 for chunk in chunks)
    return [json.loads(chunk) for chunk in chunks]


def folded(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Put an answer together from its lines: texts joined, calls collected, the rest from the last."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    for line in told:
        for name, value in line["message"].items():
            message[name] = value if name == "role" else message.get(name, type(value)()) + value
    return {**told[-1], "message": message}


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        pytest.param("POST", "/api/chat", Call(Operation.CHAT, variant="chat"), id="chat"),
        pytest.param("POST", "/api/generate", Call(Operation.CHAT, variant="generate"), id="generate"),
        pytest.param("POST", "/api/embed", Call(Operation.EMBEDDINGS, variant="embed"), id="embed"),
        pytest.param("GET", "/api/tags", Call(Operation.MODELS), id="tags"),
        pytest.param("POST", "/api/show", Call(Operation.MODEL), id="show"),
        pytest.param("GET", "/api/ps", Call(Operation.ABOUT, variant="ps"), id="ps"),
        pytest.param("HEAD", "/", Call(Operation.ABOUT, variant="running"), id="the usual probe"),
        pytest.param("POST", "/api/pull", None, id="another path"),
    ],
)
def test_paths(method: str, path: str, call: Call | None) -> None:
    """Each path has one meaning."""
    assert call == OLLAMA.find(Head(method, path, {}))


def test_answer() -> None:
    """An answer in one piece is one object that is done, with its counts and times in nanoseconds."""
    assert whole(read(stream=False)) == {
        "model": "m",
        "created_at": TIME,
        "message": {"role": "assistant", "content": 'This is ada, answering as m. You said: "Hi"'},
        "done": True,
        "done_reason": "stop",
        "total_duration": 14_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": 5,
        "prompt_eval_duration": 5_000_000,
        "eval_count": 9,
        "eval_duration": 9_000_000,
    }


@pytest.mark.parametrize("asked", CHATS)
def test_a_stream_says_what_the_answer_says(asked: dict[str, Any]) -> None:
    """Put together, the lines are the answer in one piece, and the last alone is done."""
    ask = Chat("m", variant="chat", **asked)
    told = lines(ask)
    assert [False] * (len(told) - 1) + [True] == [line["done"] for line in told]
    assert whole(ask) == folded(told)


def test_a_call_has_arguments_that_are_an_object() -> None:
    """A tool call comes whole, and its arguments are no text."""
    ask = read(messages=[{"role": "user", "content": "[call: weather]"}], tools=[WEATHER])
    (call,) = whole(ask)["message"]["tool_calls"]
    assert {"id": "call_7_0", "function": {"index": 0, "name": "weather", "arguments": {}}} == call


@pytest.mark.parametrize(
    ("think", "seen"), [pytest.param(None, True, id="as the model likes"), pytest.param(False, False, id="not at all")]
)
def test_thoughts(think: bool | None, seen: bool) -> None:
    """A model thinks unless it is told not to."""
    answer = whole(read(messages=[{"role": "user", "content": "[think: hm so] [say: Hello]"}], think=think))
    assert (seen, 3 if seen else 1) == ("thinking" in answer["message"], answer["eval_count"])


def test_generate() -> None:
    """A completion has its text in `response`."""
    ask = read("generate", options={"num_predict": 2})
    assert ("This is", "length") == (whole(ask)["response"], whole(ask)["done_reason"])
    assert ["This", " is", ""] == [line["response"] for line in lines(ask)]


@pytest.mark.parametrize(
    ("variant", "body"),
    [pytest.param("chat", {"messages": []}, id="chat"), pytest.param("generate", {"prompt": ""}, id="generate")],
)
def test_a_request_without_text_loads_the_model(variant: str, body: dict[str, Any]) -> None:
    """Nothing to answer is answered in one piece that says so, stream or not."""
    ask = read(variant, **body)
    assert (False, "load") == (ask.stream, whole(ask)["done_reason"])


def test_a_stream_unless_told_otherwise() -> None:
    """Without `stream` the answer is a stream."""
    assert (True, True, False) == (read().stream, read(stream=None).stream, read(stream=False).stream)


def test_results_of_tools_are_read_in_their_order() -> None:
    """All results that end the conversation count, and none before an answer."""
    messages = [
        HI,
        {"role": "tool", "content": "old"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": {}}}]},
        {"role": "tool", "content": "rain"},
        {"role": "tool", "content": "nine"},
    ]
    assert ("rain, nine", "Hi") == (read(messages=messages).tool_result, read(messages=messages).said)


def test_images_are_noticed() -> None:
    """An image is bare base64, whose bytes tell its type."""
    assert (Media(MediaKind.IMAGE, "image/png"),) == read(messages=[HI | {"images": [PNG]}]).media


@pytest.mark.parametrize(
    ("wanted", "schema"),
    [
        pytest.param(None, None, id="text"),
        pytest.param("", None, id="empty"),
        pytest.param("json", {}, id="any JSON"),
        pytest.param({"type": "array"}, {"type": "array"}, id="a schema"),
    ],
)
def test_formats(wanted: Any, schema: Any) -> None:
    """JSON is asked for by a word or by a schema."""
    assert schema == read(format=wanted).schema


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param({"model": ""}, "model is required", id="no model"),
        pytest.param({"messages": {}}, "type slice", id="messages that are no list"),
        pytest.param({"messages": ["Hi"]}, "api.Message", id="a message that is a text"),
        pytest.param({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "type string", id="parts"),
        pytest.param(
            {"messages": [HI | {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
            "arguments of type map",
            id="arguments as text",
        ),
        pytest.param(
            {"messages": [HI | {"images": [f"data:image/png;base64,{PNG}"]}]}, "illegal base64", id="data URL"
        ),
        pytest.param({"messages": [HI | {"images": ["https://a/b.png"]}]}, "illegal base64", id="another URL"),
        pytest.param({"stream": "no"}, "type bool", id="a text for a switch"),
        pytest.param({"think": "maximal"}, "invalid think value", id="no such effort"),
        pytest.param({"think": []}, "invalid think value", id="a list of efforts"),
        pytest.param({"format": "xml"}, "invalid format", id="no such format"),
        pytest.param({"keep_alive": "soon"}, "invalid duration", id="no duration"),
        pytest.param({"options": {"num_predict": "9"}}, "type integer", id="a text for a number"),
        pytest.param({"options": {"stop": "END"}}, "array of strings", id="one stop"),
    ],
)
def test_bodies_that_are_refused(body: dict[str, Any], why: str) -> None:
    """A wrong type is refused, in Go's words or Ollama's."""
    with pytest.raises(RefusedError) as refused:
        read(**body)
    assert (400, True) == (refused.value.failure.status, why in refused.value.failure.message)


def test_unknown_fields_are_not_noticed() -> None:
    """What Go does not know it drops: `tool_choice`, `max_tokens`, `n`."""
    assert read() == read(tool_choice="required", max_tokens=1, n=3)


@pytest.mark.parametrize(
    ("variant", "body", "answer"),
    [
        pytest.param(
            "embed",
            {"input": ["a", "b"]},
            {"model": "m", "embeddings": [[1.0], [2.0]], "prompt_eval_count": 2},
            id="new",
        ),
        pytest.param("embeddings", {"prompt": "a"}, {"embedding": [1.0]}, id="old"),
    ],
)
def test_embeddings(variant: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    """Several inputs have several vectors; the older path has one."""
    ask = OLLAMA.embeddings(Call(Operation.EMBEDDINGS, variant=variant), {"model": "m", **body})
    told = json.loads(OLLAMA.vectors(ask, [[1.0], [2.0]][: len(ask.inputs)]))
    assert answer == {name: value for name, value in told.items() if not name.endswith("_duration")}


def test_a_text_alone_is_one_input() -> None:
    """`input` may be a text."""
    ask = OLLAMA.embeddings(Call(Operation.EMBEDDINGS, variant="embed"), {"model": "m", "input": "a b"})
    assert Embeddings("m", ("a b",), 16, False, 1, variant="embed") == ask


def test_models() -> None:
    """Installed models and loaded ones have the same names; one is shown by its name in the body."""
    tags = json.loads(OLLAMA.model_list(["m"], STAMP))["models"]
    loaded = json.loads(OLLAMA.about(Call(Operation.ABOUT, variant="ps"), ["m"], STAMP))["models"]
    assert ([("m", "m")], [("m", "m")]) == (
        [(tag["name"], tag["model"]) for tag in tags],
        [(model["name"], model["model"]) for model in loaded],
    )
    call = Call(Operation.MODEL)
    assert ("m", "m") == (OLLAMA.model_of(call, {"model": "m"}), OLLAMA.model_of(call, {"name": "m"}))
    assert "completion" in json.loads(OLLAMA.model_entry("m", STAMP))["capabilities"]


def test_that_it_runs() -> None:
    """The probe gets a sentence, as text."""
    call = Call(Operation.ABOUT, variant="running")
    assert (b"Ollama is running", "text/plain; charset=utf-8") == (
        OLLAMA.about(call, ["m"], STAMP),
        OLLAMA.headers(call, STAMP)["content-type"],
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param("404", "model 'm' not found", id="404"),
        pytest.param("503", "server busy, please try again.  maximum pending requests exceeded", id="503"),
        pytest.param("500", "llama runner process has terminated: exit status 2", id="500"),
    ],
)
def test_errors(error: str, message: str) -> None:
    """An error is a text; within a stream it is a line."""
    failure, call = scripted(error, model="m", words=OLLAMA.words), Call(Operation.CHAT, variant="chat")
    body = OLLAMA.error(call, failure, STAMP)
    assert ({"error": message}, body + b"\n") == (
        json.loads(body),
        OLLAMA.error_event(call, failure, STAMP, first=False),
    )
