"""Remembered messages, left out where there are too many of them: from the oldest on, never half of something."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, Text, ToolCall, ToolResult
from understudy_proxy.dialects.canonical.estimate import beside_messages, of_message
from understudy_proxy.dialects.canonical.trimming import least, with_kept, within


def asks(text: str) -> Message:
    """A user's question."""
    return Message(Role.USER, (Text(text),))


def says(text: str) -> Message:
    """A model's answer."""
    return Message(Role.ASSISTANT, (Text(text),))


def calls(id_: str) -> Message:
    """A model's call of a tool."""
    return Message(Role.ASSISTANT, (ToolCall(id_, "f", "{}"),))


def returns(id_: str, *parts: Text) -> Message:
    """A tool's result, and what the user says beside it."""
    return Message(Role.USER, (ToolResult(id_, (Text("r"),), "f"), *parts))


TALK = (asks("1"), says("a"), asks("2"), calls("x"), returns("x"), says("b"), asks("3"), says("c"))


def chat(*messages: Message, kept: int) -> Chat:
    """A conversation with a system prompt."""
    return Chat(model="m", messages=messages, kept=kept, system=(Text("s"),))


@pytest.mark.parametrize(
    ("messages", "kept", "most", "begins"),
    [
        pytest.param((*TALK, asks("4")), 8, 8, 0, id="all of them"),
        pytest.param((*TALK, asks("4")), 8, 7, 2, id="one too many: the whole first turn goes"),
        pytest.param((*TALK, asks("4")), 8, 5, 6, id="a call goes with its result"),
        pytest.param((*TALK, asks("4")), 8, 1, 8, id="half a turn is none"),
        pytest.param((*TALK, asks("4")), 8, 0, 8, id="none"),
        pytest.param((asks("1"), calls("x"), returns("x")), 2, 0, 0, id="the call that is answered now stays"),
        pytest.param((*TALK, calls("y"), returns("y", Text("and?"))), 9, 0, 6, id="so does its question"),
        pytest.param((asks("new"),), 0, 0, 0, id="nothing is remembered"),
        pytest.param((asks("1"), says("a"), asks("2"), asks("3")), 2, 0, 2, id="what is new is never left out"),
        pytest.param((says("hello"), asks("1"), says("a"), asks("2")), 3, 2, 1, id="an answer never comes first"),
    ],
)
def test_by_number(messages: tuple[Message, ...], kept: int, most: int, begins: int) -> None:
    """The last messages, from a question on."""
    cut = with_kept(chat(*messages, kept=kept), most)
    assert (messages[begins:], kept - begins) == (cut.messages, cut.kept)


def tokens(one: Chat) -> int:
    """What a conversation takes."""
    return beside_messages(one) + sum(of_message(message) for message in one.messages)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=8),
    new=st.integers(0, 400),
    room=st.integers(0, 1500),
)
def test_by_tokens(sizes: list[tuple[int, bool]], new: int, room: int) -> None:
    """It fits, or nothing more can go; nothing goes that could stay; what is new is there, and no pair is broken."""
    kept: list[Message] = []
    for number, (size, tool) in enumerate(sizes):
        kept.append(asks("x" * size))
        kept += [calls(str(number)), returns(str(number))] if tool else []
        kept.append(says("y" * size))
    whole = chat(*kept, asks("z" * new), kept=len(kept))
    cut = within(whole, room)
    gone = len(whole.messages) - len(cut.messages)
    assert whole.messages[gone:] == cut.messages
    assert cut.kept == whole.kept - gone
    assert tokens(cut) <= room or cut == least(whole)
    assert cut.messages[0].role is Role.USER
    assert not any(isinstance(part, ToolResult) for part in cut.messages[0].parts)
    if gone:
        more = next(
            replace(whole, messages=whole.messages[at:], kept=whole.kept - at)
            for at in range(gone - 1, -1, -1)
            if isinstance(whole.messages[at].parts[0], Text) and whole.messages[at].role is Role.USER
        )
        assert tokens(more) > room
