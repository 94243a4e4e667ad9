"""Sessions of a gateway, as a client has them."""

import json
from typing import Any

from harness.callers.caller import Asking, Caller, Heard, Turn
from harness.raw_http import Answer, exchange
from understudy.mock import Mock

SESSIONS = "/v1/sessions"


async def begun(port: int, *, under: str = "", **fields: Any) -> str:
    """The id of a new session; `under` is what its path begins with."""
    answer = await exchange(port, "POST", under + SESSIONS, json.dumps(fields).encode())
    assert 201 == answer.status, answer
    created: str = answer.json()["id"]
    return created


async def kept(port: int, session_id: str) -> list[dict[str, Any]]:
    """What a session holds, as messages in OpenAI's form."""
    answer = await exchange(port, "GET", f"{SESSIONS}/{session_id}")
    assert 200 == answer.status, answer
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


def said_to(mock: Mock) -> list[tuple[str, str]]:
    """What a provider of OpenAI's dialect was sent last: who speaks, and what is said or called."""
    messages = mock.requests[-1].json()["messages"]
    return [(message["role"], message.get("content") or _called(message)) for message in messages]


def _called(message: dict[str, Any]) -> str:
    return ", ".join(call["function"]["name"] for call in message.get("tool_calls", ()))


class Talk:
    """A conversation in which each request says only what is new."""

    def __init__(self, caller: Caller, port: int, session_id: str, *, stream: bool, by_header: bool = True) -> None:
        """Name the session by header, or in the body."""
        self._caller = caller
        self._port = port
        self._stream = stream
        self._headers = {"x-session-id": session_id} if by_header else {}
        self._fields = {} if by_header else {"session_id": session_id}

    async def say(self, text: str, *, model: str = "chat") -> Heard:
        """Say something."""
        return await self.go_on([self._caller.user(text)], model=model)

    async def tell(self, heard: Heard, *, model: str = "chat") -> Heard:
        """Tell what the tools returned, and nothing else."""
        results = [f"result of {call.name}" for call in heard.calls]
        return await self.go_on(self._caller.results(heard.calls, *results), model=model)

    async def go_on(self, turns: list[Turn], *, model: str = "chat") -> Heard:
        """Send these turns, and have a whole answer."""
        answer = await self.send(turns, model=model)
        assert (200, True) == (answer.status, answer.complete), answer
        return self._caller.heard(answer, stream=self._stream)

    async def send(self, turns: list[Turn], *, model: str = "chat") -> Answer:
        """Send these turns."""
        asking = Asking(turns, model=model, stream=self._stream, tools=True, think=True)
        return await self._caller.send(self._port, asking, self._headers, **self._fields)
