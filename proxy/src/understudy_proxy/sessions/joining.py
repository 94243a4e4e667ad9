"""A conversation that is kept, gone on with by what a client sends.

Most clients send what is new. Some send everything again, as they would without a session, or the end of it: what is
kept already is recognized by what was said, and not taken up twice. What is kept is never changed, only added to.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from understudy_proxy.dialects.canonical.content import (
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.waiting import WaitingCalls
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.sessions.meaning import as_seen, meaning

_TRIES = 32
"""Ends of the kept conversation that are looked for in what is sent, from the last one on."""
_NO_RESULT = "There is no result: the conversation went on without it."


class Joined(NamedTuple):
    """The whole conversation."""

    messages: tuple[Message, ...]
    kept: int
    """How many of them, the first ones, are kept ones as they were."""


def joined(kept: tuple[Message, ...], sent: tuple[Message, ...], *, executed: Collection[str] = ()) -> Joined:
    """`kept` and what of `sent` goes on with it; of the calls `executed` in `kept` the client never heard.

    Raises:
        RequestError: a result is of a tool call that nobody made.
    """
    earlier, new, renamed = _told_apart(kept, sent, executed)
    return appended(earlier, _answering(earlier, new, renamed))


def appended(earlier: tuple[Message, ...], new: tuple[Message, ...]) -> Joined:
    """One after the other; what both sides of the seam say in the same role is one message."""
    if earlier and new and earlier[-1].role is new[0].role:
        return Joined((*earlier[:-1], _merged(earlier[-1], new[0]), *new[1:]), len(earlier) - 1)
    return Joined((*earlier, *new), len(earlier))


class _ToldApart(NamedTuple):
    earlier: tuple[Message, ...]
    new: tuple[Message, ...]
    renamed: dict[str, str]
    """Ids of calls as the client knows them, to those that are kept."""


def _told_apart(kept: tuple[Message, ...], sent: tuple[Message, ...], executed: Collection[str]) -> _ToldApart:
    if not kept or not any(message.role is Role.ASSISTANT for message in sent):
        return _ToldApart(kept, sent, {})
    ours, theirs = as_seen(kept, executed), [meaning(message) for message in sent]
    end = _where_it_ends(ours, theirs)
    if end is not None:
        again = min(end, len(ours))
        # What a client has from before all that is kept is its own to send.
        earlier = (*sent[: end - again], *kept)
        return _ToldApart(earlier, sent[end:], _ids(sent[end - 1], kept[-1]))
    return _ToldApart(kept, sent[_same_beginning(ours, theirs, sent) :], {})


def _where_it_ends(ours: Sequence[frozenset[bytes]], theirs: Sequence[bytes]) -> int | None:
    """How many of their messages lead up to the end of ours; None where the end is not among them."""
    ends = [at for at in range(len(theirs), 0, -1) if theirs[at - 1] in ours[-1]]
    for end in ends[:_TRIES]:
        again = min(end, len(ours))
        if all(their in our for our, their in zip(ours[len(ours) - again :], theirs[end - again : end], strict=True)):
            return end
    return None


def _same_beginning(ours: Sequence[frozenset[bytes]], theirs: Sequence[bytes], sent: tuple[Message, ...]) -> int:
    """How many messages both begin with, up to an answer: examples that a client sends with each turn, for one."""
    same = next((at for at, (our, their) in enumerate(zip(ours, theirs, strict=False)) if their not in our), None)
    same = min(len(ours), len(theirs)) if same is None else same
    while same and not (sent[same - 1].role is Role.ASSISTANT and not _answers(sent[same:])):
        same -= 1
    return same


def _answers(messages: tuple[Message, ...]) -> bool:
    return bool(messages) and any(isinstance(part, ToolResult) for part in messages[0].parts)


def _ids(theirs: Message, ours: Message) -> dict[str, str]:
    calls = [[part.id for part in each.parts if isinstance(part, ToolCall)] for each in (theirs, ours)]
    return dict(zip(*calls, strict=False))


def _answering(earlier: tuple[Message, ...], new: tuple[Message, ...], renamed: dict[str, str]) -> tuple[Message, ...]:
    """`new` with every call that waits at the end of `earlier` answered, by what the client says or by its absence."""
    if not new:
        return new
    calls = [part for part in earlier[-1].parts if isinstance(part, ToolCall)] if earlier else []
    waiting = WaitingCalls()
    for call in calls:
        waiting.add(call)
    first = new[0].parts if new[0].role is Role.USER else ()
    ids = {call.id for call in calls}
    answered = [
        _resolved(part, waiting, given=renamed.get(part.call_id, part.call_id), ids=ids)
        if isinstance(part, ToolResult)
        else part
        for part in first
    ]
    _check(new[1:])
    done = {part.call_id for part in answered if isinstance(part, ToolResult)}
    lost = [ToolResult(call.id, (Text(_NO_RESULT),), call.name, is_error=True) for call in calls if call.id not in done]
    parts = (*lost, *answered)
    rest = new[1:] if new[0].role is Role.USER else new
    return (Message(Role.USER, parts), *rest) if parts else rest


def _resolved(result: ToolResult, waiting: WaitingCalls, *, given: str, ids: set[str]) -> ToolResult:
    """`result` with the id of the call that it answers: by the id `given`, else by the name of the function."""
    if given and given not in ids and result.name is None:
        raise _unasked(result)
    call = waiting.answered(given or None, result.name)
    if call is None:
        raise _unasked(result)
    return replace(result, call_id=call.id, name=call.name)


def _check(messages: tuple[Message, ...]) -> None:
    """See that results among what is new are of calls in it."""
    known: set[str] = set()
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                known.add(part.id)
            elif isinstance(part, ToolResult) and part.call_id not in known:
                raise _unasked(part)


def _unasked(result: ToolResult) -> RequestError:
    which = f" with the id {result.call_id[:64]!r}" if result.call_id else ""
    return RequestError(
        f"A result answers a tool call{which} that waits for none: neither in the session nor in this request.",
        code="invalid_value",
        param="messages",
    )


def _merged(first: Message, second: Message) -> Message:
    parts = (*first.parts, *second.parts)
    return Message(first.role, tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResult))))
