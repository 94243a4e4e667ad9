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
    Event,
    Finished,
    RefusalDelta,
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


@dataclass(slots=True)
class _Growing:
    """A choice so far."""

    parts: list[AssistantPart] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Of the last part, if it is one of words."""
    calls: dict[int, int] = field(default_factory=dict)
    """Where in `parts` the tool call of an index is."""
    arguments: dict[int, list[str]] = field(default_factory=dict)
    logprobs: list[Any] = field(default_factory=list)
    finished: Finished | None = None

    def say(self, kind: type[Text] | type[Thinking] | type[Refusal], words: str) -> None:
        last = self.parts[-1] if self.parts else None
        if type(last) is not kind or (isinstance(last, Thinking) and (last.signature or last.redacted)):
            self.settle()
            self.parts.append(kind(""))
        self.words.append(words)

    def settle(self) -> None:
        """The last part is complete."""
        if self.words:
            self.parts[-1] = replace(self.parts[-1], text="".join(self.words))  # type: ignore[call-arg]
            self.words = []

    def add(self, part: AssistantPart) -> None:
        self.settle()
        self.parts.append(part)

    def whole(self) -> Choice:
        self.settle()
        parts = list(self.parts)
        for index, place in self.calls.items():
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
            case TextDelta():
                self._at(event.choice).say(Text, event.text)
                if event.logprobs:
                    self._at(event.choice).logprobs += event.logprobs.get("content") or ()
            case ThinkingDelta():
                self._at(event.choice).say(Thinking, event.text)
            case RefusalDelta():
                self._at(event.choice).say(Refusal, event.text)
            case ThinkingSigned():
                self._sign(self._at(event.choice), event)
            case ThinkingRedacted():
                self._at(event.choice).add(Thinking(redacted=event.data))
            case ToolCallBegan():
                choice = self._at(event.choice)
                choice.add(ToolCall(event.id, event.name, "", event.signature))
                choice.calls[event.index] = len(choice.parts) - 1
                choice.arguments[event.index] = []
            case ArgumentsDelta():
                self._at(event.choice).arguments[event.index].append(event.text)
            case Finished():
                self._at(event.choice).finished = event
            case _:
                pass

    def answer(self) -> Answer:
        """What there is so far."""
        return Answer(
            choices=tuple(self._choices[index].whole() for index in sorted(self._choices)),
            usage=self._usage,
            id=self._began.id,
            model=self._began.model,
            service_tier=self._began.service_tier,
        )

    def _at(self, choice: int) -> _Growing:
        growing = self._choices.get(choice)
        if growing is None:
            growing = self._choices[choice] = _Growing()
        return growing

    @staticmethod
    def _sign(choice: _Growing, event: ThinkingSigned) -> None:
        choice.settle()
        last = choice.parts[-1] if choice.parts else None
        if isinstance(last, Thinking) and last.signature is None and last.redacted is None:
            choice.parts[-1] = replace(last, signature=event.signature)
        else:
            choice.parts.append(Thinking(signature=event.signature))
