"""`/v1/sessions`, from request to bytes; and turns through the real `openai` library."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from harness.asking import ask
from harness.gateways import Serving, in_order, provider, route, snapshot
from harness.raw_http import Answer, exchange
from harness.sessions import SESSIONS, begun, kept, said_to
from understudy.mock import Mock

HOUR = 3600


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


async def create(gateway: Serving, body: bytes) -> Answer:
    """Ask for a session."""
    return await exchange(gateway.port, "POST", SESSIONS, body)


@pytest.mark.parametrize(
    ("body", "ttl_seconds", "context"),
    [
        pytest.param(b"", HOUR, {}, id="nothing said"),
        pytest.param(b"{}", HOUR, {}, id="an empty object"),
        pytest.param(b'{"ttl_seconds": null, "context": null}', HOUR, {}, id="nulls"),
        pytest.param(
            b'{"ttl_seconds": 90, "context": {"team": "red", "n": 1}}', 90, {"team": "red", "n": 1}, id="both"
        ),
        pytest.param(b'{"ttl_seconds": 0.5, "unknown": true}', 0.5, {}, id="a part of a second"),
    ],
)
async def test_a_new_session(gateway: Serving, body: bytes, ttl_seconds: float, context: dict[str, Any]) -> None:
    """201, with all that is known of it, and where it is."""
    answer = await create(gateway, body)
    told = answer.json()
    assert 201 == answer.status
    assert f"{SESSIONS}/{told['id']}" == answer.headers["location"]
    assert ("session", ttl_seconds, context, 0) == (
        told["object"], told["ttl_seconds"], told["context"], told["message_count"],
    )  # fmt: skip
    assert abs(told["created_at"] - time.time()) < 60
    assert abs(told["expires_at"] - told["created_at"] - ttl_seconds) <= 1


async def test_ids_cannot_be_guessed(gateway: Serving) -> None:
    """Each has more random letters than anybody could try."""
    ids = {await begun(gateway.port) for _ in range(20)}
    assert 20 == len(ids)
    assert {True} == {len(one) >= 32 for one in ids}


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        pytest.param(b"[]", None, "JSON object", id="an array"),
        pytest.param(b"{", None, "parse the JSON", id="no JSON"),
        pytest.param(b'{"ttl_seconds": "60"}', "ttl_seconds", "a number", id="text"),
        pytest.param(b'{"ttl_seconds": true}', "ttl_seconds", "a number", id="a boolean"),
        pytest.param(b'{"ttl_seconds": 0}', "ttl_seconds", "more than 0", id="no time"),
        pytest.param(b'{"ttl_seconds": -1}', "ttl_seconds", "more than 0", id="less than none"),
        pytest.param(b'{"ttl_seconds": 1e300}', "ttl_seconds", "at most 2592000", id="for ever"),
        pytest.param(b'{"context": "red"}', "context", "an object", id="a context of words"),
        pytest.param(b'{"context": {"": 1}}', "context", "1 to 63 characters", id="a name without letters"),
        pytest.param(b'{"context": {"a": "%s"}}' % (b"x" * 20_000), "context", "16384 bytes", id="a large context"),
    ],
)
async def test_what_can_be_none(gateway: Serving, body: bytes, param: str | None, words: str) -> None:
    """400 in OpenAI's words, with the field."""
    answer = await create(gateway, body)
    error = answer.json()["error"]
    assert (400, "invalid_request_error", param) == (answer.status, error["type"], error["param"])
    assert words in error["message"]


async def test_it_is_shown_with_what_was_said(gateway: Serving) -> None:
    """In OpenAI's form, so that it could be sent as it is."""
    session = await begun(gateway.port, context={"team": "red"})
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "[call: f] look"}, picture]},
    ]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    await ask(gateway.port, messages=said, tools=[tool], session_id=session)
    system, question, answer = await kept(gateway.port, session)
    (call,) = answer["tool_calls"]
    assert (said, "f") == ([system, question], call["function"]["name"])
    result = {"role": "tool", "tool_call_id": call["id"], "content": "nothing"}
    await ask(gateway.port, messages=[result], tools=[tool], session_id=session)
    assert [result, "assistant"] == [
        message if message["role"] == "tool" else message["role"] for message in (await kept(gateway.port, session))[3:]
    ]
    shown = (await exchange(gateway.port, "GET", f"{SESSIONS}/{session}")).json()
    assert (4, {"team": "red"}) == (shown["message_count"], shown["context"])


async def test_it_is_forgotten(gateway: Serving) -> None:
    """Deleted once; then it is not there, for nobody."""
    session = await begun(gateway.port)
    answer = await exchange(gateway.port, "DELETE", f"{SESSIONS}/{session}")
    assert (200, {"id": session, "object": "session", "deleted": True}) == (answer.status, answer.json())
    for method in ("DELETE", "GET"):
        missing = await exchange(gateway.port, method, f"{SESSIONS}/{session}")
        assert (404, "session_not_found") == (missing.status, missing.json()["error"]["code"])


@pytest.mark.parametrize("path", ["", "/", "/a%2Fb", "/%00", "/" + "x" * 500, "/sess_1/turn"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_ids_that_are_none(gateway: Serving, method: str, path: str) -> None:
    """No session, and no crash."""
    assert (await exchange(gateway.port, method, f"{SESSIONS}{path}")).status in {404, 405}


async def test_through_the_real_library(gateway: Serving, mock: Mock) -> None:
    """A header that the client has by default is all that an app changes: whole, streamed, and with tools."""
    session = await begun(gateway.port)
    async with AsyncOpenAI(
        base_url=gateway.base_url, api_key="k", max_retries=0, default_headers={"x-session-id": session}
    ) as client:
        first = await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "one"}])
        async with client.chat.completions.stream(
            model="chat", messages=[{"role": "user", "content": "two"}]
        ) as stream:
            second = await stream.get_final_completion()
        answers = [each.choices[0].message.content for each in (first, second)]
        await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "three"}])
    assert [
        ("user", "one"),
        ("assistant", answers[0]),
        ("user", "two"),
        ("assistant", answers[1]),
        ("user", "three"),
    ] == said_to(mock)


async def test_the_library_s_error(gateway: Serving) -> None:
    """`NotFoundError`, with a code that tells it from an unknown model."""
    async with AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(
                model="chat", messages=[{"role": "user", "content": "hi"}], extra_headers={"x-session-id": "sess_gone"}
            )
    assert "session_not_found" == caught.value.code


async def test_the_internal_door_has_turns_as_well(mock: Mock) -> None:
    """By its own fields, under its own secret."""
    served = snapshot([provider("a", mock.url)], [route("chat", *in_order("a"))])
    async with Serving(served, settings={"internal_secret": "s"}) as gateway:
        session = await begun(gateway.port)
        for text, given in (("one", {"session_id": session}), ("two", {})):
            body = {"model": "chat", "messages": [{"role": "user", "content": text}], **given}
            headers = {"x-internal-secret": "s"} | ({} if given else {"x-session-id": session})
            answer = await exchange(gateway.port, "POST", "/internal/llm/proxy", json.dumps(body).encode(), headers)
            assert 200 == answer.status
    assert ["one", "two"] == [text for role, text in said_to(mock) if role == "user"]
