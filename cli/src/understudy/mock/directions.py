"""Words in square brackets by which the last thing a user said directs the answer.

    What is it like outside? [think: two cities to ask about] [call: get_weather, get_time]

So whoever sits behind a gateway can ask for any answer, with nothing but a text. What cannot be read as a direction
is text.
"""

import re
from dataclasses import dataclass

_START = re.compile(r"\[(call|think|say|refuse|cached|written|then)\b:?\s*")
_BRACKET = re.compile(r"[\[\]]")
# A direction is typed by a person; a number of tokens beyond this one is none.
_LONGEST_NUMBER = 7


@dataclass(frozen=True, slots=True)
class Directions:
    """What a text asks of its answer.

    Attributes:
        rest: The text without its directions.
        calls: The tools to call, by name or by place from 1; None to call none, empty for the first.
        think: What to think before the answer.
        say: What to say, to the letter.
        refuse: Whether to refuse.
        cached: Tokens of the prompt that a cache had.
        written: Tokens of the prompt that went into a cache.
        then: What holds in the place of all this once the tools have returned; directions again.
    """

    rest: str
    calls: tuple[str, ...] | None = None
    think: str | None = None
    say: str | None = None
    refuse: bool = False
    cached: int = 0
    written: int = 0
    then: str | None = None


def directions_in(said: str) -> Directions:
    """Read the directions of a text; of two with the same word, the last holds."""
    if "[" not in said:
        return Directions(said)
    given: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    while found := _START.search(said, at):
        end = _closing(said, found.end())
        if end is None:
            break
        given[found[1]] = said[found.end() : end].strip()
        rest.append(said[at : found.start()])
        at = end + 1
    return Directions(
        rest=" ".join("".join([*rest, said[at:]]).split()) if given else said,
        calls=_names(given["call"]) if "call" in given else None,
        think=given.get("think"),
        say=given.get("say"),
        refuse="refuse" in given,
        cached=_number(given.get("cached", "")),
        written=_number(given.get("written", "")),
        then=given.get("then"),
    )


def _closing(text: str, start: int) -> int | None:
    """Return where the bracket closes that is open at `start`."""
    depth = 1
    for found in _BRACKET.finditer(text, start):
        depth += 1 if found[0] == "[" else -1
        if not depth:
            return found.start()
    return None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0
