"""What a client does not see of a conversation, found again by what it does see."""

from dataclasses import replace

import pytest

from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    CacheMark,
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
    UserPart,
)
from understudy_proxy.rounds.decide import Functions
from understudy_proxy.rounds.hidden import filled, key, places

FUNCTIONS = Functions(gateway=frozenset({"search"}), client=frozenset({"open_file"}))
OPEN = ToolCall("c1", "open_file", '{"f":1}')
ME = "ns/Persona/ns/helper"


def user(*parts: UserPart) -> Message:
    """A user's turn."""
    return Message(Role.USER, parts)


def assistant(*parts: AssistantPart) -> Message:
    """A model's turn."""
    return Message(Role.ASSISTANT, parts)


def result(call_id: str) -> ToolResult:
    """What a tool returned."""
    return ToolResult(call_id, (Text("done"),))


HELLO = user(Text("Hello"))
ANSWER = assistant(Text("Well."), OPEN)
BACK = user(result("c1"))
KEPT = key([HELLO], ANSWER, FUNCTIONS, of=ME)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([HELLO, ANSWER, BACK], id="as it was told"),
        pytest.param([HELLO, assistant(Text("Let me see.\n\nWell."), OPEN), BACK], id="with what was said before"),
        pytest.param([HELLO, assistant(replace(OPEN, arguments='{"f": 1}')), BACK], id="arguments written anew"),
        pytest.param([user(Text("Hello", CacheMark())), ANSWER, BACK], id="with marks of what may be cached"),
        pytest.param(
            [HELLO, ANSWER, BACK, assistant(replace(OPEN, id="c2")), user(result("c2"))], id="another call after it"
        ),
    ],
)
def test_a_turn_is_known_again(messages: list[Message]) -> None:
    """By all that was said before it, and by its calls."""
    assert KEPT is not None
    assert (1, KEPT) == places(messages, FUNCTIONS, of=ME)[0]


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([user(Text("Hallo")), ANSWER, BACK], id="another conversation"),
        pytest.param([HELLO, assistant(Text("Hm.")), HELLO, ANSWER, BACK], id="more before it"),
        pytest.param([HELLO, assistant(replace(OPEN, id="c2")), user(result("c2"))], id="another call"),
        pytest.param([HELLO, ANSWER, BACK, assistant(Text("Done.")), HELLO], id="a turn that is past"),
        pytest.param([HELLO, ANSWER, user(result("c1"), Text("And?"))], id="a user who has something new to say"),
        pytest.param([HELLO, assistant(replace(OPEN, id="")), BACK], id="a call without an id"),
        pytest.param([HELLO, assistant(OPEN, ToolCall("c2", "search", "{}")), BACK], id="a call of the gateway's"),
        pytest.param([HELLO, assistant(Text("Well."))], id="no calls"),
    ],
)
def test_no_other_turn_is(messages: list[Message]) -> None:
    """Nothing is put into a conversation that it may not belong to."""
    assert KEPT not in [place.key for place in places(messages, FUNCTIONS, of=ME)]


def test_nobody_else_finds_it() -> None:
    """Of another persona, or on behalf of another caller."""
    (place,) = places([HELLO, ANSWER, BACK], FUNCTIONS, of="other/Persona/ns/helper")
    assert KEPT != place.key


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(assistant(Text("Done.")), id="words"),
        pytest.param(assistant(replace(OPEN, id="")), id="a call without an id"),
    ],
)
def test_what_nobody_comes_back_with_is_not_kept(answer: Message) -> None:
    """A client that gets words has no results to send."""
    assert None is key([HELLO], answer, FUNCTIONS, of=ME)


def test_it_is_put_back_where_it_was() -> None:
    """The turn that the client knows gives way to all that it stood for."""
    hidden = (assistant(ToolCall("c0", "search", "{}")), user(result("c0")), ANSWER)
    assert (HELLO, *hidden, BACK) == filled([HELLO, ANSWER, BACK], {1: hidden})
    assert (HELLO, ANSWER, BACK) == filled([HELLO, ANSWER, BACK], {})
