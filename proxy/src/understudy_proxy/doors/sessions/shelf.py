"""Where sessions are kept: in a store, each under the namespace of its caller, for whom alone it exists."""

import re
from dataclasses import dataclass

from understudy_proxy.dialects.fields import shown
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.sessions.record import decode, encode
from understudy_proxy.sessions.session import Session
from understudy_proxy.state.store import Store

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What an id can be: keys of other things begin like one and go on with a slash."""


@dataclass(frozen=True, slots=True)
class Found:
    """A session as it is in the store."""

    key: str
    session: Session
    stored: bytes
    """What is to be there still when it is changed."""


class Shelf:
    """Sessions by their ids."""

    def __init__(self, store: Store, names: Names) -> None:
        self._store = store
        self._names = names

    def key(self, request: Request, session_id: str) -> str:
        """Under which a session of this caller is stored."""
        return f"session/{self._names.namespace(request) or ''}/{session_id}"

    async def add(self, request: Request, session: Session) -> None:
        """Keep a new one."""
        await self._store.put(self.key(request, session.id), encode(session), ttl_seconds=session.ttl_seconds)

    async def find(self, request: Request, session_id: str) -> Found:
        """The session, kept for its whole time from now on.

        Raises:
            Refused: it is not there, or no more, or another's.
        """
        found = await self.look(request, session_id)
        if not await self._store.touch(found.key, ttl_seconds=found.session.ttl_seconds):
            raise not_found(session_id)
        return found

    async def look(self, request: Request, session_id: str) -> Found:
        """The session as it is now; its time goes on.

        Raises:
            Refused: it is not there, or no more, or another's.
        """
        key = self.key(request, session_id)
        stored = await self._store.get(key) if _ID.fullmatch(session_id) else None
        session = decode(stored) if stored is not None else None
        if stored is None or session is None:
            raise not_found(session_id)
        return Found(key, session, stored)

    async def change(self, found: Found, session: Session) -> bool:
        """Put `session` in the place of what was found; False when that is not there any more.

        Raises:
            TooLarge: it cannot be kept.
        """
        return await self._store.swap(found.key, found.stored, encode(session), ttl_seconds=session.ttl_seconds)

    async def delete(self, request: Request, session_id: str) -> bool:
        """Forget it; whether it was there."""
        return bool(_ID.fullmatch(session_id)) and await self._store.delete(self.key(request, session_id))


def not_found(session_id: str) -> Refused:
    """A session that this caller does not have."""
    return Refused(
        404,
        f"The session {shown(session_id)} does not exist: it was never made, is another caller's, was deleted, was not "
        "used for longer than its ttl_seconds, or was made at a proxy that shares no Redis with it. Make a new one "
        "by POST /v1/sessions.",
        type="invalid_request_error",
        code="session_not_found",
        param="session_id",
        reason="session_not_found",
    )
