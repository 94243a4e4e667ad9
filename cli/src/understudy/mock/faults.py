"""The words a fault is written in.

    FAULT     = WHAT [":" ARGUMENT] { ";" OPTION "=" VALUE }
    429;retry-after=2;times=3       the first three requests are refused
    cut-after:5;percent=10          every tenth stream, by chance, breaks after five chunks
    delay:2s;model=gpt-4*           slow for some models

What each word does is in `docs/mock.md`; what goes over the wire for it, in `delivery`. This module only reads:
text in, a frozen `Fault` out, or a `FaultError` that says what to write instead.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from understudy.mock.durations import parse_duration
from understudy.mock.failures import NAMED


class FaultError(ValueError):
    """A fault that cannot be read; the message quotes it and says what would be right."""


class FaultKind(StrEnum):
    """What can go wrong. The value is the word a script uses, except for `status`."""

    STATUS = "status"
    HTML = "html"
    GARBAGE = "garbage"
    EMPTY = "empty"
    REFUSE = "refuse"
    RESET = "reset"
    DELAY = "delay"
    SLOW_HEADERS = "slow-headers"
    STALL = "stall"
    STALL_AFTER = "stall-after"
    CUT_AFTER = "cut-after"
    END_AFTER = "end-after"
    RESET_AFTER = "reset-after"
    ERROR_FIRST = "error-first"
    ERROR_AFTER = "error-after"
    ROLE_THEN_ERROR = "role-then-error"


@dataclass(frozen=True, slots=True)
class When:
    """Which requests get a fault: the conditions all have to hold.

    Attributes:
        model: A pattern such as `gpt-4*` for the model name; None for every model.
        path: A pattern for the path; None for every request that asks a model for something.
        after: How many such requests are spared first.
        every: Of those that follow, every how-manieth is hit.
        times: How often the fault is given in all; None for no end.
        percent: The chance with which the fault is given where all else holds.
    """

    model: str | None = None
    path: str | None = None
    after: int = 0
    every: int = 1
    times: int | None = None
    percent: float = 100.0

    def concerns(self, *, model: str, path: str, generates: bool) -> bool:
        """Whether a request counts for this fault at all; `generates` tells a model was asked for something."""
        if self.path is None:
            return generates and self._knows(model)
        return fnmatchcase(path, self.path) and self._knows(model)

    def strikes(self, *, seen: int, given: int, draw: float) -> bool:
        """Whether the `seen`-th request that counts is hit, after `given` hits; `draw` is chance in [0, 1)."""
        if seen <= self.after or (seen - self.after) % self.every:
            return False
        return (self.times is None or given < self.times) and draw * 100 < self.percent

    def _knows(self, model: str) -> bool:
        return self.model is None or fnmatchcase(model, self.model)


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a script.

    Attributes:
        text: The fault as it was written.
        kind: What goes wrong.
        status: The status of `html`.
        error: The error of a refusal or an in-stream error: a status or a word such as `quota`.
        chunks: How many chunks with content go out before it.
        seconds: How long `delay` waits, or over which time `slow-headers` are spread.
        delay: Seconds of waiting before anything else.
        headers: Response headers that come with a refusal.
        when: Which requests it hits.
    """

    text: str
    kind: FaultKind
    status: int = 200
    error: str = "500"
    chunks: int = 0
    seconds: float = 0.0
    delay: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    when: When = When()


@lru_cache(maxsize=256)
def parse_fault(text: str) -> Fault:
    """Read one fault.

    Raises:
        FaultError: If `text` is no fault; the message is meant for the person who wrote it.
    """
    what, *options = [part.strip() for part in text.split(";")]
    try:
        made = _what(what)
        for option in options:
            if option:
                _add(made, option)
    except ValueError as error:
        raise FaultError(f'fault "{text}": {error}') from error
    return Fault(text=text, when=When(**made.pop("when", {})), **made)


def parse_faults(texts: Iterable[str]) -> tuple[Fault, ...]:
    """Read a script: several faults, in the order in which they are asked whether they strike."""
    return tuple(parse_fault(text) for text in texts)


_IN_STREAM_ERRORS = {FaultKind.ERROR_FIRST, FaultKind.ERROR_AFTER, FaultKind.ROLE_THEN_ERROR}
_WITH_ARGUMENT = {
    FaultKind.HTML: "html:502",
    FaultKind.DELAY: "delay:2s",
    FaultKind.SLOW_HEADERS: "slow-headers:2s",
    FaultKind.STALL_AFTER: "stall-after:5",
    FaultKind.CUT_AFTER: "cut-after:5",
    FaultKind.END_AFTER: "end-after:5",
    FaultKind.RESET_AFTER: "reset-after:5",
    FaultKind.ERROR_AFTER: "error-after:5",
}
_WORDS = [kind.value for kind in FaultKind if kind is not FaultKind.STATUS] + list(NAMED)


def _what(text: str) -> dict[str, Any]:
    """Read the part before the options into the fields of a `Fault`."""
    word, colon, argument = (part.strip() for part in text.partition(":"))
    if word.isdecimal() or word in NAMED:
        made: dict[str, Any] = {"kind": FaultKind.STATUS, "error": _error(word)}
    elif word in _WORDS:
        made = {"kind": FaultKind(word)}
    else:
        known = ", ".join(_WORDS)
        raise ValueError(f'"{word}" is no fault{_hint(word, _WORDS)}; a fault is a status or one of {known}')
    if made["kind"] in _WITH_ARGUMENT:
        if not argument:
            raise ValueError(f'"{word}" needs an argument; write {_WITH_ARGUMENT[made["kind"]]}')
        return made | _argument(made["kind"], argument)
    if colon:
        raise ValueError(f'"{word}" takes no argument after ":"')
    return made


def _argument(kind: FaultKind, text: str) -> dict[str, Any]:
    if kind is FaultKind.HTML:
        return {"status": _count(text, least=200, most=599, of=kind)}
    if kind in {FaultKind.DELAY, FaultKind.SLOW_HEADERS}:
        return {"seconds": parse_duration(text)}
    return {"chunks": _count(text, least=0, of=kind)}


def _add(made: dict[str, Any], option: str) -> None:
    """Read one option into the fields that `_what` began."""
    key, _, value = (part.strip() for part in option.partition("="))
    if key in _CONDITIONS and value:
        made.setdefault("when", {})[key] = _CONDITIONS[key](value)
    elif key in {"retry-after", "retry-after-ms"} and value:
        if made["kind"] not in {FaultKind.STATUS, FaultKind.HTML}:
            raise ValueError(f'"{key}" goes with a status only, such as 429;{key}={value}')
        made["headers"] = (*made.get("headers", ()), (key, _retry_after(key, value)))
    elif key == "error" and value:
        if made["kind"] not in _IN_STREAM_ERRORS:
            raise ValueError('"error" goes with error-first, error-after and role-then-error only')
        made["error"] = _error(value)
    elif key == "delay" and value:
        made["delay"] = parse_duration(value)
    elif key in _OPTIONS:
        raise ValueError(f'"{key}" needs a value; write {key}=…')
    else:
        raise ValueError(f'"{key}" is no option{_hint(key, _OPTIONS)}; options are {", ".join(_OPTIONS)}')


def _error(text: str) -> str:
    """Check a status or a word for one. 3xx is allowed: an upstream that redirects is a fault, too."""
    if text in NAMED or (text.isdecimal() and 300 <= int(text) <= 599):
        return text
    raise ValueError(f'"{text}" is no error; write a status from 300 to 599, or one of {", ".join(NAMED)}')


def _count(text: str, *, least: int, of: str, most: int = 1_000_000) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f'"{text}" does not go with {of}; write a whole number from {least} to {most}')
    return int(text)


def _percent(text: str) -> float:
    number = text.removesuffix("%")
    if not _NUMBER.fullmatch(number) or float(number) > 100:
        raise ValueError(f'"{text}" is no percentage; write a number from 0 to 100')
    return float(number)


def _retry_after(key: str, text: str) -> str:
    """Check what the header may hold: a number, or for `retry-after` also an HTTP date."""
    if _NUMBER.fullmatch(text) or (key == "retry-after" and _HTTP_DATE.fullmatch(text)):
        return text
    raise ValueError(f'"{text}" does not go with {key}; write a number, such as {key}=2')


_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
# RFC 9110, 5.6.7
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
_CONDITIONS: dict[str, Callable[[str], Any]] = {
    "times": lambda text: _count(text, least=1, of="times"),
    "percent": _percent,
    "model": str,
    "path": str,
    "after": lambda text: _count(text, least=0, of="after"),
    "every": lambda text: _count(text, least=1, of="every"),
}
_OPTIONS = [*_CONDITIONS, "delay", "retry-after", "retry-after-ms", "error"]


def _hint(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""
