"""OpenAI's Responses API: items, named events, and what a request may hold."""

import json
from base64 import b64encode
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Media, MediaKind, Operation, Tool
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.responses import Responses
from understudy.mock.failures import RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings
from understudy.mock.signatures import signature

RESPONSES = Responses()
STAMP = Stamp("ada", 7, 1700000000)
CALL = Call(Operation.CHAT)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "name": "weather", "parameters": PARAMETERS}
TIME = {"type": "function", "name": "time"}
TOOLS = (Tool("weather", PARAMETERS), Tool("time", {"type": "object"}))
IMAGE = f"data:image/png;base64,{b64encode(b'png').decode()}"
CALLED = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
RETURNED = {"type": "function_call_output", "call_id": "c1", "output": "rain"}

CHATS = [
    pytest.param({"said": "Hi"}, id="text"),
    pytest.param({"said": '"quoted" — 🙂\n'}, id="text to escape"),
    pytest.param({"said": "[call: 1, 2]"}, id="two calls"),
    pytest.param({"said": "[think: hm so] [say: See] [call: 1, 2]"}, id="all at once"),
    pytest.param({"said": "[refuse]"}, id="a refusal"),
    pytest.param({"said": "Hi", "max_tokens": 2}, id="cut off"),
    pytest.param({"said": "[cached: 7] [written: 2]", "prompt_tokens": 20}, id="cached"),
]


def read(**body: Any) -> Chat:
    """Read a request."""
    return RESPONSES.chat(CALL, {"model": "gpt", "input": "Hi", **body})


def whole(ask: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    answer: dict[str, Any] = json.loads(RESPONSES.answer(ask, reply_to(ask, name="ada", settings=Settings()), STAMP))
    return answer


def events(content: bytes) -> list[dict[str, Any]]:
    """Return the events in some bytes; the name of each is the type in its data."""
    found = []
    for event in content.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def streamed(ask: Chat) -> list[dict[str, Any]]:
    """Return the events of the answer as a stream."""
    stream = RESPONSES.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    return events(b"".join((*stream.opening, *stream.pieces, *stream.closing)))


def folded(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the items together from the deltas alone."""
    items: list[dict[str, Any]] = []
    for event in told:
        if event["type"] == "response.output_item.added":
            assert event["output_index"] == len(items)
            items.append(event["item"])
        elif event["type"] == "response.content_part.added":
            items[event["output_index"]]["content"].append(event["part"])
        elif event["type"] == "response.reasoning_summary_part.added":
            items[event["output_index"]]["summary"].append(event["part"])
        elif event["type"].endswith(".delta"):
            holder, name = _grown(items[event["output_index"]], event)
            holder[name] += event["delta"]
    return items


def _grown(item: dict[str, Any], event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return what a delta adds to."""
    assert item["id"] == event["item_id"]
    match event["type"].split(".")[1]:
        case "output_text":
            return item["content"][event["content_index"]], "text"
        case "refusal":
            return item["content"][event["content_index"]], "refusal"
        case "reasoning_summary_text":
            return item["summary"][event["summary_index"]], "text"
        case kind:
            assert kind == "function_call_arguments"
            return item, "arguments"


@pytest.mark.parametrize("asked", CHATS)
def test_a_stream_says_what_the_answer_says(asked: dict[str, Any]) -> None:
    """The last event holds the answer in one piece; its items are what the deltas add up to."""
    ask = Chat("gpt", tools=TOOLS, **asked)
    told, answer = streamed(ask), whole(ask)
    items = folded(told)
    for item, final in zip(items, answer["output"], strict=True):
        item |= {name: final[name] for name in ("status",) if name in final}
    assert (answer, answer["output"]) == (told[-1]["response"], items)


@pytest.mark.parametrize("asked", CHATS)
def test_events_are_numbered(asked: dict[str, Any]) -> None:
    """Numbers count up from zero."""
    told = streamed(Chat("gpt", tools=TOOLS, **asked))
    assert list(range(len(told))) == [event["sequence_number"] for event in told]


def test_the_order_of_events() -> None:
    """Each item is announced, brought, finished and repeated whole; nothing follows the end."""
    kinds = [event["type"] for event in streamed(Chat("gpt", said="[think: hm] [say: See] [call: 2]", tools=TOOLS))]
    assert [kind.removeprefix("response.") for kind in kinds] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]


def test_a_piece_is_a_delta() -> None:
    """What begins and ends an item goes out with content, so that scripts count content alone."""
    ask = Chat("gpt", said="[think: hm so] [say: one two]")
    stream = RESPONSES.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    assert [4] == [len(stream.pieces)]
    assert ["hm", " so", "one", " two"] == [events(piece)[-1]["delta"] for piece in stream.pieces]


@pytest.mark.parametrize(
    ("asked", "status", "details"),
    [
        pytest.param({"said": "Hi"}, "completed", None, id="an end"),
        pytest.param({"said": "Hi", "max_tokens": 2}, "incomplete", {"reason": "max_output_tokens"}, id="cut off"),
        pytest.param({"said": "[refuse]"}, "completed", None, id="a refusal"),
    ],
)
def test_ends(asked: dict[str, Any], status: str, details: Any) -> None:
    """A response tells whether it is complete, and why not."""
    answer = whole(Chat("gpt", **asked))
    assert (status, details, status) == (answer["status"], answer["incomplete_details"], answer["output"][0]["status"])


def test_usage() -> None:
    """Tokens in include those of a cache; tokens out include those of thoughts."""
    assert whole(Chat("gpt", said="[think: a b] [say: c] [cached: 7] [written: 2]", prompt_tokens=20))["usage"] == {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 2},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 23,
    }


def test_an_earlier_response_is_told_again() -> None:
    """`previous_response_id` is taken, and comes back."""
    assert whole(read(previous_response_id="resp_1"))["previous_response_id"] == "resp_1"
    assert whole(read())["previous_response_id"] is None


@pytest.mark.parametrize(
    ("given", "said", "result"),
    [
        pytest.param("Hello", "Hello", None, id="a text"),
        pytest.param([{"role": "user", "content": "Hello"}], "Hello", None, id="a message without a type"),
        pytest.param(
            [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
            "Hello",
            None,
            id="parts",
        ),
        pytest.param(
            [
                {"role": "user", "content": "Hello"},
                {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": signature("openai", "")},
                CALLED,
                CALLED | {"call_id": "c2"},
                RETURNED,
                RETURNED | {"call_id": "c2", "output": [{"type": "input_text", "text": "nine"}]},
            ],
            "Hello",
            "rain, nine",
            id="results",
        ),
        pytest.param(
            [
                {"role": "user", "content": "One"},
                {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
                {"role": "user", "content": "Two"},
            ],
            "Two",
            None,
            id="several turns",
        ),
    ],
)
def test_inputs(given: Any, said: str, result: str | None) -> None:
    """What was said last, and what tools returned last."""
    ask = read(input=given)
    assert (said, result) == (ask.said, ask.tool_result)


def test_media_are_noticed() -> None:
    """Images are bare URLs, files have data."""
    content = [{"type": "input_image", "image_url": IMAGE}, {"type": "input_file", "file_data": IMAGE}]
    expected = (Media(MediaKind.IMAGE, "image/png"), Media(MediaKind.DOCUMENT, "image/png"))
    assert expected == read(input=[{"role": "user", "content": content}]).media


@pytest.mark.parametrize(
    ("choice", "allowed", "forced"),
    [
        pytest.param(None, ["weather", "time"], [], id="as the model likes"),
        pytest.param("none", [], [], id="none"),
        pytest.param("required", ["weather", "time"], ["weather"], id="any"),
        pytest.param({"type": "function", "name": "time"}, ["time"], ["time"], id="a certain one"),
        pytest.param(
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "time"}]},
            ["time"],
            ["time"],
            id="one of some",
        ),
    ],
)
def test_tools(choice: Any, allowed: list[str], forced: list[str]) -> None:
    """What may be called, and what has to be."""
    ask = read(tools=[WEATHER, TIME, {"type": "web_search"}], tool_choice=choice)
    assert (allowed, forced) == ([tool.name for tool in ask.tools], [tool.name for tool in ask.calls])


def test_formats() -> None:
    """A schema is in `text.format`."""
    wanted = {"type": "json_schema", "name": "n", "schema": {"type": "array"}}
    assert (None, {}, {"type": "array"}) == (
        read(text={"format": {"type": "text"}}).schema,
        read(text={"format": {"type": "json_object"}}).schema,
        read(text={"format": wanted}).schema,
    )


@pytest.mark.parametrize(
    ("body", "param", "why"),
    [
        pytest.param({"model": None}, "model", "must provide a model", id="no model"),
        pytest.param({"input": None}, "input", "Missing required", id="no input"),
        pytest.param({"messages": []}, "messages", "moved to 'input'", id="messages"),
        pytest.param({"max_tokens": 9}, "max_tokens", "moved to 'max_output_tokens'", id="max_tokens"),
        pytest.param({"response_format": {}}, "response_format", "moved to 'text.format'", id="response_format"),
        pytest.param({"stop": "END"}, "stop", "Unknown parameter", id="a field it has not"),
        pytest.param(
            {"tools": [{"type": "function", "function": WEATHER}]},
            "tools[0].name",
            "Missing required",
            id="nested tool",
        ),
        pytest.param({"tool_choice": "any"}, "tool_choice", "none, auto, required", id="another choice"),
        pytest.param({"tool_choice": "required"}, "tool_choice", "must be specified with", id="nothing to call"),
        pytest.param(
            {"tool_choice": {"type": "function", "name": "x"}}, "tool_choice", "not found", id="an unknown tool"
        ),
        pytest.param({"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "Supported values", id="a role"),
        pytest.param(
            {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
            "input[0].content[0]",
            "'input_text'",
            id="a part of chat completions",
        ),
        pytest.param(
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            "input[0].content[0]",
            "'output_text'",
            id="a part of the other direction",
        ),
        pytest.param(
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {"url": IMAGE}}]}]},
            "input[0].content[0].image_url",
            "Invalid type",
            id="an image of chat completions",
        ),
        pytest.param({"input": [RETURNED]}, "input", "No tool call found", id="an output of nothing"),
        pytest.param({"input": [CALLED]}, "input", "No tool output found", id="a call without an output"),
        pytest.param(
            {"input": [{"type": "function_call"}]}, "input[0].call_id", "Missing required", id="an empty call"
        ),
        pytest.param({"input": [{"type": []}]}, "input[0].type", "Supported values", id="a type that is none"),
        pytest.param(
            {"input": [{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "AAAA"}]},
            "input[0]",
            "could not be verified",
            id="thoughts of another vendor",
        ),
        pytest.param(
            {"text": {"format": {"type": "json_schema", "json_schema": {}}}}, "text.format.name", "Missing", id="nested"
        ),
    ],
)
def test_bodies_that_are_refused(body: dict[str, Any], param: str, why: str) -> None:
    """A refusal names the field at fault."""
    with pytest.raises(RefusedError) as refused:
        read(**body)
    failure = refused.value.failure
    assert (400, param, True) == (failure.status, failure.param, why in failure.message)


def test_an_earlier_response_may_hold_the_calls() -> None:
    """With `previous_response_id` an output need not have its call in the input."""
    assert "rain" == read(input=[RETURNED], previous_response_id="resp_1").tool_result


@pytest.mark.parametrize(
    ("first", "kind", "error"),
    [
        pytest.param(True, "error", "rate_limit_exceeded", id="first"),
        pytest.param(False, "response.failed", "rate_limit_exceeded", id="later"),
    ],
)
def test_errors_within_a_stream(first: bool, kind: str, error: str) -> None:
    """Before anything was said comes an error, and after it the response has failed."""
    failure = scripted("429", model="gpt")
    (event,) = events(RESPONSES.error_event(CALL, failure, STAMP, first=first))
    told = event if first else event["response"]["error"]
    assert (kind, error, failure.message) == (event["type"], told["code"], told["message"])


@pytest.mark.parametrize(
    ("path", "call"),
    [pytest.param("/v1/responses", CALL, id="create"), pytest.param("/v1/chat/completions", None, id="another path")],
)
def test_paths(path: str, call: Call | None) -> None:
    """One path belongs to it."""
    assert call == RESPONSES.find(Head("POST", path, {}))
