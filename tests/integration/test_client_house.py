"""The Python client at the gateway's own doors: roles, sessions and tools."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.client_house import House, client_house
from harness.clients import KINDS, Kind, ask, closed, entered, finished, left
from understudy import SessionNotFound, ToolFailed, ToolNotFound


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One of everything, for all tests."""
    async with client_house(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest_asyncio.fixture(params=KINDS, loop_scope="module")
async def client(house: House, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Each client in turn."""
    kind: Kind = request.param
    made = kind(f"http://127.0.0.1:{house.serve.port}")
    yield made
    await closed(made)


pytestmark = pytest.mark.asyncio(loop_scope="module")


def said(house: House) -> list[tuple[str, Any]]:
    """The conversation that the provider was sent last."""
    return [(each["role"], each["content"]) for each in house.mock.requests[-1].json()["messages"]]


async def test_what_there_is(client: Any) -> None:
    """Roles and providers, and whether they can be asked now."""
    (guide,) = await ask(client, "personas")
    assert (guide.name, guide.aliases, guide.available) == ("guide", ("city_guide",), True)
    assert guide.provider_preferences == ("main",)
    (main,) = await ask(client, "providers")
    assert (main.name, main.models, main.health, main.type) == ("main", ("m",), "healthy", "OpenAICompatible")


async def test_a_conversation_in_a_session(client: Any, house: House) -> None:
    """What was said is told again, the role knows the context, and the block's end forgets it."""
    session = await entered(client.session("persona/guide", ttl=60, context={"visitor": "Ada"}))
    first = await ask(session, "chat", "Hi")
    stream = await ask(session, "chat", "Where is the bridge?", stream=True)
    second = await finished(stream)
    assert said(house) == [
        ("system", "You show Ada around."),
        ("user", "Hi"),
        ("assistant", first.text),
        ("user", "Where is the bridge?"),
    ]
    state = await ask(session, "state")
    assert [each["content"] for each in state.messages] == ["Hi", first.text, "Where is the bridge?", second.text]
    assert state.context == {"visitor": "Ada"}
    assert 55 <= (state.expires_at - state.created_at).total_seconds() <= 70
    await left(session)
    with pytest.raises(SessionNotFound):
        await ask(client.session(id=state.id), "state")


async def test_a_session_that_is_kept(client: Any, house: House) -> None:
    """Goes on by its id, in another process as well."""
    kept = await entered(client.session("chat", keep=True))
    await ask(kept, "chat", "Hi")
    await left(kept)
    again = client.session("chat", id=kept.id)
    await ask(again, "chat", "Still there?")
    assert [role for role, _ in said(house)] == ["user", "assistant", "user"]
    await ask(again, "delete")
    await ask(again, "delete")
    with pytest.raises(SessionNotFound):
        await ask(again, "chat", "Still there?")


async def test_functions_in_a_session(client: Any) -> None:
    """Calls and their results are part of it."""

    def weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    session = await entered(client.session("chat"))
    run = await ask(session, "run", "[call: weather] Now?", tools=[weather])
    state = await ask(session, "state")
    await left(session)
    assert "sunny in" in run.text
    assert [each["role"] for each in state.messages] == ["user", "assistant", "tool", "assistant"]


async def test_two_turns_at_once(client: Any) -> None:
    """Are one after the other, and both are kept."""
    session = await entered(client.session("chat"))
    await asyncio.gather(ask(session, "chat", "One"), ask(session, "chat", "Two"))
    state = await ask(session, "state")
    await left(session)
    roles = [each["role"] for each in state.messages]
    assert roles == ["user", "assistant", "user", "assistant"]
    assert {each["content"] for each in state.messages if each["role"] == "user"} == {"One", "Two"}


async def test_tools_of_the_gateway(client: Any) -> None:
    """Listed, run by name, and given to a model as if they were the app's own."""
    (tool,) = await ask(client.tools, "list")
    assert (tool.name, tool.parameters["required"]) == ("find_book", ["words"])
    (book,) = await ask(client.tools, "execute", "find_book", {"words": "pride"})
    assert book["title"] == "Pride and Prejudice"
    run = await ask(client, "run", "chat", "[call: find_book] Anything?", tools=[tool])
    assert run.rounds == 2
    assert [each["role"] for each in run.messages] == ["user", "assistant", "tool", "assistant"]


async def test_tools_that_do_not_work(client: Any) -> None:
    """Say so, with the path of what is wrong."""
    with pytest.raises(ToolNotFound, match="'find_bok' does not exist"):
        await ask(client.tools, "execute", "find_bok", {})
    with pytest.raises(ToolFailed, match="words") as raised:
        await ask(client.tools, "execute", "find_book", {})
    assert raised.value.status == 400
    assert raised.value.code
