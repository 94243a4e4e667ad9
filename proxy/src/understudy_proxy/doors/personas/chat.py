"""The door `POST /api/v1/chat`: a conversation with a persona, by its name alone."""

import time
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, NamedTuple

import orjson

from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.asking import Answered, Asking, Saying
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.plain.asked import read_plain
from understudy_proxy.doors.plain.failing import bad_gateway
from understudy_proxy.doors.plain.said import content_of, ending_of
from understudy_proxy.doors.plain.streaming import PlainVoice
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.sessions.turns import HEADER, TurnAsking
from understudy_proxy.doors.telling import tell
from understudy_proxy.routing.names import PERSONA_PREFIX, persona_key
from understudy_proxy.routing.resolve import NotFound, resolve
from understudy_proxy.sessions.session import FIELD

_SHOWN = 128
_LIST = "GET /api/v1/personas lists them."


class _Cast(NamedTuple):
    """Who is asked what."""

    persona: str
    """As the app spells it."""
    target: RuntimeTarget
    chat: Chat
    session_id: str | None


class PersonaChatDoor:
    """Conversations with personas."""

    def __init__(self, services: Services) -> None:
        self._asking = services.asking
        self._sessions = services.sessions
        self._names = services.names
        self._metrics = services.metrics

    async def __call__(self, request: Request) -> Answer | None:
        """Answer, in a stream where one is asked for."""
        try:
            cast = self._read(request, await request.body())
        except Refused as refused:
            self._metrics.refused(refused.reason)
            raise
        with bad_gateway():
            by, sessions = self._asking, self._sessions
            async with sessions.asking(request, cast.session_id, cast.target.session, by=by) as asking:
                return await self._answer(request, cast.persona, cast.chat, by=asking)

    async def _answer(self, request: Request, persona: str, chat: Chat, *, by: Asking | TurnAsking) -> Answer | None:
        if not chat.stream:
            answered = await by.complete(request, chat)
            return Answer(body=orjson.dumps(_whole(request, persona, answered)), headers=answered.headers)

        def ending(said: Said, saying: Saying) -> dict[str, Any]:
            return _ending(request, persona, said, saying.usage, saying)

        await tell(request, by.stream(request, chat), PlainVoice(ending))
        return None

    def _read(self, request: Request, raw: bytes) -> _Cast:
        chat, beside = read_plain(raw, beside=("persona", FIELD), goes_on=HEADER in request.headers)
        persona = beside["persona"]
        if type(persona) is not str or not persona:
            what = "Name a persona" if persona is None or persona == "" else "'persona' must be a string"
            raise Refused(
                400,
                f"{what}: {{'persona': 'NAME', 'messages': […]}}. {_LIST}",
                code="missing_required_parameter" if not persona else "invalid_type",
                param="persona",
                reason="bad_request",
            )
        name = f"{PERSONA_PREFIX}{persona_key(persona.removeprefix(PERSONA_PREFIX))}"
        found = resolve(self._names.runtime(), name, namespace=self._names.namespace(request))
        if isinstance(found, NotFound):
            raise _unknown(persona, found)
        return _Cast(persona, found, replace(chat, model=name), self._sessions.named(request, beside[FIELD]))


def _unknown(asked: str, missing: NotFound) -> Refused:
    shown = asked if len(asked) <= _SHOWN else f"{asked[:_SHOWN]}…"
    # With the prefix that all of them have, all look alike.
    near = [name.removeprefix(PERSONA_PREFIX) for name in missing.nearest if name.startswith(PERSONA_PREFIX)]
    near = get_close_matches(persona_key(shown), near)
    hint = f"Did you mean {' or '.join(near)}?" if near else _LIST
    return Refused(
        404,
        f"The persona '{shown}' does not exist or is not for you to use. {hint}",
        code="persona_not_found",
        param="persona",
        reason="model_not_found",
    )


def _whole(request: Request, persona: str, answered: Answered) -> dict[str, Any]:
    said = answered.said
    ending = _ending(request, persona, said, said.usage, answered)
    return {"persona": persona, "content": content_of(said), **ending}


def _ending(request: Request, persona: str, said: Said, usage: Usage | None, how: Answered | Saying) -> dict[str, Any]:
    """All but the content: of a whole answer, and at the end of a stream."""
    candidate, prompt = how.course.candidate, how.target.prompt
    return {
        "persona": persona,
        **ending_of(said, usage, executed=how.tool_calls),
        "provider": candidate.upstream.name if candidate else None,
        "model": candidate.model if candidate else None,
        "persona_revision": prompt.revision if prompt else None,
        "latency_ms": round((time.monotonic() - request.received) * 1000, 1),
    }
