"""Turns of sessions, from every client to every provider: the gateway remembers what was said, and only that."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from harness.asking import PATH, ask, chat_body
from harness.callers import CALLERS
from harness.callers.caller import Asking
from harness.gateways import ALL, Serving, backend, in_order, persona, provider, route, snapshot
from harness.raw_http import RawHttp, eventually, exchange
from harness.sessions import SESSIONS, Talk, begun, kept, said_to
from harness.vendors import VENDORS
from understudy.mock import Mock, Settings
from understudy_api.config import Prompt, PromptPiece, ProviderModel, SessionPolicy

SLOW = Settings(tokens=1000, token_interval=0.01)
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
CALLS = "[call: get_weather]"


def heard(text: str) -> str:
    """What the mock answers."""
    return f'This is a, answering as m. You said: "{text}"'


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """Whoever answers."""
    async with Mock(name="a") as made:
        yield made


@pytest.fixture
async def gateway(mock: Mock) -> AsyncIterator[Serving]:
    """A gateway with one route."""
    async with Serving(snapshot([provider("a", mock.url)], [route("chat", *in_order("a"))])) as made:
        yield made


@STREAMS
@pytest.mark.parametrize("by_header", [False, True], ids=["body", "header"])
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_conversation_goes_on(gateway: Serving, mock: Mock, caller: str, by_header: bool, stream: bool) -> None:
    """Each turn says what is new; the model gets all of it in order, and nothing of the session itself."""
    session = await begun(gateway.port)
    talk = Talk(CALLERS[caller], gateway.port, session, stream=stream, by_header=by_header)
    for text in ("one", "two", "three"):
        assert heard(text) == (await talk.say(text)).text
    assert [
        ("user", "one"),
        ("assistant", heard("one")),
        ("user", "two"),
        ("assistant", heard("two")),
        ("user", "three"),
    ] == said_to(mock)
    assert session not in mock.requests[-1].body.decode()
    assert 6 == len(await kept(gateway.port, session))


@STREAMS
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_tools_go_on(caller: str, vendor: str, stream: bool) -> None:
    """A client sends the results of its tools alone; call, thoughts and their signature are what is remembered."""
    async with Mock(name="a") as mock:
        served = snapshot([VENDORS[vendor].provider("a", mock.url)], [route("chat", *in_order("a"))])
        async with Serving(served) as gateway:
            session = await begun(gateway.port)
            talk = Talk(CALLERS[caller], gateway.port, session, stream=stream)
            called = await talk.say(f"[think: first thoughts] {CALLS}")
            assert ["get_weather"] == [call.name for call in called.calls]
            answer = await talk.tell(called)
            assert "result of get_weather" in answer.text
            await talk.say("thank you")
            roles = [message["role"] for message in await kept(gateway.port, session)]
    assert ["user", "assistant", "tool", "assistant", "user", "assistant"] == roles


@STREAMS
@pytest.mark.parametrize("caller", CALLERS)
async def test_everything_sent_again_is_not_doubled(gateway: Serving, mock: Mock, caller: str, stream: bool) -> None:
    """A client that keeps its own history, tools and all, has the same conversation as one that does not."""
    session = await begun(gateway.port)
    client = CALLERS[caller]
    talk = Talk(client, gateway.port, session, stream=stream)
    history = [client.user(CALLS)]
    called = await talk.go_on(history)
    history += [*called.turns, *client.results(called.calls, "sunny")]
    answer = await talk.go_on(history)
    history += [*answer.turns, client.user("two")]
    await talk.go_on(history)
    assert [("user", CALLS), ("assistant", "get_weather"), ("tool", "sunny")] == said_to(mock)[:3]
    assert [("assistant", answer.text), ("user", "two")] == said_to(mock)[3:]


async def test_what_the_client_says_of_the_system_stays(gateway: Serving, mock: Mock) -> None:
    """Until it says something else."""
    session = await begun(gateway.port)
    for text, system in (("one", "Be brief."), ("two", None), ("three", "Be wordy."), ("four", None)):
        said = [{"role": "system", "content": system}] if system else []
        await ask(gateway.port, session_id=session, messages=[*said, {"role": "user", "content": text}])
    systems = [request.json()["messages"][0] for request in mock.requests]
    assert ["Be brief.", "Be brief.", "Be wordy.", "Be wordy."] == [system["content"] for system in systems]


async def test_responses_are_turns_as_well(gateway: Serving, mock: Mock) -> None:
    """By body or header, together with the chat completions of the same session."""
    session = await begun(gateway.port)
    await ask(gateway.port, said="one", session_id=session)
    for text, fields, headers in (("two", {"session_id": session}, {}), ("three", {}, {"x-session-id": session})):
        body = json.dumps({"model": "chat", "input": text, **fields}).encode()
        assert 200 == (await exchange(gateway.port, "POST", "/v1/responses", body, headers)).status
    assert ["one", "two", "three"] == [text for role, text in said_to(mock) if role == "user"]


@STREAMS
@pytest.mark.parametrize("fault", ["500", "cut-after:3", "end-after:3", "reset"])
async def test_a_turn_that_fails_has_not_been(gateway: Serving, mock: Mock, fault: str, stream: bool) -> None:
    """However much of it the client has seen; it can be said again at once."""
    session = await begun(gateway.port)
    await ask(gateway.port, said="one", session_id=session)
    before = await kept(gateway.port, session)
    mock.set_faults([fault])
    assert not (await ask(gateway.port, said="two", stream=stream, session_id=session)).whole
    assert before == await kept(gateway.port, session)
    mock.set_faults([])
    await eventually_out_of_trouble(gateway)
    assert (await ask(gateway.port, said="two", stream=stream, session_id=session)).whole
    assert [("assistant", heard("one")), ("user", "two")] == said_to(mock)[1:]


async def eventually_out_of_trouble(gateway: Serving) -> None:
    """Wait until no backend is out any more."""
    async with asyncio.timeout(10):
        while (await ask(gateway.port)).status != 200:  # noqa: ASYNC110 - health is there to be asked
            await asyncio.sleep(0.05)


@STREAMS
async def test_a_client_that_leaves_has_said_nothing(gateway: Serving, mock: Mock, stream: bool) -> None:
    """Its turn is not kept, and the session is free for the next one."""
    session = await begun(gateway.port)
    mock.settings = SLOW
    async with RawHttp(gateway.port) as client:
        client.send("POST", PATH, chat_body(said="never mind", stream=stream, session_id=session))
        await eventually(lambda: mock.stats.in_flight == 1)
        if stream:
            await client.saw(b"data: ")
    await eventually(lambda: mock.stats.aborted == 1)
    mock.settings = Settings()
    assert [] == await kept(gateway.port, session)
    assert (await ask(gateway.port, said="hello", session_id=session)).whole
    assert [("user", "hello")] == said_to(mock)


@STREAMS
async def test_turns_at_once_come_one_after_the_other(gateway: Serving, mock: Mock, stream: bool) -> None:
    """Each knows the ones before it, whichever order they come in; other sessions do not wait."""
    mock.settings = Settings(token_interval=0.005)
    session, other = await begun(gateway.port), await begun(gateway.port)
    asked = [ask(gateway.port, said=f"turn {n}", stream=stream, session_id=session) for n in range(3)]
    asked.append(ask(gateway.port, said="elsewhere", stream=stream, session_id=other))
    assert [True] * 4 == [answer.whole for answer in await asyncio.gather(*asked)]
    talks = [request.json()["messages"] for request in mock.requests]
    assert [1, 1, 3, 5] == sorted(len(talk) for talk in talks)
    assert 2 == mock.stats.max_in_flight
    messages = await kept(gateway.port, session)
    assert ["user", "assistant"] * 3 == [message["role"] for message in messages]
    for question, answer in zip(messages[::2], messages[1::2], strict=True):
        assert question["content"] in answer["content"]


async def test_a_reload_between_turns_changes_nothing(gateway: Serving) -> None:
    """The conversation goes on, with whoever answers now."""
    session = await begun(gateway.port)
    await ask(gateway.port, said="one", session_id=session)
    async with Mock(name="b") as other:
        again = snapshot([provider("b", other.url)], [route("chat", *in_order("b"))])
        assert await gateway.source.push(again)
        await ask(gateway.port, said="two", session_id=session)
        assert [("user", "one"), ("assistant", heard("one")), ("user", "two")] == said_to(other)


async def test_an_understudy_knows_what_was_said(mock: Mock) -> None:
    """A turn that fails over has the whole conversation, and is kept once."""
    async with Mock(name="b") as other:
        providers = [provider("a", mock.url), provider("b", other.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            session = await begun(gateway.port)
            await ask(gateway.port, said="one", session_id=session)
            mock.set_faults(["500"])
            await ask(gateway.port, said="two", session_id=session)
            assert [("user", "one"), ("assistant", heard("one")), ("user", "two")] == said_to(other)
            assert 4 == len(await kept(gateway.port, session))


async def test_a_session_deleted_meanwhile_stays_so(gateway: Serving, mock: Mock) -> None:
    """The turn under way is answered, and does not bring it back."""
    session = await begun(gateway.port)
    mock.settings = Settings(tokens=30, token_interval=0.01)
    turn = asyncio.create_task(ask(gateway.port, session_id=session))
    await eventually(lambda: mock.stats.in_flight == 1)
    assert 200 == (await exchange(gateway.port, "DELETE", f"{SESSIONS}/{session}")).status
    assert (await turn).whole
    assert 404 == (await exchange(gateway.port, "GET", f"{SESSIONS}/{session}")).status


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_session_that_is_not_there(gateway: Serving, mock: Mock, caller: str) -> None:
    """404 in the words of each client, and nobody is asked."""
    client = CALLERS[caller]
    answer = await Talk(client, gateway.port, "sess_unknown", stream=False).send([client.user("hi")])
    wrong = client.wrong(answer)
    assert wrong is not None
    assert (404, True) == (answer.status, "'sess_unknown' does not exist" in wrong.message)
    assert [] == mock.requests


async def test_another_namespace_s_session_does_not_exist(gateway: Serving) -> None:
    """Neither to be shown nor deleted, nor to go on with."""
    session = await begun(gateway.port, under="/ns/other")
    assert 404 == (await ask(gateway.port, session_id=session)).status
    for method in ("GET", "DELETE"):
        assert 404 == (await exchange(gateway.port, method, f"{SESSIONS}/{session}")).status
    assert 200 == (await exchange(gateway.port, "GET", f"/ns/other{SESSIONS}/{session}")).status


async def test_an_expired_session_is_gone(gateway: Serving) -> None:
    """Its time is over, whatever it held."""
    session = await begun(gateway.port, ttl_seconds=0.05)
    await asyncio.sleep(0.06)
    refused = await ask(gateway.port, session_id=session)
    assert (404, "session_not_found") == (refused.status, (refused.error or {})["code"])


async def test_a_long_turn_does_not_expire_its_session(gateway: Serving, mock: Mock) -> None:
    """The time begins when the turn ends, however long that took."""
    mock.settings = Settings(tokens=60, token_interval=0.02)
    session = await begun(gateway.port, ttl_seconds=1)
    assert (await ask(gateway.port, session_id=session, stream=True)).whole
    assert 2 == len(await kept(gateway.port, session))


@pytest.mark.parametrize(
    ("fields", "headers", "words"),
    [
        pytest.param({"session_id": 7}, {}, "expected a string", id="a number"),
        pytest.param({"session_id": "a"}, {"x-session-id": "b"}, "name one", id="two of them"),
        pytest.param({"n": 2}, None, "one answer", id="several answers"),
        pytest.param(
            {"messages": [{"role": "tool", "tool_call_id": "call_x", "content": "?"}]},
            None,
            "waits for none",
            id="a result of no call",
        ),
    ],
)
async def test_what_cannot_be_a_turn(
    gateway: Serving, mock: Mock, fields: dict[str, Any], headers: dict[str, str] | None, words: str
) -> None:
    """400 that says why, and nobody is asked."""
    usual = {"x-session-id": await begun(gateway.port)}
    refused = await ask(gateway.port, headers=usual if headers is None else headers, **fields)
    assert (400, True) == (refused.status, words in (refused.error or {})["message"])
    assert [] == mock.requests


async def test_a_turn_that_is_too_large(gateway: Serving, mock: Mock) -> None:
    """413, before anybody is asked."""
    session = await begun(gateway.port)
    refused = await ask(gateway.port, said="x" * 5_000_000, session_id=session)
    assert (413, "turn_too_large") == (refused.status, (refused.error or {})["code"])
    assert [] == mock.requests


def small(name: str, mock: Mock, window: int) -> Any:
    """A provider whose model has so small a window."""
    model = ProviderModel(upstream_name="m", capabilities=ALL, context_window=window)
    return provider(name, mock.url).model_copy(update={"models": {"m": model}})


async def test_each_backend_gets_as_much_as_fits(mock: Mock) -> None:
    """The first choice with a large window all of it; the understudy with a small one the last turns, whole."""
    async with Mock(name="b") as other:
        providers = [small("a", mock, 100_000), small("b", other, 1500)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"))])) as gateway:
            talk = Talk(CALLERS["openai"], gateway.port, await begun(gateway.port), stream=False)
            for number in range(8):
                called = await talk.say(f"{CALLS} turn {number} {'x' * 1600}")
                await talk.tell(called)
            mock.set_faults(["500"])
            await talk.say("now")
            first, second = said_to(mock), said_to(other)
    assert 33 == len(first)
    assert second == first[-len(second) :]
    assert 1 < len(second) < 33
    assert "user" == second[0][0]


async def test_a_persona_says_how_much_is_sent(mock: Mock) -> None:
    """The last messages, from a question on; a call and its result stay together."""
    pirate = persona("pirate", backend("a"), prompt=Prompt(system="Arr."))
    pirate = pirate.model_copy(update={"session": SessionPolicy(max_messages=3)})
    async with Serving(snapshot([provider("a", mock.url)], [pirate])) as gateway:
        talk = Talk(CALLERS["openai"], gateway.port, await begun(gateway.port), stream=False)
        await talk.say("one", model="persona/pirate")
        called = await talk.say(CALLS, model="persona/pirate")
        await talk.tell(called, model="persona/pirate")
        assert [
            ("system", "Arr."),
            ("user", CALLS),
            ("assistant", "get_weather"),
            ("tool", "result of get_weather"),
        ] == (said_to(mock))
        await talk.say("two", model="persona/pirate")
        assert [("system", "Arr."), ("user", "two")] == said_to(mock)


TEMPLATE = (
    (PromptPiece(text="You serve "), PromptPiece(text="everybody", variable="team"), PromptPiece(text=".")),
    (PromptPiece(text="", variable="notes"), PromptPiece(text="", variable="unsaid")),
)


@STREAMS
async def test_a_persona_knows_the_context(mock: Mock, stream: bool) -> None:
    """What the session says stands in its prompt, behind each door; without a session, the defaults."""
    crew = persona("crew", backend("a"), prompt=Prompt(system="You serve everybody.", template=TEMPLATE))
    async with Serving(snapshot([provider("a", mock.url)], [crew])) as gateway:
        session = await begun(
            gateway.port, context={"team": "the red team", "notes": {"tide": 3}, "unused": 1, "unsaid": None}
        )
        fields = {"persona": "crew", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
        for given in ({}, {"session_id": session}):
            answer = await exchange(gateway.port, "POST", "/api/v1/chat", json.dumps({**fields, **given}).encode())
            assert 200 == answer.status
        assert 200 == (await ask(gateway.port, model="persona/crew", stream=stream, session_id=session)).status
        prompts = [request.json()["messages"][0]["content"] for request in mock.requests]
    told_it = 'You serve the red team.\n\n{"tide":3}'
    assert ["You serve everybody.", told_it, told_it] == prompts
    assert [("user", "hi"), ("assistant", heard("hi")), ("user", "hi")] == said_to(mock)[1:]


@pytest.mark.parametrize(
    ("given", "left"),
    [pytest.param({}, 7200, id="the persona's"), pytest.param({"ttl_seconds": 60}, 60, id="the session's own")],
)
async def test_how_long_it_is_kept(mock: Mock, given: dict[str, Any], left: int) -> None:
    """As long as its maker said, else as long as the persona says that speaks in it."""
    pirate = persona("pirate", backend("a"), prompt=Prompt(system="Arr."))
    pirate = pirate.model_copy(update={"session": SessionPolicy(ttl_seconds=7200)})
    async with Serving(snapshot([provider("a", mock.url)], [pirate])) as gateway:
        session = await begun(gateway.port, **given)
        await ask(gateway.port, model="persona/pirate", session_id=session)
        shown = (await exchange(gateway.port, "GET", f"{SESSIONS}/{session}")).json()
    assert left == shown["ttl_seconds"]
    assert left <= shown["expires_at"] - shown["created_at"] <= left + 5


async def test_a_session_s_refusals_are_counted(gateway: Serving) -> None:
    """With their reason."""
    await ask(gateway.port, session_id="sess_unknown")
    await gateway.reaches("understudy_admission_refusals_total", 1, reason="session_not_found")


async def test_whoever_has_no_name_says_default(gateway: Serving) -> None:
    """Clients of sessions need not know a route."""
    answer = await ask(gateway.port, model="default", session_id=await begun(gateway.port))
    assert (200, "default/chat") == (answer.status, answer.header("route"))


@pytest.mark.parametrize("caller", CALLERS)
async def test_an_answer_is_like_every_other(gateway: Serving, caller: str) -> None:
    """With the headers that say who answered, and no word about a field that nobody knew."""
    client = CALLERS[caller]
    asking = Asking([client.user("hi")])
    answer = await client.send(gateway.port, asking, session_id=await begun(gateway.port))
    assert ("default/chat", "default/a") == (
        answer.headers["x-understudy-route"], answer.headers["x-understudy-provider"],
    )  # fmt: skip
    assert "session_id" not in answer.headers.get("x-understudy-warning", "")
