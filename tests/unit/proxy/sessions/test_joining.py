"""What a client sends, joined with what is kept: nothing is lost, nothing is there twice, no tool call stays open."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.dialects.canonical.content import (
    CacheMark,
    Image,
    Issuer,
    Message,
    Part,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.sessions.joining import joined

LOST = "There is no result: the conversation went on without it."


def user(*parts: Part | str) -> Message:
    """What a user says."""
    return Message(Role.USER, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def model(*parts: Part | str) -> Message:
    """What a model answers."""
    return Message(Role.ASSISTANT, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def call(id_: str, name: str = "clock") -> ToolCall:
    """A call of a tool."""
    return ToolCall(id_, name, '{"zone": "UTC"}')


def result(id_: str, text: str = "noon", name: str | None = "clock") -> ToolResult:
    """What a tool returned."""
    return ToolResult(id_, (Text(text),), name)


PICTURE = Image("image/png", "aGk=")
TALK = (user("one"), model("1"), user("two"), model("2"))
ASKED = (user("what time is it?"), model(call("call_a")))
SIGNED = Thinking("hm", Signature("s", Issuer.ANTHROPIC))


@pytest.mark.parametrize(
    ("kept", "sent", "expected", "held"),
    [
        pytest.param((), (user("hi"),), (user("hi"),), 0, id="the first turn"),
        pytest.param(TALK, (user("three"),), (*TALK, user("three")), 4, id="what is new"),
        pytest.param(TALK, (user("two"),), (*TALK, user("two")), 4, id="the same question again is a new one"),
        pytest.param(TALK, (*TALK, user("three")), (*TALK, user("three")), 4, id="everything again"),
        pytest.param(TALK, (*TALK[2:], user("three")), (*TALK, user("three")), 4, id="the end again"),
        pytest.param(TALK[2:], (*TALK, user("three")), (*TALK, user("three")), 4, id="more than is kept"),
        pytest.param(
            (user("one"), model(SIGNED, "1")),
            (user("one"), model(" 1\n"), user("two")),
            (user("one"), model(SIGNED, "1"), user("two")),
            2,
            id="everything again, without thoughts and with other spaces: as it is kept",
        ),
        pytest.param(
            (user(PICTURE, "look"), model("a cat")),
            (user(replace(PICTURE, cache=CacheMark()), "look"), model("a cat"), user("two")),
            (user(PICTURE, "look"), model("a cat"), user("two")),
            2,
            id="everything again, with a picture that is marked",
        ),
        pytest.param(
            (user(PICTURE, "look"), model("a cat")),
            (user(replace(PICTURE, data="b3RoZXI="), "look"), model("a cat"), user("two")),
            (
                user(PICTURE, "look"),
                model("a cat"),
                user(replace(PICTURE, data="b3RoZXI="), "look"),
                model("a cat"),
                user("two"),
            ),
            2,
            id="another picture is another conversation",
        ),
        pytest.param(
            (user("example"), model("so"), user("one"), model("1")),
            (user("example"), model("so"), user("two")),
            (user("example"), model("so"), user("one"), model("1"), user("two")),
            4,
            id="examples before each question",
        ),
        pytest.param(
            TALK,
            (user("one"), model("quite another"), user("two")),
            (*TALK, user("one"), model("quite another"), user("two")),
            4,
            id="another conversation comes after it",
        ),
        pytest.param((user("one"),), (user("two"),), (user("one", "two"),), 0, id="no answer between: one message"),
        pytest.param(
            ASKED, (user(result("call_a")),), (*ASKED, user(result("call_a"))), 2, id="the result of a tool alone"
        ),
        pytest.param(
            ASKED,
            (user(result("", name="clock")),),
            (*ASKED, user(result("call_a"))),
            2,
            id="a result without an id, by its name",
        ),
        pytest.param(
            ASKED, (user(result("call_a", name=None)),), (*ASKED, user(result("call_a"))), 2, id="by its id alone"
        ),
        pytest.param(
            ASKED,
            (user("what time is it?"), model(call("call_1_0")), user(result("call_1_0"))),
            (*ASKED, user(result("call_a"))),
            2,
            id="everything again, with ids of its own",
        ),
        pytest.param(
            ASKED,
            (user("never mind"),),
            (*ASKED, user(ToolResult("call_a", (Text(LOST),), "clock", is_error=True), "never mind")),
            2,
            id="a call that is never answered",
        ),
        pytest.param(
            (user("both"), model(call("a"), call("b", "calendar"))),
            (user(result("b", "today", "calendar"), "and?"),),
            (
                user("both"),
                model(call("a"), call("b", "calendar")),
                user(ToolResult("a", (Text(LOST),), "clock", is_error=True), result("b", "today", "calendar"), "and?"),
            ),
            2,
            id="one of two is answered",
        ),
        pytest.param(
            (*ASKED, user(result("call_a")), model("noon")),
            (*ASKED, user(result("call_a", "midnight"))),
            (*ASKED, user(result("call_a")), model("noon"), *ASKED, user(result("call_a", "midnight"))),
            4,
            id="the same call with another result is another conversation",
        ),
    ],
)
def test_joined(kept: tuple[Message, ...], sent: tuple[Message, ...], expected: tuple[Message, ...], held: int) -> None:
    """The whole conversation, and how much of it is remembered."""
    assert (expected, held) == joined(kept, sent)


RUN = (
    user("what time is it?"),
    model("Let me see.", call("call_a")),
    user(result("call_a")),
    model(SIGNED, call("call_b")),
    user(result("call_b")),
    model("It is noon."),
)
"""Two rounds of tools that the gateway ran."""


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("Let me see.\n\nIt is noon.", id="all that was said on the way"),
        pytest.param("It is noon.", id="the last words alone, as of JSON"),
    ],
)
def test_rounds_that_the_client_never_saw(answer: str) -> None:
    """Sent back as the one answer that they were to the client, they are recognized, and go on as they are kept."""
    sent = (user("what time is it?"), model(answer), user("thanks"))
    whole = joined(RUN, sent, executed=("call_a", "call_b"))
    assert ((*RUN, user("thanks")), 6) == whole
    assert whole == joined(RUN, sent[-1:], executed=("call_a", "call_b"))


def test_a_client_s_call_after_rounds_that_it_never_saw() -> None:
    """Its own call is all that it knows of, and it answers that one by an id of its own."""
    kept = (*RUN[:3], model("And the day?", call("call_c", "calendar")))
    sent = (
        user("what time is it?"),
        model("Let me see.\n\nAnd the day?", call("call_1_1", "calendar")),
        user(result("call_1_1", "monday", "calendar")),
    )
    assert ((*kept, user(result("call_c", "monday", "calendar"))), 4) == joined(kept, sent, executed=("call_a",))


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        pytest.param((), (user(result("call_a")),), id="nobody asked anything"),
        pytest.param(TALK, (user(result("call_a")),), id="no call waits"),
        pytest.param(ASKED, (user(result("call_b", name=None)),), id="another id"),
        pytest.param(ASKED, (user(result("", name="calendar")),), id="another name"),
        pytest.param(ASKED, (user(result("call_a"), result("call_a")),), id="twice"),
        pytest.param(TALK, (user("x"), model("y"), user(result("call_a"))), id="later on"),
    ],
)
def test_a_result_that_nobody_waits_for_is_refused(kept: tuple[Message, ...], sent: tuple[Message, ...]) -> None:
    """A provider would refuse it in words that name messages which the client never sent."""
    with pytest.raises(RequestError, match="waits for none"):
        joined(kept, sent)


TURN = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(" ".join)
CONVERSATION = st.lists(st.tuples(TURN, TURN), max_size=6).map(
    lambda turns: tuple(message for said, answer in turns for message in (user(said), model(answer)))
)


@given(kept=CONVERSATION, new=TURN)
def test_whoever_sends_everything_says_the_same_as_whoever_sends_what_is_new(
    kept: tuple[Message, ...], new: str
) -> None:
    """Both kinds of clients have the same conversation, whose turns alternate."""
    whole = (*kept, user(new))
    assert whole == joined(kept, (user(new),)).messages == joined(kept, whole).messages
    assert all(one.role is not two.role for one, two in pairwise(whole))
