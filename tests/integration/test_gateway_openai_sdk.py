"""The real `openai` library in front of the gateway: what an app sees, streaming and not."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from harness.gateways import Serving, backend, in_order, persona, provider, route, snapshot
from understudy.mock import Mock, Settings
from understudy_api.config import Prompt

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks a word up.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}
PROMPT = Prompt(system="You are a pirate.", defaults={"temperature": 0.5}, overrides={"max_tokens": 4})


@pytest.fixture
async def first() -> AsyncIterator[Mock]:
    """The backend that is asked first."""
    async with Mock(name="a") as made:
        yield made


@pytest.fixture
async def gateway(first: Mock) -> AsyncIterator[Serving]:
    """A route with an understudy, and a persona."""
    async with Mock(name="b") as b:
        providers = [provider("a", first.url), provider("b", b.url)]
        targets = [route("chat", *in_order("a", "b")), persona("pirate", backend("a"), prompt=PROMPT)]
        async with Serving(snapshot(providers, targets)) as made:
            yield made


@pytest.fixture
async def client(gateway: Serving) -> AsyncIterator[AsyncOpenAI]:
    """A client as apps make it, but for its retries: what the gateway does must not be hidden by them."""
    async with AsyncOpenAI(base_url=gateway.base_url, api_key="the caller's own", max_retries=0) as made:
        yield made


async def _collect(stream: Any, into: list[str]) -> None:
    """Keep the pieces that came before the stream raised."""
    async for chunk in stream:
        piece = chunk.choices[0].delta.content
        into.append(piece or "")


SAID: Any = [{"role": "user", "content": "hi"}]


async def test_a_completion(client: AsyncOpenAI, first: Mock) -> None:
    """The answer is the provider's own, and the caller's key goes nowhere."""
    answer = await client.chat.completions.create(model="chat", messages=SAID)
    assert answer.choices[0].message.content == 'This is a, answering as m. You said: "hi"'
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0
    assert "caller" not in str(first.requests[0].headers)


async def test_a_stream(client: AsyncOpenAI) -> None:
    """A stream ends with its finish reason, and has no usage where none was asked for."""
    stream = await client.chat.completions.create(model="chat", messages=SAID, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).startswith("This is a,")
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {None} == {chunk.usage for chunk in chunks}


async def test_a_stream_with_usage(client: AsyncOpenAI) -> None:
    """The usage comes as the last chunk when it was asked for."""
    stream = await client.chat.completions.create(
        model="chat", messages=SAID, stream=True, stream_options={"include_usage": True}
    )
    chunks: list[Any] = [chunk async for chunk in stream]
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens > 0) == ([], True)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tools(client: AsyncOpenAI, stream: bool) -> None:
    """A tool call comes through, in pieces or not."""
    asked: dict[str, Any] = {"model": "chat", "messages": SAID, "tools": [TOOL], "tool_choice": "required"}
    if stream:
        async with client.chat.completions.stream(**asked) as events:
            answer: Any = await events.get_final_completion()
    else:
        answer = await client.chat.completions.create(**asked)
    call = answer.choices[0].message.tool_calls[0]
    assert ("look_up", '{"word": "word"}') == (call.function.name, call.function.arguments)


async def test_the_understudy_steps_in(client: AsyncOpenAI, first: Mock) -> None:
    """The first backend dies; the app notices nothing."""
    await first.stop()
    answer = await client.chat.completions.with_raw_response.create(model="chat", messages=SAID)
    assert answer.headers["x-understudy-provider"] == "default/b"
    assert "This is b" in str(answer.parse().choices[0].message.content)


async def test_a_cut_stream_is_an_error(client: AsyncOpenAI, first: Mock) -> None:
    """A stream that ends without its end raises; it is never taken for a whole answer."""
    first.settings = Settings(token_interval=0.01)
    first.set_faults(["end-after:3"])
    stream = await client.chat.completions.create(model="chat", messages=SAID, stream=True)
    got: list[str] = []
    with pytest.raises(openai.APIError, match="interrupted"):
        await _collect(stream, got)
    assert "".join(got) == "This is a,"


@pytest.mark.parametrize(
    ("fault", "raised", "code"),
    [
        pytest.param("400", openai.BadRequestError, None, id="bad request"),
        pytest.param("context", openai.BadRequestError, "context_length_exceeded", id="too long"),
        pytest.param("429", openai.RateLimitError, "rate_limit_exceeded", id="rate limit"),
        pytest.param("quota", openai.RateLimitError, "insufficient_quota", id="quota"),
        pytest.param("500", openai.InternalServerError, "upstream_server_error", id="server error"),
        pytest.param("401", openai.InternalServerError, "upstream_auth_error", id="the gateway's key is wrong"),
    ],
)
async def test_errors(
    client: AsyncOpenAI, first: Mock, fault: str, raised: type[openai.APIStatusError], code: str | None
) -> None:
    """Failures come as the library's own exceptions, with a request id to ask about."""
    first.set_faults([fault])
    with pytest.raises(raised) as caught:
        await client.chat.completions.create(model="persona/pirate", messages=SAID)
    assert caught.value.code == code
    assert caught.value.request_id


async def test_an_unknown_model(client: AsyncOpenAI) -> None:
    """A misspelled name raises NotFoundError with the name that was meant."""
    with pytest.raises(openai.NotFoundError, match="chat"):
        await client.chat.completions.create(model="chatt", messages=SAID)


async def test_the_library_does_not_multiply_attempts(gateway: Serving, first: Mock) -> None:
    """With the library's own retries on, an exhausted request is not sent again."""
    first.set_faults(["500"])
    async with AsyncOpenAI(base_url=gateway.base_url, api_key="x", max_retries=2) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="persona/pirate", messages=SAID)
    assert first.stats.requests == 2


async def test_a_persona(client: AsyncOpenAI, first: Mock) -> None:
    """A persona brings its prompt and parameters, whatever the client."""
    answer = await client.chat.completions.create(model="persona/pirate", messages=SAID)
    assert answer.choices[0].finish_reason == "length"
    sent = first.requests[0].json()
    assert (0.5, 4) == (sent["temperature"], sent["max_tokens"])
    assert sent["messages"] == [{"role": "system", "content": "You are a pirate."}, *SAID]


async def test_a_provider_s_model_addressed_directly(client: AsyncOpenAI) -> None:
    """PROVIDER/MODEL needs no route."""
    answer = await client.chat.completions.create(model="b/m", messages=SAID)
    assert "This is b" in str(answer.choices[0].message.content)


async def test_models(client: AsyncOpenAI) -> None:
    """The list holds what may be asked for; each of its names can be looked up, with a slash in it or not."""
    listed = [model.id async for model in await client.models.list()]
    assert listed == ["a/m", "b/m", "chat", "persona/pirate"]
    for name in listed:
        assert (await client.models.retrieve(name)).id == name
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nobody")
