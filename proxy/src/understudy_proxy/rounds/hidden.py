"""What a client does not see of a conversation, and so cannot send back.

A client that has tools of its own gets its calls, and sends their results with the conversation as it knows it: without
the rounds before, whose tools the gateway has run. A model that does not know of them would run them again. So they are
kept for the client, and put back where they were.

They are found by all that the client had said by then and by the ids of its calls. Nothing of another conversation
matches, nor of the same one told otherwise: such a client goes on without.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from understudy_proxy.dialects.canonical.content import (
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from understudy_proxy.rounds.decide import Functions, Owner
from understudy_proxy.sessions.record import write_messages

MAX_BYTES = 1024 * 1024
"""Of the hidden rounds of one answer; those that are larger are not kept."""
KEPT_SECONDS = 3600.0
"""A person may have to be asked before a client's tool is done."""
_MOST_PLACES = 32
"""Answers to look at, the last ones: one that is longer ago has had its effect."""


class Place(NamedTuple):
    """A turn of the assistant before which something may be hidden."""

    at: int
    """The index of the turn."""
    key: str


def places(messages: Sequence[Message], functions: Functions, *, of: str) -> list[Place]:
    """The turns with calls of the client's since a user spoke last."""
    found = [index for index in _going_on(messages) if _calls(messages[index], functions)]
    if not found:
        return []
    wanted, heard, keys = frozenset(found[-_MOST_PLACES:]), _begun(of), []
    for index, message in enumerate(messages):
        if index in wanted:
            keys.append(Place(index, _named(heard.copy(), _calls(message, functions))))
        heard.update(_written(message))
    return keys


def key(messages: Sequence[Message], answer: Message, functions: Functions, *, of: str) -> str | None:
    """Under what the rounds before `answer`, which goes to the client after `messages`, are kept.

    None where nothing has to be: the answer has no calls that the client could come back with. `of` is whom the
    conversation is with, and on whose behalf: nothing is found for another.
    """
    calls = _calls(answer, functions)
    if not calls:
        return None
    heard = _begun(of)
    for message in messages:
        heard.update(_written(message))
    return _named(heard, calls)


def filled(messages: Sequence[Message], hidden: Mapping[int, Sequence[Message]]) -> tuple[Message, ...]:
    """The conversation with what was hidden; each index is that of the turn in whose place it is."""
    whole: list[Message] = []
    for index, message in enumerate(messages):
        whole += hidden.get(index, (message,))
    return tuple(whole)


def _going_on(messages: Sequence[Message]) -> range:
    """Where the turns are that came after the last words of a user."""
    spoke = (index for index in range(len(messages) - 1, -1, -1) if _says_words(messages[index]))
    return range(next(spoke, -1) + 1, len(messages))


def _says_words(message: Message) -> bool:
    return message.role is Role.USER and any(not isinstance(part, ToolResult) for part in message.parts)


def _calls(message: Message, functions: Functions) -> list[ToolCall]:
    """The client's, if each can be told from any other."""
    if message.role is not Role.ASSISTANT:
        return []
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    known = all(call.id and functions.owner(call.name) is Owner.CLIENT for call in calls)
    return calls if known else []


def _begun(of: str) -> "hashlib._Hash":
    return hashlib.sha256(of.encode())


def _named(heard: "hashlib._Hash", calls: Sequence[ToolCall]) -> str:
    for call in calls:
        heard.update(f"\0{call.id}\0{call.name}".encode(errors="surrogatepass"))
    return f"rounds/{heard.hexdigest()}"


def _written(message: Message) -> bytes:
    """To the letter, but for what may be cached of it: clients move those marks as a conversation grows."""
    return write_messages((replace(message, parts=tuple(_unmarked(message.parts))),))


def _unmarked(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, (Text, Image, Document, ToolCall, ToolResult)) and part.cache is not None:
            yield replace(part, cache=None)
        else:
            yield part
