"""The mock as the real OpenAI SDK sees it: an app under test notices no difference."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from understudy.mock import Mock, Settings

HI: Any = [{"role": "user", "content": "Hi"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ECHO = 'This is ada, answering as gpt. You said: "Hi"'


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """A mock that lets in one key."""
    async with Mock(name="ada", settings=Settings(require_key="sk-right")) as running:
        yield running


@pytest.fixture
async def client(mock: Mock) -> AsyncIterator[openai.AsyncOpenAI]:
    """The SDK, as its README has it, but without retries."""
    async with openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key="sk-right", max_retries=0) as running:
        yield running


async def test_plain(client: openai.AsyncOpenAI) -> None:
    """An answer is read, with its usage."""
    answer = await client.chat.completions.create(model="gpt", messages=HI)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (ECHO, "stop")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


async def test_several_choices(client: openai.AsyncOpenAI) -> None:
    """As many answers come as were asked for."""
    answer = await client.chat.completions.create(model="gpt", messages=HI, n=3)
    assert [(choice.index, choice.message.content) for choice in answer.choices] == [(0, ECHO), (1, ECHO), (2, ECHO)]


async def test_stream(client: openai.AsyncOpenAI) -> None:
    """A stream says the same, in more than one chunk."""
    stream = await client.chat.completions.create(model="gpt", messages=HI, stream=True)
    texts = [chunk.choices[0].delta.content async for chunk in stream]
    assert "".join(text or "" for text in texts) == ECHO
    assert len(texts) > 5


async def test_stream_with_usage(client: openai.AsyncOpenAI) -> None:
    """The usage of a stream is that of the plain answer, and comes once, at the end."""
    plain = await client.chat.completions.create(model="gpt", messages=HI)
    stream = await client.chat.completions.create(
        model="gpt", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = [chunk async for chunk in stream]
    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)
    assert (last.choices, last.usage) == ([], plain.usage)


async def test_the_stream_helper_puts_tool_calls_together(client: openai.AsyncOpenAI) -> None:
    """The SDK's own accumulator, which trips over every irregular delta, finds one call with good arguments."""
    async with client.chat.completions.stream(
        model="gpt", messages=HI, tools=[WEATHER], tool_choice="required"
    ) as stream:
        completion = await stream.get_final_completion()
    (call,) = completion.choices[0].message.tool_calls or []
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "city"})
    assert (completion.choices[0].finish_reason, completion.choices[0].message.content) == ("tool_calls", None)


async def test_tool_loop(client: openai.AsyncOpenAI) -> None:
    """A call can be answered, and the next answer tells what the tool returned."""
    messages = list(HI)
    asked = await client.chat.completions.create(
        model="gpt",
        messages=messages,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    (call,) = asked.choices[0].message.tool_calls or []
    messages += [
        asked.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "22 C"},
    ]
    answer = await client.chat.completions.create(model="gpt", messages=messages, tools=[WEATHER])
    assert answer.choices[0].message.content == 'This is ada, answering as gpt. The tool returned: "22 C"'


async def test_structured_answer(client: openai.AsyncOpenAI) -> None:
    """A JSON schema is met."""
    schema: Any = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    answer = await client.chat.completions.create(
        model="gpt",
        messages=HI,
        response_format={"type": "json_schema", "json_schema": {"name": "trip", "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"city": "city", "days": 1}


async def test_embeddings(client: openai.AsyncOpenAI) -> None:
    """Vectors come through the SDK's base64 default, and differ where inputs do."""
    answer = await client.embeddings.create(model="e", input=["a", "b", "a"], dimensions=8)
    first, second, third = (entry.embedding for entry in answer.data)
    assert (len(first), first == third, first == second) == (8, True, False)


async def test_models(client: openai.AsyncOpenAI) -> None:
    """Models are listed and found."""
    assert [model.id async for model in client.models.list()] == ["ada"]
    assert (await client.models.retrieve("org/any")).id == "org/any"


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        pytest.param("context", openai.BadRequestError, "context_length_exceeded", id="context"),
        pytest.param("401", openai.AuthenticationError, "invalid_api_key", id="401"),
        pytest.param("403", openai.PermissionDeniedError, "permission_denied", id="403"),
        pytest.param("404", openai.NotFoundError, "model_not_found", id="404"),
        pytest.param("429", openai.RateLimitError, "rate_limit_exceeded", id="429"),
        pytest.param("quota", openai.RateLimitError, "insufficient_quota", id="quota"),
        pytest.param("503", openai.InternalServerError, "server_is_overloaded", id="503"),
        pytest.param("529", openai.InternalServerError, "server_is_overloaded", id="529"),
        pytest.param("html:502", openai.InternalServerError, None, id="HTML"),
    ],
)
async def test_errors(
    mock: Mock, client: openai.AsyncOpenAI, fault: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    """Each status raises the SDK's own error for it, with the code that tells two of one status apart."""
    mock.set_faults([fault])
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model="gpt", messages=HI)
    assert caught.value.code == code


async def test_wrong_key(mock: Mock) -> None:
    """Another key is refused as OpenAI refuses it."""
    async with openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key="sk-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key provided"):
            await client.models.list()


@pytest.mark.parametrize("fault", ["error-first", "role-then-error", "error-after:2"])
async def test_error_in_a_stream(mock: Mock, client: openai.AsyncOpenAI, fault: str) -> None:
    """An error event raises the SDK's error, with the message of the event."""
    mock.set_faults([f"{fault};error=429"])
    stream = await client.chat.completions.create(model="gpt", messages=HI, stream=True)
    with pytest.raises(openai.APIError, match="Rate limit reached for gpt"):
        async for _ in stream:
            pass


async def test_the_sdk_retries_until_it_is_answered(mock: Mock) -> None:
    """An app with the SDK's default retries gets over two refusals, as it would with OpenAI."""
    mock.set_faults(["429;retry-after-ms=1;times=2"])
    async with openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key="sk-right") as client:
        answer = await client.chat.completions.create(model="gpt", messages=HI)
    assert answer.choices[0].message.content == ECHO
    assert [request.status for request in mock.requests] == [429, 429, 200]
