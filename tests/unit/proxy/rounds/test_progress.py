"""How a conversation goes on after a round of calls."""

import pytest

from understudy_proxy.dialects.canonical.answer import Choice, Finish
from understudy_proxy.dialects.canonical.chat import Chat, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import Message, Role, Text, ToolCall, ToolResult
from understudy_proxy.rounds.decide import Functions, Round
from understudy_proxy.rounds.progress import Bounds, Progress, choice_after
from understudy_proxy.rounds.results import MAX_CHARACTERS, MAX_CHARACTERS_IN_ALL, characters, result_of

FUNCTIONS = Functions(gateway=frozenset({"search"}), client=frozenset())
SEARCH = ToolCall("1", "search", "{}")
RESULT = result_of(SEARCH, "found", failed=False)
HELLO = Message(Role.USER, (Text("Hello"),))
CALLS = Choice((SEARCH,), Finish.TOOL_CALLS)
DONE = Choice((Text("Done."),), Finish.STOP)
NONE = ToolChoice(ToolMode.NONE, firm=False)


def progress(*, rounds: int = 3, deadline: float = 100.0, messages: tuple[Message, ...] = (HELLO,)) -> Progress:
    """A conversation that begins."""
    chat = Chat("m", messages, tools=(Tool("search"),), tool_choice=ToolChoice(ToolMode.REQUIRED))
    return Progress(chat, FUNCTIONS, Bounds(rounds, deadline))


def go_on(one: Progress, *, now: float = 0.0) -> None:
    """One round."""
    step = one.step(CALLS, now=now)
    assert isinstance(step, Round)
    one.go_on(step, [RESULT], now=now)


def test_a_round_is_part_of_the_conversation() -> None:
    """The model is asked again with its calls and their results, and that is also what a session keeps."""
    one = progress()
    go_on(one)
    turns = (Message(Role.ASSISTANT, (SEARCH,)), Message(Role.USER, (RESULT,)))
    assert (HELLO, *turns) == one.chat.messages
    one.step(DONE, now=1)
    assert (*turns, Message(Role.ASSISTANT, DONE.parts)) == one.messages
    assert 1 == one.executed


def test_an_answer_that_the_client_began_is_gone_on_with() -> None:
    """Two turns of one role would be refused by most vendors."""
    begun = Message(Role.ASSISTANT, (Text("Well,"),))
    one = progress(messages=(HELLO, begun))
    go_on(one)
    expected = (HELLO, Message(Role.ASSISTANT, (Text("Well,"), SEARCH)), Message(Role.USER, (RESULT,)))
    assert expected == one.chat.messages


def test_after_the_last_round_an_answer_is_wanted() -> None:
    """So the client gets one out of what is known by then."""
    one = progress(rounds=2)
    go_on(one)
    assert None is one.chat.tool_choice
    go_on(one)
    assert NONE == one.chat.tool_choice


@pytest.mark.parametrize(
    ("now", "choice"), [pytest.param(9.9, None, id="in time"), pytest.param(10.0, NONE, id="too late")]
)
def test_after_the_deadline_an_answer_is_wanted(now: float, choice: ToolChoice | None) -> None:
    """The deadline is one for tools: the answer itself has its own time."""
    one = progress(deadline=10.0)
    go_on(one, now=now)
    assert choice == one.chat.tool_choice


def test_what_was_not_run_does_not_count() -> None:
    """A client is told of calls that were made, not of those that the model was kept from."""
    one = progress(deadline=0.0)
    go_on(one, now=1.0)
    assert 0 == one.executed


@pytest.mark.parametrize(
    ("before", "then"),
    [
        pytest.param(None, None, id="none said"),
        pytest.param(ToolChoice(ToolMode.AUTO), ToolChoice(ToolMode.AUTO), id="auto"),
        pytest.param(NONE, NONE, id="none"),
        pytest.param(ToolChoice(ToolMode.REQUIRED), None, id="any tool"),
        pytest.param(ToolChoice(ToolMode.REQUIRED, ("a",)), None, id="this tool"),
        pytest.param(
            ToolChoice(ToolMode.REQUIRED, ("a", "b")), ToolChoice(ToolMode.AUTO, ("a", "b")), id="one of these tools"
        ),
        pytest.param(ToolChoice(ToolMode.AUTO, ("a",)), ToolChoice(ToolMode.AUTO, ("a",)), id="this tool, or words"),
    ],
)
def test_a_demand_holds_once(before: ToolChoice | None, then: ToolChoice | None) -> None:
    """A model that must call a tool would call one for ever."""
    assert then == choice_after(before)


def test_results_of_many_rounds_fit_a_gateway() -> None:
    """However much tools say in however many rounds, a request takes no more memory than this."""
    one = progress(rounds=100)
    books = [result_of(SEARCH, "x" * MAX_CHARACTERS, failed=False)] * 30
    for _ in range(3):
        step = one.step(CALLS, now=0)
        assert isinstance(step, Round)
        one.go_on(step, books, now=0)
    results = [part for message in one.messages for part in message.parts if isinstance(part, ToolResult)]
    assert 90 == len(results)
    said = sum(characters(result) for result in results)
    assert MAX_CHARACTERS_IN_ALL <= said < MAX_CHARACTERS_IN_ALL + 90 * 100


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("found", "found", id="as it is"),
        pytest.param("", "(nothing)", id="nothing"),
        pytest.param(
            "x" * (MAX_CHARACTERS + 1),
            "x" * MAX_CHARACTERS + f"\n[cut: this is the beginning of {MAX_CHARACTERS + 1} characters]",
            id="more than a model's window takes",
        ),
    ],
)
def test_results_fit_a_model(text: str, read: str) -> None:
    """A tool that answers with a book does not end the conversation."""
    assert (Text(read),) == result_of(SEARCH, text, failed=False).content
