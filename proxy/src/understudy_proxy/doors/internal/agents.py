"""On whose behalf an internal request is made, and how often each agent may ask."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from understudy_proxy.dialects.fields import invalid, mapping, string
from understudy_proxy.doors.door import Refused

_WINDOW_SECONDS = 60.0
_LONGEST = 256
_MOST_AGENTS = 10_000
"""Beyond that the one is forgotten that asked longest ago: its minute begins anew."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks; each is empty where the request does not say."""

    agent_id: str = ""
    microdao_id: str = ""
    channel_id: str = ""


def read_agent(metadata: Any) -> Agent:
    """The agent that `metadata` names; what else is in there is the caller's own.

    Raises:
        RequestError: it is wrong.
    """
    if metadata is None:
        return Agent()
    given = mapping(metadata, "metadata")
    return Agent(*(_word(given, name) for name in ("agent_id", "microdao_id", "channel_id")))


def _word(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    word = string(value, f"metadata.{name}")
    if len(word) > _LONGEST:
        raise invalid(f"metadata.{name}", f"expected at most {_LONGEST} characters, but got {len(word)}.")
    return word


@dataclass(slots=True)
class _Minute:
    """What an agent has asked in its minute, which begins with its first request."""

    ends: float
    asked: int = 0


class AgentLimits:
    """So many requests a minute for each agent."""

    def __init__(self, requests: int, *, timer: Callable[[], float]) -> None:
        """Let `requests` of each agent through in a minute, 0 for any number; `timer` gives monotonic seconds."""
        self._requests = requests
        self._timer = timer
        self._minutes: OrderedDict[str, _Minute] = OrderedDict()

    def take(self, agent: Agent) -> None:
        """Count a request of `agent`. Those that name none are one agent together.

        Raises:
            Refused: it has asked as often as it may.
        """
        if not self._requests:
            return
        now = self._timer()
        minute = self._minutes.get(agent.agent_id)
        if minute is None or minute.ends <= now:
            minute = self._minutes[agent.agent_id] = _Minute(now + _WINDOW_SECONDS)
        self._minutes.move_to_end(agent.agent_id)
        if len(self._minutes) > _MOST_AGENTS:
            self._minutes.popitem(last=False)
        if minute.asked >= self._requests:
            raise _too_many(agent, self._requests, wait=minute.ends - now)
        minute.asked += 1


def _too_many(agent: Agent, requests: int, *, wait: float) -> Refused:
    seconds = max(1, math.ceil(wait))
    who = f"The agent {agent.agent_id!r} has" if agent.agent_id else "Requests without metadata.agent_id have together"
    return Refused(
        429,
        f"{who} used up {requests} requests a minute. Try again in {seconds} s.",
        type="rate_limit_error",
        code="rate_limit_exceeded",
        reason="agent_rate_limited",
        headers=(("retry-after", str(seconds)),),
    )
