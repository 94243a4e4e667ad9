"""What may follow what in the messages of Bedrock's Converse, which is stricter than the vendors behind it."""

from itertools import pairwise

from understudy.mock.dialects.bedrock_blocks import Turn
from understudy.mock.failures import bad_request


def check_order(turns: list[Turn], *, has_tools: bool) -> None:
    """Refuse turns that do not alternate, calls and results that do not meet, and either without tools."""
    if turns[0].role != "user":
        message = (
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
        raise bad_request(message, param="messages")
    if any(one.role == other.role for one, other in pairwise(turns)):
        message = (
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )
        raise bad_request(message, param="messages")
    if not has_tools and any(turn.calls or turn.results for turn in turns):
        message = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        raise bad_request(message, param="toolConfig")
    seen: set[str] = set()
    for place, turn in enumerate(turns):
        _check_unique(place, turn, seen)
        _check_answered(place, turn, turns[place + 1] if place + 1 < len(turns) else None)
        _check_asked_for(place, turn, turns[place - 1] if place else None)


def _check_unique(place: int, turn: Turn, seen: set[str]) -> None:
    for called in turn.calls:
        if called in seen:
            message = f"The toolUse blocks at messages.{place}.content contain duplicate Ids: {called}"
            raise bad_request(message, param=f"messages.{place}.content")
        seen.add(called)


def _check_answered(place: int, turn: Turn, following: Turn | None) -> None:
    given = following.results if following is not None else {}
    missing = [called for called in turn.calls if called not in given]
    if missing:
        at = f"messages.{place + 1}.content"
        raise bad_request(f"Expected toolResult blocks at {at} for the following Ids: {', '.join(missing)}", param=at)


def _check_asked_for(place: int, turn: Turn, before: Turn | None) -> None:
    asked = before.calls if before is not None else []
    if turn.result_count > len(asked) or any(called not in asked for called in turn.results):
        at = f"messages.{place}.content"
        message = f"The number of toolResult blocks at {at} exceeds the number of toolUse blocks of previous turn."
        raise bad_request(message, param=at)
