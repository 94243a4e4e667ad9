"""What messages mean, by which a conversation is recognized when a client sends it again."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import orjson

from understudy_proxy.dialects.calls import object_in
from understudy_proxy.dialects.canonical.content import (
    Document,
    Image,
    Message,
    Part,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_BETWEEN = Text("\n\n")


def as_seen(messages: Sequence[Message], executed: Collection[str]) -> list[frozenset[bytes]]:
    """The messages as their client saw them, each by all that it may mean.

    Where the gateway ran the tools of a model, calls with the ids `executed`, the client saw one answer: all that was
    said on the way to it, or where it was to be JSON the last words alone.
    """
    answers: list[list[Message]] = []
    for message in messages:
        if answers and (_returns(message, executed) or _returns(answers[-1][-1], executed)):
            answers[-1].append(message)
        else:
            answers.append([message])
    return [_meanings(answer, executed) for answer in answers]


def _returns(message: Message, executed: Collection[str]) -> bool:
    """Whether a message is what tools of the gateway's returned, and nothing else."""
    return bool(message.parts) and all(
        isinstance(part, ToolResult) and part.call_id in executed for part in message.parts
    )


def _meanings(answer: Sequence[Message], executed: Collection[str]) -> frozenset[bytes]:
    if len(answer) == 1:
        return frozenset((meaning(answer[0]),))
    said = [message for message in answer if message.role is Role.ASSISTANT]
    parts = [part for message in said for part in (*message.parts, _BETWEEN)]
    shown = tuple(part for part in parts if not (isinstance(part, ToolCall) and part.id in executed))
    return frozenset((meaning(Message(Role.ASSISTANT, shown)), meaning(said[-1])))


def meaning(message: Message) -> bytes:
    """What was said, without what does not come back as it went: how it was cut up and spaced, thoughts, marks, ids."""
    words: list[str] = []
    others: list[object] = []
    for part in message.parts:
        match part:
            case Text() | Refusal():
                words.append(part.text)
            case Thinking():
                pass
            case _:
                others.append(_meant(part))
    spoken = " ".join("".join(words).split())
    return orjson.dumps([message.role, spoken, others], option=orjson.OPT_SORT_KEYS)


def _meant(part: Part) -> object:
    match part:
        case ToolCall():
            arguments = object_in(part.arguments)
            return [part.name, part.arguments if arguments is None else arguments]
        case ToolResult():
            return [_meant(one) if not isinstance(one, Text) else one.text for one in part.content]
        case Image() | Document():
            return replace(part, cache=None)
        case _:
            return part
