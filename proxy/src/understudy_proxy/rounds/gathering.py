"""One whole answer out of several turns: what a model says before it calls tools is part of it.

A stream cannot do otherwise (see `telling.py`), and the same request has the same answer either way.
"""

from collections.abc import Iterable
from dataclasses import replace

from understudy_proxy.dialects.canonical.answer import Answer, Choice, joined
from understudy_proxy.dialects.canonical.content import AssistantPart, Refusal, Text, Thinking
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.rounds.decide import Deliver, Functions, shown

BETWEEN = "\n\n"
"""Between what was said before tools were run and what is said after."""


class Gathering:
    """An answer that grows turn by turn."""

    def __init__(self, functions: Functions, *, last_words_only: bool) -> None:
        """With `last_words_only`, what was said before the last turn is no part of it: the answer is to be JSON."""
        self._functions = functions
        self._last_words_only = last_words_only
        self._parts: list[AssistantPart] = []

    @property
    def said(self) -> bool:
        """There is more in the answer than thoughts."""
        return any(not isinstance(part, Thinking) and part != Text("") for part in self._parts)

    def add(self, turn: tuple[AssistantPart, ...]) -> None:
        """A turn after which tools are run."""
        said = shown(turn, self._functions)
        self._say(part for part in said if not (self._last_words_only and isinstance(part, (Text, Refusal))))

    def delivered(self, answer: Answer, deliver: Deliver, usage: Usage | None) -> Answer:
        """The answer of which `answer` is the last turn."""
        self._say(deliver.parts)
        choice = answer.choices[0] if answer.choices else Choice((), deliver.finish)
        whole = replace(choice, parts=joined(self._parts), finish=deliver.finish)
        return replace(answer, choices=(whole,), usage=usage)

    def _say(self, parts: Iterable[AssistantPart]) -> None:
        before = next((part.text for part in reversed(self._parts) if isinstance(part, Text) and part.text), "")
        apart = separation(before)
        for part in parts:
            if apart and isinstance(part, Text) and part.text:
                part, apart = replace(part, text=apart + part.text), ""  # noqa: PLW2901
            self._parts.append(part)


def separation(before: str) -> str:
    """What keeps new words apart from those `before`."""
    return "" if not before or before.endswith("\n") else BETWEEN
