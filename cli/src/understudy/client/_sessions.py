"""Conversations that the gateway remembers: what goes over the wire, and what comes back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from understudy.client._errors import InvalidAnswer
from understudy.client._requests import Call, Message

SESSIONS = "/v1/sessions"
DEFAULT_MODEL = "default"
"""The name that a gateway takes where it is told none."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session as the gateway knows it.

    Attributes:
        id: To reopen it by.
        created_at: When it began.
        expires_at: When it is forgotten, if nothing is said in it until then.
        context: What personas are told of it, by the names of their variables.
        messages: What has been said, in OpenAI's form; only where it was asked for.
        raw: As it came.
    """

    id: str
    created_at: datetime | None = None
    expires_at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def check_is_new(session_id: str | None, *, ttl: float | None, context: Mapping[str, Any] | None) -> None:
    """See that nothing is said of a session that there is already.

    Raises:
        TypeError: something is.
    """
    if session_id is not None and (ttl is not None or context is not None):
        raise TypeError("ttl and context are a new session's; the one with that id has its own")


def create_call(*, ttl: float | None, context: Mapping[str, Any] | None) -> Call:
    """A request for a new session; what is left out is the gateway's to choose."""
    body: dict[str, Any] = {}
    if ttl is not None:
        body["ttl_seconds"] = ttl
    if context is not None:
        body["context"] = dict(context)
    return Call("POST", SESSIONS, body)


def show_call(session_id: str) -> Call:
    """A request for all that is known of a session."""
    return Call("GET", f"{SESSIONS}/{quote(session_id, safe='')}")


def delete_call(session_id: str) -> Call:
    """A request to forget a session."""
    return Call("DELETE", f"{SESSIONS}/{quote(session_id, safe='')}")


def in_session(call: Call, session_id: str) -> Call:
    """The same request as a turn of a session."""
    return replace(call, body={**(call.body or {}), "session_id": session_id})


def session_state(raw: Any) -> SessionState:
    """A session that the gateway tells of.

    Raises:
        InvalidAnswer: it is none.
    """
    found = raw.get("id") if isinstance(raw, dict) else None
    if not (isinstance(found, str) and found):
        raise InvalidAnswer("the answer is no session: is the address a gateway's?")
    context, messages = raw.get("context"), raw.get("messages")
    return SessionState(
        id=found,
        created_at=_time(raw.get("created_at")),
        expires_at=_time(raw.get("expires_at")),
        context=context if isinstance(context, dict) else {},
        messages=tuple(each for each in messages if isinstance(each, dict)) if isinstance(messages, list) else (),
        raw=raw,
    )


def _time(value: Any) -> datetime | None:
    """A time as either form that APIs write it in: ISO 8601, or seconds since 1970."""
    try:
        if isinstance(value, str):
            then = datetime.fromisoformat(value)
            return then.replace(tzinfo=then.tzinfo or UTC)
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None
