"""Sessions of both clients: what is sent, what is kept, what is deleted. No socket."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from harness.clients import KINDS, Gateway, Kind, Waits, answer, ask, closed, entered, left, made, refusal
from understudy import AsyncClient, Client, InvalidAnswer, SessionBusy, SessionNotFound

both = pytest.mark.parametrize("kind", KINDS)
MADE = httpx2.Response(
    201, json={"id": "s/1", "created_at": "2026-11-21T09:00:00Z", "expires_at": 1795254000, "context": {"team": "blue"}}
)
GONE = httpx2.Response(204)


def missing(code: str, status: int = 404, **headers: str) -> httpx2.Response:
    """A refusal with a code."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json={"error": {"message": f"No: {code}.", "code": code}}, headers=named)


def sent(gateway: Gateway) -> list[tuple[str, str]]:
    """What was asked for, as method and path on the wire."""
    return [(each.method, each.url.raw_path.decode()) for each in gateway.requests]


@both
async def test_a_block_begins_and_ends_a_session(kind: Kind) -> None:
    """Each turn says only what is new, and names the session."""
    gateway = Gateway(MADE, answer("Hello"), answer("Bye"), GONE)
    client = made(kind, gateway)
    session = await entered(client.session("persona/x", ttl=60, context={"team": "blue"}))
    assert session.id == "s/1"
    assert (await ask(session, "chat", "Hi")).text == "Hello"
    assert (await ask(session, "chat", "Bye", model="other", temperature=0.5)).text == "Bye"
    await left(session)
    await closed(client)
    assert sent(gateway) == [
        ("POST", "/v1/sessions"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions"),
        ("DELETE", "/v1/sessions/s%2F1"),
    ]
    bodies = [each.content for each in gateway.requests]
    assert bodies[3] == b""
    gateway.requests.pop()
    assert gateway.bodies() == [
        {"ttl_seconds": 60, "context": {"team": "blue"}},
        {"model": "persona/x", "messages": [{"role": "user", "content": "Hi"}], "session_id": "s/1"},
        {
            "model": "other",
            "messages": [{"role": "user", "content": "Bye"}],
            "temperature": 0.5,
            "session_id": "s/1",
        },
    ]


@both
async def test_what_is_kept_is_not_deleted(kind: Kind) -> None:
    """Neither one that is to be kept, nor one that was there before."""
    gateway = Gateway(MADE, answer("Hello"))
    client = made(kind, gateway)
    kept = await entered(client.session(keep=True))
    await left(kept)
    again = await entered(client.session(id=kept.id))
    assert (await ask(again, "chat", "Hi")).text == "Hello"
    await left(again)
    await closed(client)
    assert sent(gateway) == [("POST", "/v1/sessions"), ("POST", "/v1/chat/completions")]
    assert gateway.bodies()[1]["model"] == "default"


@both
async def test_without_a_block_it_begins_with_its_first_turn(kind: Kind) -> None:
    """And ends when somebody says so, or when it expires."""
    gateway = Gateway(MADE, answer("Hello"), answer("Again"), missing("session_not_found"))
    client = made(kind, gateway)
    session = client.session()
    assert gateway.requests == []
    await ask(session, "chat", "Hi")
    await ask(session, "chat", "Hi")
    await ask(session, "delete")
    await closed(client)
    assert [method for method, _ in sent(gateway)] == ["POST", "POST", "POST", "DELETE"]


@both
async def test_two_first_turns(kind: Kind) -> None:
    """Are turns of one session."""

    def answered(request: httpx2.Request) -> httpx2.Response:
        begins = request.url.path == "/v1/sessions"
        return httpx2.Response(201, content=MADE.content) if begins else answer("Hello")

    gateway = Gateway(answered)
    client = made(kind, gateway)
    session = client.session()
    await asyncio.gather(ask(session, "chat", "One"), ask(session, "chat", "Two"))
    await closed(client)
    assert sorted(path for _, path in sent(gateway)) == ["/v1/chat/completions"] * 2 + ["/v1/sessions"]


@both
async def test_what_the_gateway_knows_of_it(kind: Kind) -> None:
    """Times in either form, and what was said."""
    known = {"id": "s/1", "created_at": 1795252200.5, "expires_at": "2026-11-21T09:40:00+00:00",
             "messages": [{"role": "user", "content": "Hi"}]}  # fmt: skip
    gateway = Gateway(httpx2.Response(200, json=known))
    client = made(kind, gateway)
    state = await ask(client.session(id="s/1"), "state")
    await closed(client)
    assert (state.id, state.messages) == ("s/1", ({"role": "user", "content": "Hi"},))
    assert state.created_at == datetime.fromtimestamp(1795252200.5, UTC)
    assert state.expires_at == datetime(2026, 11, 21, 9, 40, tzinfo=UTC)
    assert sent(gateway) == [("GET", "/v1/sessions/s%2F1")]


@both
async def test_tools_in_a_session(kind: Kind) -> None:
    """Results are told, and what was said before is not said again."""

    def weather(city: str) -> str:
        """The weather in a city."""
        return f"{city}: sunny"

    gateway = Gateway(MADE, answer("", calls={"weather": '{"city": "Paris"}'}), answer("Sunny."), GONE)
    client = made(kind, gateway)
    session = await entered(client.session("chat"))
    run = await ask(session, "run", "Weather?", tools=[weather])
    await closed(client)
    assert (run.text, run.rounds) == ("Sunny.", 2)
    first, second = gateway.bodies()[1:]
    assert first["messages"] == [{"role": "user", "content": "Weather?"}]
    assert second["messages"] == [{"role": "tool", "tool_call_id": "call-weather", "content": "Paris: sunny"}]
    assert second["session_id"] == "s/1"


@both
async def test_a_session_that_is_gone(kind: Kind) -> None:
    """Is an error of its own, and leaving its block is none."""
    gateway = Gateway(MADE, missing("session_not_found"))
    client = made(kind, gateway)
    session = await entered(client.session())
    with pytest.raises(SessionNotFound, match="No: session_not_found"):
        await ask(session, "chat", "Hi")
    await left(session)
    await closed(client)


@both
async def test_a_session_that_is_busy_is_waited_for(kind: Kind) -> None:
    """As long as the gateway says, and as often as retries say."""
    gateway, waits = Gateway(missing("session_busy", 409, retry_after="2"), answer("Hello")), Waits()
    client = made(kind, gateway, waits)
    assert (await ask(client.session(id="s"), "chat", "Hi")).text == "Hello"
    await closed(client)
    assert waits.slept == [2.1]
    gateway = Gateway(missing("session_busy", 409, retry_after="2"))
    client = made(kind, gateway, retries=0)
    with pytest.raises(SessionBusy) as raised:
        await ask(client.session(id="s"), "chat", "Hi")
    await closed(client)
    assert raised.value.retry_after == 2


@both
@pytest.mark.parametrize("given", [{"ttl": 5}, {"context": {}}])
async def test_what_only_a_new_session_has(kind: Kind, given: dict[str, Any]) -> None:
    """Is not quietly left out for one that is there."""
    client = made(kind, Gateway(answer()))
    with pytest.raises(TypeError, match="ttl and context are a new session's"):
        client.session(id="s", **given)
    await closed(client)


@both
async def test_a_gateway_without_sessions(kind: Kind) -> None:
    """Says so, and an answer that is no session is not taken for one."""
    client = made(kind, Gateway(refusal(404)))
    with pytest.raises(Exception, match="No: 404"):
        await entered(client.session())
    await closed(client)
    client = made(kind, Gateway(httpx2.Response(200, json={"ok": True})))
    with pytest.raises(InvalidAnswer):
        await entered(client.session())
    await closed(client)


async def test_an_id_before_its_beginning() -> None:
    """One client can begin it in time, the other says what to do."""
    client = made(AsyncClient, Gateway(MADE))
    with pytest.raises(RuntimeError, match="has not begun"):
        _ = client.session().id
    await closed(client)
    client = made(Client, Gateway(MADE))
    assert client.session().id == "s/1"
    await closed(client)
