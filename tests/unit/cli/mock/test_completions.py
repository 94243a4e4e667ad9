"""OpenAI's older completions: prompts in, texts out."""

import json
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.completions import Completions
from understudy.mock.failures import RefusedError
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings

COMPLETIONS = Completions()
STAMP = Stamp("ada", 7, 1700000000)
CALL = Call(Operation.CHAT)


def read(**body: Any) -> Chat:
    """Read a request."""
    return COMPLETIONS.chat(CALL, {"model": "gpt", "prompt": "Hi", **body})


def whole(ask: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    answer: dict[str, Any] = json.loads(COMPLETIONS.answer(ask, reply_to(ask, name="ada", settings=Settings()), STAMP))
    return answer


def events(ask: Chat) -> list[Any]:
    """Return the events of the answer as a stream; the last is the text after `data: `."""
    stream = COMPLETIONS.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    told = b"".join((*stream.opening, *stream.pieces, *stream.closing)).decode().split("\n\n")[:-1]
    *chunks, last = [event.removeprefix("data: ") for event in told]
    return [*map(json.loads, chunks), last]


def test_answer() -> None:
    """An answer has a text for each choice, and no message."""
    assert whole(read()) == {
        "id": "cmpl-ada-7",
        "object": "text_completion",
        "created": 1700000000,
        "model": "gpt",
        "choices": [
            {
                "text": 'This is ada, answering as gpt. You said: "Hi"',
                "index": 0,
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 9, "total_tokens": 10},
    }


@pytest.mark.parametrize("body", [{}, {"n": 2}, {"prompt": ["a", "b"]}, {"max_tokens": 2}])
def test_a_stream_says_what_the_answer_says(body: dict[str, Any]) -> None:
    """Put together, the chunks are the answer in one piece; then comes [DONE]."""
    ask = read(stream=True, **body)
    *chunks, done = events(ask)
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        (part,) = chunk["choices"]
        part["text"] = choices.get(part["index"], {"text": ""})["text"] + part["text"]
        choices[part["index"]] = part
    assert (whole(ask)["choices"], "[DONE]") == ([choices[index] for index in sorted(choices)], done)


def test_usage_comes_last_where_it_was_asked_for() -> None:
    """With include_usage, the last chunk has no choices but the usage, and the others have null."""
    ask = read(stream=True, stream_options={"include_usage": True})
    *chunks, last, _ = events(ask)
    assert ({None}, [], whole(ask)["usage"]) == ({chunk["usage"] for chunk in chunks}, last["choices"], last["usage"])


@pytest.mark.parametrize(
    ("prompt", "said", "choices"),
    [
        pytest.param("Hi", "Hi", 1, id="a text"),
        pytest.param(["a", "b"], "a\nb", 2, id="texts"),
        pytest.param([1, 2], "1 2", 1, id="tokens"),
        pytest.param([[1], [2, 3]], "1\n2 3", 2, id="several of tokens"),
    ],
)
def test_prompts(prompt: Any, said: str, choices: int) -> None:
    """A prompt is a text or tokens, and there may be several, each with its own answers."""
    ask = read(prompt=prompt)
    assert (said, choices) == (ask.said, ask.choices)


def test_a_long_answer_is_cut() -> None:
    """Unless told otherwise an answer has at most sixteen tokens."""
    (choice,) = whole(read(prompt="one " * 20))["choices"]
    assert (16, "length") == (len(choice["text"].split()), choice["finish_reason"])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"prompt": None}, "prompt", id="no prompt"),
        pytest.param({"prompt": [1, "a"]}, "prompt", id="mixed"),
        pytest.param({"prompt": {"text": "a"}}, "prompt", id="an object"),
        pytest.param({"model": ""}, "model", id="no model"),
        pytest.param({"n": 65, "prompt": ["a", "b"]}, "n", id="too many answers"),
        pytest.param({"max_tokens": 0}, "max_tokens", id="no tokens"),
        pytest.param({"stream_options": {"include_usage": True}}, "stream_options", id="options without a stream"),
    ],
)
def test_bodies_that_are_refused(body: dict[str, Any], param: str) -> None:
    """A refusal names the field at fault."""
    with pytest.raises(RefusedError) as refused:
        read(**body)
    assert (400, param) == (refused.value.failure.status, refused.value.failure.param)


def test_paths() -> None:
    """One path belongs to it."""
    found = [COMPLETIONS.find(Head("POST", path, {})) for path in ("/v1/completions", "/v1/chat/completions")]
    assert [CALL, None] == found
