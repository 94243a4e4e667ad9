"""What a client hears of several turns: the same whole and in a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    Issuer,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.rounds.decide import Deliver, Functions, Round, after
from understudy_proxy.rounds.gathering import Gathering
from understudy_proxy.rounds.telling import Telling

FUNCTIONS = Functions(gateway=frozenset({"search"}), client=frozenset({"open_file"}))
SEARCH = ToolCall("1", "search", '{"q":1}')
OPEN = ToolCall("2", "open_file", '{"f":2}')
OPEN_TOO = ToolCall("3", "open_file", '{"f":3}')
MADE_UP = ToolCall("4", "serach", "{}")
SIGNED = Thinking("hm", Signature("s", Issuer.ANTHROPIC))
USAGE = Usage(input=10, output=5, cached_input=3)

Turn = tuple[AssistantPart, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a client made of it."""

    parts: tuple[AssistantPart, ...]
    finish: Finish
    usage: Usage | None


def finish_of(turn: Turn) -> Finish:
    """Why a model would say that it ends."""
    return Finish.TOOL_CALLS if any(isinstance(part, ToolCall) for part in turn) else Finish.STOP


def whole(turns: Sequence[Turn], *, last_words_only: bool = False) -> Heard:
    """Of answers that come whole."""
    gathering = Gathering(FUNCTIONS, last_words_only=last_words_only)
    usage: Usage | None = None
    for turn in turns:
        usage = USAGE if usage is None else usage + USAGE
        choice = Choice(turn, finish_of(turn))
        step = after(choice, functions=FUNCTIONS, in_time=True, last=False)
        if isinstance(step, Deliver):
            said = gathering.delivered(Answer((choice,), USAGE), step, usage)
            return Heard(said.choices[0].parts, said.choices[0].finish, said.usage)
        gathering.add(step.turn)
    raise AssertionError("the last turn has to be an answer")


def events_of(turn: Turn) -> Iterator[Event]:
    """A turn as a provider streams it, letter by letter."""
    yield Began(id="id", model="m")
    calls = 0
    for part in turn:
        match part:
            case Text(text=text):
                yield from (TextDelta(letter) for letter in text)
            case Refusal(text=text):
                yield RefusalDelta(text)
            case Thinking(text=text, signature=signature):
                yield ThinkingDelta(text)
                if signature is not None:
                    yield ThinkingSigned(signature)
            case ToolCall():
                yield ToolCallBegan(calls, part.id, part.name)
                yield from (ArgumentsDelta(calls, letter) for letter in part.arguments)
                calls += 1
    yield KeptAlive()
    yield Finished(finish_of(turn))
    yield Counted(USAGE)
    yield Ended()


def streamed(turns: Sequence[Turn], *, last_words_only: bool = False) -> list[Event]:
    """What the client is told."""
    telling = Telling(FUNCTIONS, last_words_only=last_words_only)
    told: list[Event] = []
    for turn in turns:
        for event in events_of(turn):
            told += telling.hear(event)
        step = after(telling.choice, functions=FUNCTIONS, in_time=True, last=False)
        if isinstance(step, Deliver):
            return [*told, *telling.deliver(step)]
        telling.go_on()
    raise AssertionError("the last turn has to be an answer")


CASES = [
    pytest.param([(Text("Hi."),)], (Text("Hi."),), id="no calls"),
    pytest.param([(SEARCH,), (Text("Hi."),)], (Text("Hi."),), id="a silent call"),
    pytest.param(
        [(Text("Let me see."), SEARCH), (Text("It is so."),)],
        (Text("Let me see.\n\nIt is so."),),
        id="words before a call",
    ),
    pytest.param(
        [(Text("Let me see:\n"), SEARCH), (Text("It is so."),)],
        (Text("Let me see:\nIt is so."),),
        id="words that end a line",
    ),
    pytest.param(
        [(Text("One."), SEARCH), (SEARCH,), (Text("Two."), MADE_UP), (Text("Three."),)],
        (Text("One.\n\nTwo.\n\nThree."),),
        id="many turns",
    ),
    pytest.param(
        [(SIGNED, SEARCH), (SIGNED, Text("So."))], (SIGNED, SIGNED, Text("So.")), id="thoughts with their signatures"
    ),
    pytest.param([(Text("Hm."), SEARCH), (OPEN, OPEN_TOO)], (Text("Hm."), OPEN, OPEN_TOO), id="the client's calls"),
    pytest.param([(SEARCH, OPEN, MADE_UP, OPEN_TOO)], (OPEN, OPEN_TOO), id="the client's among others"),
    pytest.param([(SEARCH,), (Refusal("No."),)], (Refusal("No."),), id="a refusal in the end"),
    pytest.param([(SEARCH,), ()], (), id="nothing"),
]


@pytest.mark.parametrize(("turns", "parts"), CASES)
def test_turns_are_one_answer(turns: list[Turn], parts: tuple[AssistantPart, ...]) -> None:
    """Whole and in a stream the client hears the same, with the tokens of all turns."""
    heard = whole(turns)
    assert parts == heard.parts
    events = streamed(turns)
    answer = fold(events)
    assert heard == Heard(answer.choices[0].parts, answer.choices[0].finish, answer.usage)
    assert Usage(input=10, output=5, cached_input=3).input * len(turns) == (heard.usage.input if heard.usage else 0)


@pytest.mark.parametrize(("turns", "parts"), CASES)
def test_a_stream_is_well_formed(turns: list[Turn], parts: tuple[AssistantPart, ...]) -> None:
    """One beginning, one end, calls counted from 0: what encoders rely on."""
    events = streamed(turns)
    assert Began(id="id", model="m") == events[0]
    assert 1 == sum(isinstance(event, Began) for event in events)
    assert [Ended] == [type(event) for event in events if isinstance(event, Ended)]
    assert isinstance(events[-1], Ended)
    assert 1 == sum(isinstance(event, Finished) for event in events)
    calls = [event.index for event in events if isinstance(event, ToolCallBegan)]
    assert list(range(sum(isinstance(part, ToolCall) for part in parts))) == calls


@pytest.mark.parametrize(
    ("turns", "parts"),
    [
        pytest.param([(Text("Let me see."), SEARCH), (Text("{}"),)], (Text("{}"),), id="words before a call"),
        pytest.param([(SIGNED, Text("Hm."), SEARCH), (Text("{}"),)], (SIGNED, Text("{}")), id="thoughts stay"),
        pytest.param([(Text("{}"),)], (Text("{}"),), id="no calls"),
        pytest.param([(SEARCH,), (Text("Hm."), OPEN)], (Text("Hm."), OPEN), id="a call of the client's"),
    ],
)
def test_json_is_the_last_turns_words(turns: list[Turn], parts: tuple[AssistantPart, ...]) -> None:
    """An answer that has to be JSON can be parsed, whatever was said before tools were run."""
    assert parts == whole(turns, last_words_only=True).parts
    assert parts == fold(streamed(turns, last_words_only=True)).choices[0].parts


def test_words_are_told_as_they_come() -> None:
    """Nothing is held back for what may follow."""
    telling = Telling(FUNCTIONS, last_words_only=False)
    assert [] == telling.hear(Began(id="id"))
    assert [] == telling.hear(Counted(USAGE))
    assert [Began(id="id"), Counted(USAGE), TextDelta("H")] == telling.hear(TextDelta("H"))
    assert [TextDelta("i")] == telling.hear(TextDelta("i"))


def test_a_silent_client_hears_that_the_gateway_is_at_work() -> None:
    """Its answer has begun then, with what is known of it."""
    telling = Telling(FUNCTIONS, last_words_only=False)
    for event in events_of((SEARCH,)):
        assert [] == telling.hear(event)
    telling.go_on()
    assert [Began(id="id", model="m"), Counted(USAGE), KeptAlive(ours=True)] == telling.wait()
    assert [KeptAlive(ours=True)] == telling.wait()


def test_an_answer_of_calls_alone_is_told_apart() -> None:
    """Who gives up on a model has to know whether it has said anything."""
    telling, gathering = Telling(FUNCTIONS, last_words_only=False), Gathering(FUNCTIONS, last_words_only=False)
    for event in events_of((Thinking("hm"), SEARCH)):
        telling.hear(event)
    gathering.add((Thinking("hm"), SEARCH))
    assert (False, False) == (telling.said, gathering.said)
    step = after(telling.choice, functions=FUNCTIONS, in_time=True, last=False)
    assert isinstance(step, Round)
