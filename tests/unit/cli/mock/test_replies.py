"""What a mock says."""

import json
from typing import Any

import pytest

from understudy.mock.asks import Chat, Media, MediaKind, Tool
from understudy.mock.failures import RefusedError
from understudy.mock.replies import Choice, Finish, Reply, Usage, reply_to
from understudy.mock.settings import Settings

WEATHER = Tool("get_weather", {"type": "object", "properties": {"city": {"type": "string"}}})
TIME = Tool("get.time", {"type": "object"})
TOOLS = (WEATHER, TIME)


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


def reply_of(said: str, **fields: Any) -> Reply:
    """Return the answer to what a user says."""
    return reply_to(Chat("gpt", said=said, **fields), name="ada", settings=Settings())


def choice_of(said: str, **fields: Any) -> Choice:
    """Return the one answer to what a user says."""
    return reply_of(said, **fields).choices[0]


@pytest.mark.parametrize(
    ("said", "called"),
    [
        pytest.param("[call: get_weather]", ["get_weather"], id="one"),
        pytest.param("[call: get.time, get_weather]", ["get.time", "get_weather"], id="several, in this order"),
        pytest.param("[call: get_weather, get_weather]", ["get_weather", "get_weather"], id="one twice"),
        pytest.param("[call: get_time]", ["get.time"], id="a name that a gateway has changed"),
        pytest.param("[call: 2]", ["get.time"], id="by place"),
        pytest.param("[call]", ["get_weather"], id="the first"),
    ],
)
def test_calls_what_the_user_names(said: str, called: list[str]) -> None:
    """The user directs which of the offered tools are called, all in one turn."""
    choice = choice_of(said, tools=TOOLS)
    assert (called, Finish.TOOL_CALLS) == ([call.name for call in choice.tool_calls], choice.finish)


def test_calls_one_where_only_one_may_be() -> None:
    """A request that allows no parallel calls gets the first alone."""
    choice = choice_of("[call: get_weather, get.time]", tools=TOOLS, parallel=False)
    assert [call.name for call in choice.tool_calls] == ["get_weather"]


@pytest.mark.parametrize(
    ("said", "tools"),
    [
        pytest.param("[call: nothing]", TOOLS, id="no such tool"),
        pytest.param("[call: get_weather]", (), id="no tools"),
        pytest.param("[call]", (), id="none to be the first"),
        pytest.param("[call: 3]", TOOLS, id="no such place"),
    ],
)
def test_refuses_to_call_what_is_not_offered(said: str, tools: tuple[Tool, ...]) -> None:
    """A tool that did not arrive is told about, so that nobody takes a text for an answer."""
    with pytest.raises(RefusedError, match="does not offer"):
        choice_of(said, tools=tools)


def test_goes_on_after_the_result() -> None:
    """What the user said before a tool's result has had its answer; only thoughts and counts hold on."""
    reply = reply_of("[call: get_weather] [think: hm so] [cached: 3]", tools=TOOLS, tool_result="22 C")
    choice = reply.choices[0]
    assert "".join(choice.pieces).endswith('The tool returned: "22 C"')
    assert ((), ("hm", " so"), 3) == (choice.tool_calls, choice.thoughts, reply.usage.cached_tokens)


ROUNDS = "[think: hm] [call: get_weather] [then: [say: And] [call: get.time] [then: [say: Done.]]]"


@pytest.mark.parametrize(
    ("rounds", "tools", "expected"),
    [
        pytest.param(0, TOOLS, ("", ["get_weather"]), id="at first"),
        pytest.param(1, TOOLS, ("And", ["get.time"]), id="after the first results"),
        pytest.param(2, TOOLS, ("Done.", []), id="after the second"),
        pytest.param(3, TOOLS, ('This is ada, answering as gpt. The tool returned: "22 C"', []), id="after all of it"),
        pytest.param(1, (), ("And", []), id="when nothing may be called any more"),
    ],
)
def test_does_something_else_after_each_round(
    rounds: int, tools: tuple[Tool, ...], expected: tuple[str, list[str]]
) -> None:
    """One message directs a conversation with several rounds of calls."""
    choice = choice_of(ROUNDS, tools=tools, tool_result="22 C" if rounds else None, rounds=rounds)
    assert expected == ("".join(choice.pieces), [call.name for call in choice.tool_calls])


def test_thinks_and_speaks_and_calls() -> None:
    """One turn can hold all three."""
    choice = choice_of("[think: hm so] [say: Let me see] [call]", tools=TOOLS)
    assert (("hm", " so"), "Let me see", 1) == (choice.thoughts, "".join(choice.pieces), len(choice.tool_calls))


def test_refuses_where_it_is_asked_to() -> None:
    """A refusal says so, with words."""
    choice = choice_of("[refuse]", calls=(WEATHER,))
    assert (Finish.REFUSAL, True, ()) == (choice.finish, bool(choice.pieces), choice.tool_calls)


def test_settings_do_not_change_what_a_user_wants_said() -> None:
    """A text that is asked for is said to the letter, whatever the mock says else."""
    assert text_of(Chat("gpt", said="[say: just this]"), reply="other", tokens=9) == "just this"
    after = text_of(Chat("gpt", said="[say: just this]", tool_result="22 C"), reply="other", tokens=2)
    assert after == "other other"


def test_a_direction_is_no_part_of_the_echo() -> None:
    """What is quoted of the user is what is left."""
    assert text_of(Chat("gpt", said="Hi [cached: 5]")).endswith('You said: "Hi"')


def test_counts_by_kind() -> None:
    """Thoughts are part of what came out, caches of what went in."""
    usage = reply_of("[think: hm so] [say: one two three] [cached: 7] [written: 2]", prompt_tokens=30).usage
    assert Usage(30, 5, cached_tokens=7, written_tokens=2, reasoning_tokens=2) == usage
    assert usage.uncached_tokens == 21


def test_never_counts_more_from_the_cache_than_there_was() -> None:
    """A prompt is at least what a cache had of it."""
    usage = reply_of("[cached: 7] [written: 2]", prompt_tokens=1).usage
    assert (9, 0) == (usage.prompt_tokens, usage.uncached_tokens)


@pytest.mark.parametrize(
    ("stop", "text", "found"),
    [
        pytest.param((), "one two three", None, id="none"),
        pytest.param(("four",), "one two three", None, id="not in it"),
        pytest.param(("two",), "one ", "two", id="a word"),
        pytest.param(("three", "wo"), "one t", "wo", id="within a word, the first"),
        pytest.param(("one",), "", "one", id="at once"),
    ],
)
def test_stops_where_it_is_told_to(stop: tuple[str, ...], text: str, found: str | None) -> None:
    """The text ends before the first of the texts to stop at, and says at which."""
    choice = choice_of("[say: one two three]", stop=stop)
    assert (text, found, Finish.STOP) == ("".join(choice.pieces), choice.stopped_at, choice.finish)


def test_tells_of_media() -> None:
    """A test can see that an image arrived."""
    text = text_of(Chat("gpt", said="See", media=(Media(MediaKind.IMAGE, "image/png"),)))
    assert text == 'This is ada, answering as gpt. You said: "See" It came with 1 image(s) (image/png).'
