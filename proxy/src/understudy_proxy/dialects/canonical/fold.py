"""A stream's events put together to the answer that they are."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import AssistantPart, Refusal, Text, Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    Said,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.usage import Usage


def fold(events: Iterable[Event]) -> Answer:
    """The answer that `events` amount to, as far as they go."""
    folding = Folding()
    for event in events:
        folding.add(event)
    return folding.answer()


_Wordy = type[Text] | type[Thinking] | type[Refusal]


@dataclass(slots=True)
class _Growing:
    """A choice so far."""

    parts: list[AssistantPart] = field(default_factory=list)
    kind: _Wordy | None = None
    """Of the part that `words` will be; it is not among `parts` yet."""
    words: list[str] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    """Where in `parts` the tool call of an index is."""
    arguments: dict[int, list[str]] = field(default_factory=dict)
    logprobs: list[Any] = field(default_factory=list)
    finished: Finished | None = None

    def say(self, kind: _Wordy, words: str) -> None:
        """More words, of the part that is growing or of a new one."""
        if self.kind is not kind:
            self.settle()
            self.kind = kind
        self.words.append(words)

    def add(self, part: AssistantPart) -> None:
        """A part that does not grow."""
        self.settle()
        self.parts.append(part)

    def call(self, event: ToolCallBegan) -> None:
        """A tool call; its arguments follow."""
        self.add(ToolCall(event.id, event.name, "", event.signature))
        self.places[event.index] = len(self.parts) - 1
        self.arguments[event.index] = []

    def sign(self, event: ThinkingSigned) -> None:
        """Sign the reasoning that was growing, or what stands for it."""
        if self.kind is Thinking:
            text, self.words, self.kind = "".join(self.words), [], None
            self.parts.append(Thinking(text, event.signature))
        else:
            self.add(Thinking(signature=event.signature))

    def settle(self) -> None:
        """What was growing is complete."""
        if self.kind is not None:
            self.parts.append(self.kind("".join(self.words)))
            self.words, self.kind = [], None

    def whole(self) -> Choice:
        """The choice as it is now."""
        self.settle()
        parts = list(self.parts)
        for index, place in self.places.items():
            call = parts[place]
            if isinstance(call, ToolCall):
                parts[place] = replace(call, arguments="".join(self.arguments[index]) or "{}")
        return Choice(
            parts=tuple(parts),
            finish=self.finished.finish if self.finished else Finish.STOP,
            stop_sequence=self.finished.stop_sequence if self.finished else None,
            logprobs={"content": self.logprobs} if self.logprobs else None,
        )


class Folding:
    """An answer that grows event by event."""

    def __init__(self) -> None:
        self._choices: dict[int, _Growing] = {}
        self._began = Began()
        self._usage: Usage | None = None

    def add(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Began():
                self._began = event
            case Counted():
                self._usage = event.usage
            case KeptAlive() | Resumed() | Ended() | Failed():
                pass
            case _:
                growing = self._choices.get(event.choice)
                if growing is None:
                    growing = self._choices[event.choice] = _Growing()
                _grow(growing, event)

    def answer(self) -> Answer:
        """What there is so far."""
        return Answer(
            choices=tuple(self._choices[index].whole() for index in sorted(self._choices)),
            usage=self._usage,
            id=self._began.id,
            model=self._began.model,
            service_tier=self._began.service_tier,
        )


def _grow(choice: _Growing, event: Said) -> None:
    match event:
        case TextDelta():
            choice.say(Text, event.text)
            choice.logprobs += (event.logprobs or {}).get("content") or ()
        case ThinkingDelta():
            choice.say(Thinking, event.text)
        case RefusalDelta():
            choice.say(Refusal, event.text)
        case ThinkingSigned():
            choice.sign(event)
        case ThinkingRedacted():
            choice.add(Thinking(redacted=event.data))
        case ToolCallBegan():
            choice.call(event)
        case ArgumentsDelta():
            choice.arguments[event.index].append(event.text)
        case Finished():
            choice.finished = event
