"""A session as it is stored: JSON that says of each part what it is, and bounded.

A store that a fleet shares outlives a proxy: what another version wrote, and this one cannot read, is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.content import (
    Audio,
    CacheMark,
    Document,
    Image,
    Issuer,
    Message,
    Part,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.trimming import beginnings
from understudy_proxy.sessions.session import Session

MAX_BYTES = 8 * 1024 * 1024
"""Of one session; beyond it the oldest messages are forgotten."""
MAX_TURN_BYTES = MAX_BYTES // 2
"""Of what a request adds to one: its answer has to fit as well."""
_VERSION = 1
_KINDS: dict[str, type[Part]] = {
    "text": Text,
    "image": Image,
    "audio": Audio,
    "document": Document,
    "thinking": Thinking,
    "refusal": Refusal,
    "call": ToolCall,
    "result": ToolResult,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class TooLarge(Exception):
    """The last turn alone is more than may be kept."""


def encode(session: Session) -> bytes:
    """The session, without the oldest of its messages where it would be too large with them.

    Raises:
        TooLarge: it would be too large even with the last turn alone.
    """
    sizes = [len(orjson.dumps(_message(message))) + 1 for message in session.messages]
    head = len(_written(replace(session, messages=())))
    left = head + sum(sizes)
    dropped = 0
    for cut in beginnings(session.messages):
        left -= sum(sizes[dropped:cut])
        dropped = cut
        if left <= MAX_BYTES:
            return _written(replace(session, messages=session.messages[cut:]))
    raise TooLarge


def size_of(messages: Sequence[Message]) -> int:
    """What messages take, in bytes."""
    return len(write_messages(messages))


def write_messages(messages: Sequence[Message]) -> bytes:
    """Messages without a session; the same ones are always the same bytes."""
    return orjson.dumps([_message(message) for message in messages])


def read_messages(stored: bytes) -> tuple[Message, ...] | None:
    """The messages that were stored; None for what this version cannot read."""
    try:
        return _read_messages(orjson.loads(stored))
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return None


def decode(stored: bytes) -> Session | None:
    """The session that was stored; None for what this version cannot read."""
    try:
        read = orjson.loads(stored)
        if read.pop("version") != _VERSION:
            return None
        messages = _read_messages(read.pop("messages"))
        system = tuple(_read_part(part) for part in read.pop("system"))
        texts = tuple(part for part in system if isinstance(part, Text))
        executed = tuple(read.pop("executed"))
        return Session(**read, system=texts, messages=messages, executed=executed)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _written(session: Session) -> bytes:
    return orjson.dumps(
        {
            "version": _VERSION,
            "id": session.id,
            "created_at": session.created_at,
            "ttl_seconds": session.ttl_seconds,
            "own_ttl": session.own_ttl,
            "context": session.context,
            "executed": session.executed,
            "system": [_part(text) for text in session.system],
            "messages": [_message(message) for message in session.messages],
        }
    )


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": [_part(part) for part in message.parts]}


def _part(part: Part) -> dict[str, Any]:
    return {"kind": _NAMES[type(part)], **_fields(part)}


def _fields(value: Any) -> dict[str, Any]:
    """What a dataclass holds, but for what is its default anyway."""
    given = {
        each.name: getattr(value, each.name) for each in fields(value) if getattr(value, each.name) != each.default
    }
    return {name: _value(one) for name, one in given.items()}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_part(part) for part in value]
    return _fields(value) if is_dataclass(value) else value


def _read_messages(stored: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    return tuple(
        Message(Role(message["role"]), tuple(_read_part(part) for part in message["parts"])) for message in stored
    )


def _read_part(stored: Mapping[str, Any]) -> Part:
    given = dict(stored)
    kind = _KINDS[given.pop("kind")]
    if "signature" in given:
        given["signature"] = Signature(given["signature"]["value"], Issuer(given["signature"]["issuer"]))
    if "cache" in given:
        given["cache"] = CacheMark(**given["cache"])
    if "content" in given:
        given["content"] = tuple(_read_part(part) for part in given["content"])
    return kind(**given)
