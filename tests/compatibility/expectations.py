"""What a driver tells of a conversation, and how a scenario says that a user would notice a difference."""

from dataclasses import dataclass, field
from typing import Any

from compatibility.words import Words


class Differs(Exception):
    """A user would notice: the message says what."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a driver tells of one conversation; see `compatibility.clients.driver`."""

    requests: int
    turns: list[dict[str, Any]] = field(default_factory=list)
    heard: str = ""
    error: dict[str, Any] | None = None
    value: Any = None

    def turn(self, number: int, *, of: int) -> dict[str, Any]:
        """One turn of a conversation without errors that has so many.

        Raises:
            Differs: It failed, or has another number of turns.
        """
        self.expect_no_error()
        expect(of, len(self.turns), "turns")
        return self.turns[number]

    def expect_no_error(self) -> None:
        """Raise `Differs` if something was raised."""
        if self.error is not None:
            raise Differs(f"{self.error['classes'][0]}: {self.error['message']}")


def expect(wanted: object, got: object, what: str) -> None:
    """Raise `Differs` unless both are equal."""
    if wanted != got:
        raise Differs(f"{what}: {got!r} instead of {wanted!r}")


def expect_in(wanted: str, got: str, what: str) -> None:
    """Raise `Differs` unless a text holds another."""
    if wanted not in got:
        raise Differs(f"{what}: {got!r} lacks {wanted!r}")


def expect_error(report: Report, kind: str) -> dict[str, Any]:
    """What a conversation raised, which is of a kind; `Differs` if it is not, or nothing was raised."""
    if report.error is None:
        raise Differs("nothing was raised")
    if kind not in report.error["classes"]:
        raise Differs(f"{report.error['classes'][0]} instead of {kind}: {report.error['message']}")
    return report.error


def expect_calls(turn: dict[str, Any], wanted: list[tuple[str, dict[str, str]]], words: Words) -> None:
    """Raise `Differs` unless a turn calls these tools, with these arguments, in this order, and ends with that."""
    expect(wanted, [(call["name"], call["arguments"]) for call in turn["calls"]], "calls")
    expect(words.called, turn["finish"], "finish reason of the calls")
    if words.ids:
        ids = {call["id"] for call in turn["calls"]}
        if len(ids) < len(wanted) or not all(ids):
            raise Differs(f"ids of the calls: {ids}")
    expect_usage(turn)


def expect_same(whole: dict[str, Any], streamed: dict[str, Any]) -> None:
    """Raise `Differs` unless a stream tells what the whole answer does; ids are made anew for each."""
    for part in ("text", "thoughts", "finish", "usage"):
        expect(whole[part], streamed[part], f"{part} of the stream")
    names = [[(call["name"], call["arguments"]) for call in turn["calls"]] for turn in (whole, streamed)]
    expect(names[0], names[1], "calls of the stream")


def expect_usage(turn: dict[str, Any]) -> None:
    """Raise `Differs` unless a turn tells how many tokens it read and wrote."""
    if not turn["usage"] or min(turn["usage"]) <= 0:
        raise Differs(f"usage: {turn['usage']}")
