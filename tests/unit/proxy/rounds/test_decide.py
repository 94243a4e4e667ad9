"""What is done after an answer of a model, case by case."""

import pytest

from understudy_proxy.dialects.canonical.answer import Choice, Finish
from understudy_proxy.dialects.canonical.content import AssistantPart, Text, Thinking, ToolCall
from understudy_proxy.rounds.decide import MAX_CALLS, Deliver, Functions, Planned, Round, Step, after

FUNCTIONS = Functions(gateway=frozenset({"search", "sums"}), client=frozenset({"open_file"}))
WORDS = Text("Let me see.")
THOUGHT = Thinking("hm")
SEARCH = ToolCall("1", "search", "{}")
SUMS = ToolCall("2", "sums", "{}")
OPEN = ToolCall("3", "open_file", "{}")
MADE_UP = ToolCall("4", "serach", "{}")
NO_SUCH = "There is no function 'serach'. There are: open_file, search, sums."


def said(*parts: AssistantPart, finish: Finish = Finish.TOOL_CALLS) -> Choice:
    """A turn of the model."""
    return Choice(parts, finish)


@pytest.mark.parametrize(
    ("choice", "step"),
    [
        pytest.param(said(WORDS, finish=Finish.STOP), Deliver((WORDS,), Finish.STOP), id="words"),
        pytest.param(said(finish=Finish.STOP), Deliver((), Finish.STOP), id="nothing at all"),
        pytest.param(said(WORDS, finish=Finish.LENGTH), Deliver((WORDS,), Finish.LENGTH), id="words that are cut off"),
        pytest.param(said(WORDS), Deliver((WORDS,), Finish.STOP), id="says that it calls, and does not"),
        pytest.param(
            said(THOUGHT, WORDS, SEARCH, SUMS),
            Round((THOUGHT, WORDS, SEARCH, SUMS), (Planned(SEARCH), Planned(SUMS))),
            id="calls of the gateway's tools",
        ),
        pytest.param(said(SEARCH, finish=Finish.STOP), Round((SEARCH,), (Planned(SEARCH),)), id="a call that 'stops'"),
        pytest.param(said(WORDS, OPEN), Deliver((WORDS, OPEN), Finish.TOOL_CALLS), id="a call of the client's"),
        pytest.param(said(OPEN, finish=Finish.STOP), Deliver((OPEN,), Finish.TOOL_CALLS), id="the same, 'stopping'"),
        pytest.param(
            said(WORDS, SEARCH, OPEN, MADE_UP), Deliver((WORDS, OPEN), Finish.TOOL_CALLS), id="calls of both's tools"
        ),
        pytest.param(
            said(OPEN, finish=Finish.LENGTH), Deliver((OPEN,), Finish.LENGTH), id="a call of the client's, cut off"
        ),
        pytest.param(said(MADE_UP), Round((MADE_UP,), (Planned(MADE_UP, NO_SUCH),)), id="a function that is none"),
        pytest.param(
            said(SEARCH, MADE_UP),
            Round((SEARCH, MADE_UP), (Planned(SEARCH), Planned(MADE_UP, NO_SUCH))),
            id="one that is, one that is none",
        ),
        pytest.param(
            said(WORDS, SEARCH, finish=Finish.LENGTH), Deliver((WORDS,), Finish.LENGTH), id="arguments that are cut off"
        ),
        pytest.param(
            said(SEARCH, finish=Finish.CONTENT_FILTER), Deliver((), Finish.CONTENT_FILTER), id="a filter in between"
        ),
    ],
)
def test_what_comes_next(choice: Choice, step: Step) -> None:
    """Who has to act after an answer: the client, or the gateway."""
    assert step == after(choice, functions=FUNCTIONS, in_time=True, last=False)


@pytest.mark.parametrize(
    ("choice", "step"),
    [
        pytest.param(said(WORDS, finish=Finish.STOP), Deliver((WORDS,), Finish.STOP), id="words"),
        pytest.param(
            said(WORDS, SEARCH), Deliver((WORDS,), Finish.LENGTH, gave_up=True), id="calls although it must not"
        ),
        pytest.param(said(OPEN), Deliver((OPEN,), Finish.TOOL_CALLS), id="a call of the client's all the same"),
    ],
)
def test_the_last_answer_is_the_clients(choice: Choice, step: Step) -> None:
    """After the last round the gateway runs nothing any more, whatever the model says."""
    assert step == after(choice, functions=FUNCTIONS, in_time=True, last=True)


def test_nothing_is_run_when_time_is_up() -> None:
    """The model is told instead of a result, for every call."""
    step = after(said(SEARCH, MADE_UP), functions=FUNCTIONS, in_time=False, last=False)
    assert isinstance(step, Round)
    late, unknown = (planned.instead for planned in step.calls)
    assert late is not None
    assert "time" in late
    assert NO_SUCH == unknown


def test_a_round_is_bounded() -> None:
    """However many calls a model makes in one turn, only so many are run, and it hears of the others."""
    calls = tuple(ToolCall(str(number), "search", "{}") for number in range(MAX_CALLS + 2))
    step = after(said(*calls), functions=FUNCTIONS, in_time=True, last=False)
    assert isinstance(step, Round)
    assert [False] * MAX_CALLS + [True] * 2 == [planned.instead is not None for planned in step.calls]
