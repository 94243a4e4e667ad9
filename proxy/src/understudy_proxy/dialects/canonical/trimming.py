"""Remembered messages, left out from the oldest on where a conversation has to be shorter.

It is cut where a user says something: never between the call of a tool and its result, and never so that an answer
comes first.
"""

from collections.abc import Sequence
from dataclasses import replace

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, ToolResult
from understudy_proxy.dialects.canonical.estimate import beside_messages, of_message


def with_kept(chat: Chat, most: int) -> Chat:
    """At most so many remembered messages, the last ones; more only where they belong to what is new."""
    cuts = _cuts(chat)
    return _from(chat, next((cut for cut in cuts if chat.kept - cut <= most), cuts[-1]))


def within(chat: Chat, tokens: int) -> Chat:
    """As many remembered messages as leave it within so many tokens; none of them where nothing does."""
    cuts = _cuts(chat)
    left = beside_messages(chat) + sum(of_message(message) for message in chat.messages)
    dropped = 0
    for cut in cuts:
        left -= sum(of_message(message) for message in chat.messages[dropped:cut])
        dropped = cut
        if left <= tokens:
            break
    return _from(chat, dropped)


def least(chat: Chat) -> Chat:
    """Without anything that may be left out."""
    return _from(chat, _cuts(chat)[-1])


def _from(chat: Chat, cut: int) -> Chat:
    return chat if cut == 0 else replace(chat, messages=chat.messages[cut:], kept=chat.kept - cut)


def _cuts(chat: Chat) -> list[int]:
    """Where the conversation may begin, first to last."""
    return beginnings(chat.messages[: chat.kept + 1])


def beginnings(messages: Sequence[Message]) -> list[int]:
    """Where a conversation may begin, first to last: at its beginning, and wherever a user says something."""
    return [0, *(at for at in range(1, len(messages)) if _begins(messages[at]))]


def _begins(message: Message) -> bool:
    return message.role is Role.USER and not any(isinstance(part, ToolResult) for part in message.parts)
