"""The doors `/v1/sessions` and below: conversations that the gateway remembers, made, shown and forgotten."""

import secrets
import time
from typing import Any

import orjson

from understudy_proxy.dialects.openai.request import parse_object
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.doors.sessions.shelf import Shelf, not_found
from understudy_proxy.doors.sessions.showing import shown, shown_system
from understudy_proxy.sessions.reading import read_new
from understudy_proxy.sessions.session import Session
from understudy_proxy.telemetry.metrics import Metrics

USUAL_TTL_SECONDS = 3600.0
"""Of a session whose maker says nothing, until a persona says something."""
_ID_BYTES = 24
"""Random ones: nobody guesses an id."""


class SessionsDoor:
    """Sessions, for whoever asks models in them."""

    def __init__(self, shelf: Shelf, metrics: Metrics) -> None:
        """Keep them in `shelf`; count in `metrics` who is turned away."""
        self._shelf = shelf
        self._metrics = metrics

    async def create(self, request: Request) -> Answer:
        """A new one."""
        raw = await request.body()
        try:
            ttl_seconds, context = read_new(parse_object(raw) if raw.strip() else {})
        except RequestError as error:
            raise self._counted(bad_request(error)) from error
        session = Session(
            id=f"sess_{secrets.token_urlsafe(_ID_BYTES)}",
            created_at=time.time(),
            ttl_seconds=USUAL_TTL_SECONDS if ttl_seconds is None else ttl_seconds,
            own_ttl=ttl_seconds is not None,
            context=context,
        )
        await self._shelf.add(request, session)
        return Answer(201, orjson.dumps(_told(session)), headers=(("location", f"/v1/sessions/{session.id}"),))

    async def show(self, request: Request) -> Answer:
        """One, with what was said in it. That is a use of it, too."""
        try:
            session = (await self._shelf.find(request, request.rest)).session
        except Refused as refused:
            raise self._counted(refused) from refused
        messages = [*shown_system(session.system), *shown(session.messages)]
        return Answer(body=orjson.dumps({**_told(session), "messages": messages}))

    async def delete(self, request: Request) -> Answer:
        """Forget it, with all that was said."""
        if not await self._shelf.delete(request, request.rest):
            raise self._counted(not_found(request.rest))
        return Answer(body=orjson.dumps({"id": request.rest, "object": "session", "deleted": True}))

    def _counted(self, refused: Refused) -> Refused:
        self._metrics.refused(refused.reason)
        return refused


def _told(session: Session) -> dict[str, Any]:
    """All but the messages. It was used just now."""
    return {
        "id": session.id,
        "object": "session",
        "created_at": int(session.created_at),
        "expires_at": int(time.time() + session.ttl_seconds),
        "ttl_seconds": session.ttl_seconds,
        "context": session.context,
        "message_count": len(session.messages),
    }
