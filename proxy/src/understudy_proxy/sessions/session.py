"""A conversation that is remembered, and what it becomes with a request and its answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from understudy_api.config import SessionPolicy
from understudy_proxy.dialects.calls import object_in
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Part, Text, ToolCall, ToolResult
from understudy_proxy.dialects.canonical.trimming import with_kept
from understudy_proxy.sessions.joining import appended, joined

FIELD = "session_id"
"""Of a request's body: which session it is a turn of."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is kept."""

    id: str
    created_at: float
    """Seconds since the epoch."""
    ttl_seconds: float
    """How long after its last use it is forgotten."""
    own_ttl: bool = True
    """Whoever made it said for how long; otherwise a persona may say so."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What personas are told of it, by the names of their variables."""
    system: tuple[Text, ...] = ()
    """The client's own system prompt, as it was last said."""
    messages: tuple[Message, ...] = ()
    executed: tuple[str, ...] = ()
    """The ids of those calls in `messages` that the gateway answered itself, unseen by the client."""

    @property
    def variables(self) -> dict[str, str]:
        """The context as a prompt can have it: words as they are, anything else as JSON; null is no value."""
        return {
            name: value if isinstance(value, str) else orjson.dumps(value).decode()
            for name, value in self.context.items()
            if value is not None
        }

    def under(self, policy: SessionPolicy) -> "Session":
        """The same as the persona has it that speaks in it."""
        return self if self.own_ttl else replace(self, ttl_seconds=policy.ttl_seconds)

    def with_turn(self, chat: Chat, said: tuple[Message, ...]) -> "Session":
        """With the whole conversation `chat`, as `asked` made it, and with what was answered."""
        answer = tuple(kept for message in said if (kept := _sendable(message)).parts)
        messages = appended(chat.messages, answer).messages
        executed = {*self.executed, *_results(said)} & _results(messages)
        return replace(self, system=chat.system, messages=messages, executed=tuple(sorted(executed)))


def asked(session: Session, chat: Chat) -> Chat:
    """The whole conversation in which `chat` is the next turn.

    The client's own words count before what is kept: its system prompt, and its values of variables.

    Raises:
        RequestError: it answers a tool call that nobody made.
    """
    whole = joined(session.messages, chat.messages, executed=frozenset(session.executed))
    return replace(
        chat,
        messages=whole.messages,
        kept=whole.kept,
        system=chat.system or session.system,
        variables={**session.variables, **chat.variables},
        extra={name: value for name, value in chat.extra.items() if name != FIELD},
    )


def sent(chat: Chat, policy: SessionPolicy) -> Chat:
    """As much of the whole conversation as a model is to be sent."""
    return with_kept(chat, policy.max_messages)


def _results(messages: Iterable[Message]) -> set[str]:
    return {part.call_id for message in messages for part in message.parts if isinstance(part, ToolResult)}


def _sendable(message: Message) -> Message:
    """Arguments that are no object, cut off for one, can be sent to nobody again: the call is kept without them."""
    return replace(message, parts=tuple(_said(part) for part in message.parts if part != Text("")))


def _said(part: Part) -> Part:
    if isinstance(part, ToolCall) and object_in(part.arguments) is None:
        return replace(part, arguments="{}")
    return part
