"""How a call of a tool ended: data, so that a door, a model and a log can each be told in their own words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import orjson


class OutcomeKind(StrEnum):
    """How it ended. The values appear in metrics, logs and answers."""

    SUCCESS = "success"
    INVALID_ARGUMENTS = "invalid_arguments"
    """They are not what the tool's schema asks for; it was not called."""
    NOT_EXECUTABLE = "not_executable"
    """The gateway cannot call it: it has no handler, or none that can be used."""
    BUSY = "busy"
    """Not called: as many calls are under way as may be."""
    UNREACHABLE = "unreachable"
    """No connection, or one that broke before the answer was whole."""
    FORBIDDEN_ADDRESS = "forbidden_address"
    """Its name leads to an address that must not be called."""
    TIMEOUT = "timeout"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    FAILED = "failed"
    """The tool itself says that it failed."""
    INVALID_ANSWER = "invalid_answer"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one call."""

    kind: OutcomeKind
    result: Any
    """What the tool answered: JSON, or text as a string. None where it failed."""
    text: str
    """What a model reads: the result, or the error."""
    error: str | None
    """What happened, and what to do; for people and models."""

    @property
    def success(self) -> bool:
        """Whether there is a result."""
        return self.kind is OutcomeKind.SUCCESS

    @classmethod
    def of(cls, result: Any) -> Self:
        """A success."""
        text = result if isinstance(result, str) else orjson.dumps(result).decode()
        return cls(kind=OutcomeKind.SUCCESS, result=result, text=text, error=None)

    @classmethod
    def failed(cls, kind: OutcomeKind, error: str) -> Self:
        """A failure."""
        return cls(kind=kind, result=None, text=error, error=error)
