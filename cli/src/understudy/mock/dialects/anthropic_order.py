"""What may follow what in the messages of Anthropic's Messages API.

The rules that a gateway trips over when it translates: who begins, and that results follow calls at once.
"""

from understudy.mock.dialects.anthropic_blocks import Turn
from understudy.mock.failures import bad_request


def check_order(turns: list[Turn]) -> None:
    """Refuse a conversation that does not begin with the user, or in which calls and results do not meet."""
    if turns[0].role != "user":
        raise bad_request('messages: first message must use the "user" role', param="messages")
    seen: set[str] = set()
    for place, turn in enumerate(turns):
        for called in turn.calls:
            if called in seen:
                raise bad_request("messages: `tool_use` ids must be unique", param=f"messages.{place}")
            seen.add(called)
        if turn.calls:
            _check_answered(place, turn, turns[place + 1] if place + 1 < len(turns) else None)
        if turn.result_ids:
            _check_asked_for(place, turn, turns[place - 1] if place else None)


def check_thinking_kept(turns: list[Turn]) -> None:
    """Refuse to go on after a tool's result where the thought that led to the call has been dropped."""
    if not turns[-1].result_ids:
        return
    place = max(number for number, turn in enumerate(turns) if turn.role == "assistant")
    first = turns[place].kinds[0]
    if first not in {"thinking", "redacted_thinking"}:
        message = (
            f"messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. "
            "When `thinking` is enabled, a final `assistant` message must start with a thinking block."
        )
        raise bad_request(message, param=f"messages.{place}")


def _check_answered(place: int, turn: Turn, following: Turn | None) -> None:
    given = _leading_results(following) if following is not None and following.role == "user" else []
    missing = [called for called in turn.calls if called not in given]
    if missing:
        message = (
            f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )
        raise bad_request(message, param=f"messages.{place}")


def _leading_results(turn: Turn) -> list[str]:
    """Return the ids of the results that nothing comes before."""
    ahead = next((n for n, kind in enumerate(turn.kinds) if kind != "tool_result"), len(turn.kinds))
    return turn.result_ids[:ahead]


def _check_asked_for(place: int, turn: Turn, before: Turn | None) -> None:
    asked = before.calls if before is not None and before.role == "assistant" else []
    unasked = [called for called in turn.result_ids if called not in asked]
    if unasked:
        message = (
            f"messages.{place}.content: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(unasked)}. "
            "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        )
        raise bad_request(message, param=f"messages.{place}")
    if len(set(turn.result_ids)) < len(turn.result_ids):
        message = f"messages.{place}.content: each tool_use must have a single result"
        raise bad_request(message, param=f"messages.{place}")
