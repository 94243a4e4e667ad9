"""The door `POST /internal/llm/proxy`: any model under one shape, on behalf of an agent."""

import time
from dataclasses import replace
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.fields import missing, string
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.asking import Answered, Asking, Saying
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.internal.agents import Agent, AgentLimits, read_agent
from understudy_proxy.doors.internal.secret import SharedSecret
from understudy_proxy.doors.internal.usage import AgentUsage, Sums
from understudy_proxy.doors.plain.asked import read_plain
from understudy_proxy.doors.plain.failing import bad_gateway
from understudy_proxy.doors.plain.said import content_of, ending_of
from understudy_proxy.doors.plain.streaming import PlainVoice
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.sessions.turns import HEADER, TurnAsking
from understudy_proxy.doors.telling import tell
from understudy_proxy.sessions.session import FIELD


class InternalProxyDoor:
    """Conversations of services of one's own."""

    def __init__(self, services: Services, *, secret: SharedSecret, limits: AgentLimits, usage: AgentUsage) -> None:
        """Count in `usage` what agents use."""
        self._asking = services.asking
        self._sessions = services.sessions
        self._secret = secret
        self._limits = limits
        self._usage = usage
        self._metrics = services.metrics

    async def __call__(self, request: Request) -> Answer | None:
        """Answer, in a stream where one is asked for."""
        try:
            self._secret.check(request)
            chat, agent, given = _read(await request.body(), goes_on=HEADER in request.headers)
            session_id = self._sessions.named(request, given)
            self._limits.take(agent)
        except Refused as refused:
            self._metrics.refused(refused.reason)
            raise
        used = Sums(requests=1)
        try:
            with bad_gateway():
                policy = self._sessions.policy(request, chat.model)
                async with self._sessions.asking(request, session_id, policy, by=self._asking) as asking:
                    if chat.stream:
                        await _stream(request, chat, used, by=asking)
                        return None
                    return await _whole(request, chat, used, by=asking)
        finally:
            used.milliseconds = _milliseconds(request)
            self._usage.add(agent, used)


async def _whole(request: Request, chat: Chat, used: Sums, *, by: Asking | TurnAsking) -> Answer:
    answered = await by.complete(request, chat)
    said = answered.said
    body = {"content": content_of(said), **_ending(request, said, said.usage, answered, used)}
    return Answer(body=orjson.dumps(body), headers=answered.headers)


async def _stream(request: Request, chat: Chat, used: Sums, *, by: Asking | TurnAsking) -> None:
    def ending(said: Said, saying: Saying) -> dict[str, Any]:
        return _ending(request, said, saying.usage, saying, used)

    await tell(request, by.stream(request, chat), PlainVoice(ending))


def _read(raw: bytes, *, goes_on: bool) -> tuple[Chat, Agent, Any]:
    """What is asked, on whose behalf, and the session that the body names."""
    chat, beside = read_plain(raw, beside=("model", "metadata", FIELD), goes_on=goes_on)
    try:
        model = string(beside["model"], "model")
        if not model:
            raise missing("model")
        return replace(chat, model=model), read_agent(beside["metadata"]), beside[FIELD]
    except RequestError as error:
        raise bad_request(error) from error


def _ending(request: Request, said: Said, usage: Usage | None, how: Answered | Saying, used: Sums) -> dict[str, Any]:
    """All but the content, noted in `used` as well."""
    candidate = how.course.candidate
    used.succeeded = 1
    if usage is not None:
        used.tokens = usage.input + usage.output
        used.cost = how.cost
    ending = {
        **ending_of(said, usage, executed=how.tool_calls),
        "provider": candidate.upstream.name if candidate else None,
        "model_resolved": candidate.upstream_model if candidate else None,
        "latency_ms": _milliseconds(request),
    }
    return ending if used.cost is None else {**ending, "cost": float(used.cost)}


def _milliseconds(request: Request) -> float:
    return round((time.monotonic() - request.received) * 1000, 1)
