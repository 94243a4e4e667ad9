"""What a mock says."""

import json
from typing import Any

import pytest

from understudy.mock.asks import Chat, Embeddings, Tool
from understudy.mock.replies import Finish, Usage, reply_to, vectors_for
from understudy.mock.settings import Settings

WEATHER = Tool("get_weather", {"type": "object", "properties": {"city": {"type": "string"}}})


def text_of(chat: Chat, **settings: Any) -> str:
    """Return the text of the first answer."""
    return "".join(reply_to(chat, name="ada", settings=Settings(**settings)).choices[0].pieces)


@pytest.mark.parametrize(
    ("chat", "text"),
    [
        pytest.param(Chat("gpt", said="Hi there"), 'This is ada, answering as gpt. You said: "Hi there"', id="an echo"),
        pytest.param(Chat("gpt"), "This is ada, answering as gpt.", id="nothing said"),
        pytest.param(
            Chat("gpt", said="?", tool_result="22 C"),
            'This is ada, answering as gpt. The tool returned: "22 C"',
            id="tool",
        ),
        pytest.param(
            Chat("gpt", said="a" * 300), f'This is ada, answering as gpt. You said: "{"a" * 200}…"', id="long prompt"
        ),
    ],
)
def test_says_who_answers(chat: Chat, text: str) -> None:
    """A person sees which mock and which model answered, and to what."""
    assert text == text_of(chat)


@pytest.mark.parametrize("reply", ["Fine.", "two  words ", "\nlines\n\nof text\n", "", "   ", "één 中文 🙂"])
def test_says_what_it_was_told_to(reply: str) -> None:
    """A reply that was set is said to the letter."""
    assert reply == text_of(Chat("gpt", said="Hi"), reply=reply)


@pytest.mark.parametrize(
    ("tokens", "pieces"),
    [
        pytest.param(1, ("one",), id="fewer than there are"),
        pytest.param(3, ("one", " two", " three"), id="as many as there are"),
        pytest.param(7, ("one", " two", " three", " one", " two", " three", " one"), id="more than there are"),
    ],
)
def test_has_as_many_tokens_as_asked(tokens: int, pieces: tuple[str, ...]) -> None:
    """The number of pieces is the number of tokens, in the answer and in what is charged for it."""
    reply = reply_to(Chat("gpt"), name="ada", settings=Settings(reply="one two three", tokens=tokens))
    assert (pieces, tokens) == (reply.choices[0].pieces, reply.usage.completion_tokens)


@pytest.mark.parametrize(
    ("longest", "text", "finish"),
    [
        pytest.param(2, "one two", Finish.LENGTH, id="too long"),
        pytest.param(3, "one two three", Finish.STOP, id="just fits"),
        pytest.param(None, "one two three", Finish.STOP, id="no bound"),
    ],
)
def test_keeps_to_the_longest_answer(longest: int | None, text: str, finish: Finish) -> None:
    """An answer that is cut off says so."""
    choice = reply_to(Chat("gpt", max_tokens=longest), name="ada", settings=Settings(reply="one two three")).choices[0]
    assert (text, finish) == ("".join(choice.pieces), choice.finish)


def test_calls_the_tool_it_has_to() -> None:
    """A call has the tool's name and arguments that meet its schema, and no text."""
    choice = reply_to(Chat("gpt", calls=(WEATHER,)), name="ada", settings=Settings()).choices[0]
    calls = [(call.name, json.loads("".join(call.arguments))) for call in choice.tool_calls]
    assert calls == [("get_weather", {"city": "city"})]
    assert choice.finish == Finish.TOOL_CALLS
    assert choice.pieces == ()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({}, {"answer": 'This is ada, answering as gpt. You said: "Hi"'}, id="any object"),
        pytest.param(
            {"type": "object", "properties": {"city": {"type": "string"}, "warm": {"type": "boolean"}}},
            {"city": "city", "warm": True},
            id="by schema",
        ),
    ],
)
def test_answers_in_json(schema: dict[str, Any], value: dict[str, Any]) -> None:
    """Where JSON is asked for, the text is JSON, and comes in more than one piece."""
    choice = reply_to(Chat("gpt", said="Hi", schema=schema), name="ada", settings=Settings()).choices[0]
    assert value == json.loads("".join(choice.pieces))
    assert len(choice.pieces) > 1


def test_charges_for_every_choice() -> None:
    """Several answers cost as much as they say in all; the prompt is charged once."""
    reply = reply_to(Chat("gpt", prompt_tokens=10, choices=3), name="ada", settings=Settings(reply="one two"))
    assert (3, Usage(prompt_tokens=10, completion_tokens=6)) == (len(reply.choices), reply.usage)


def test_vectors_tell_texts_apart() -> None:
    """Equal inputs have equal vectors, others have others; all have length 1 and the asked dimensions."""
    first, again, other = vectors_for(
        Embeddings("e", inputs=("a", "a", "b"), dimensions=8, base64=False, prompt_tokens=0)
    )
    assert first == again
    assert first != other
    assert {len(first), len(other)} == {8}
    assert sum(x * x for x in other) == pytest.approx(1.0)
